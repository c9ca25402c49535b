"""Reads of the carrier's side of calls."""

from __future__ import annotations

from telephony.models import Call, PhoneNumber


def agent_for_number(e164: str) -> str | None:
    """The slug that answers `e164`; "" (the default agent) while no number is configured at
    all; None when numbers are configured and this one is not."""
    number = PhoneNumber.objects.filter(e164=e164).first()
    if number is not None:
        return number.agent_slug
    return None if PhoneNumber.objects.exists() else ""


def first_number() -> str:
    """Any configured number, "" when there is none."""
    return PhoneNumber.objects.values_list("e164", flat=True).first() or ""


def call_by_carrier_ref(carrier_ref: str) -> Call | None:
    return Call.objects.filter(carrier_ref=carrier_ref).order_by("-created_at").first()
