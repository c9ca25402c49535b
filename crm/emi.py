"""The instalment of a home loan."""

from __future__ import annotations

LOAN_SHARE_PERCENT = 80
"""Of the price that banks lend; the rest is the buyer's own."""


def emi_inr(loan_inr: int, *, annual_rate_percent: float, tenure_months: int) -> int:
    """Equal monthly instalment in whole rupees: P·r·(1+r)ⁿ / ((1+r)ⁿ − 1), r a month."""
    if annual_rate_percent == 0:
        return round(loan_inr / tenure_months)
    rate = annual_rate_percent / 1200
    growth = (1 + rate) ** tenure_months
    return round(loan_inr * rate * growth / (growth - 1))
