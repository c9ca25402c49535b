"""Amounts are spoken exactly: no rupee is rounded away."""

import pytest

from voiceops.core.rupees import grouped, in_words


@pytest.mark.parametrize(
    ("amount_inr", "english", "hindi"),
    [
        (12_000_000, "₹1.2 crore", "₹1.2 करोड़"),
        (8_500_000, "₹85 lakh", "₹85 लाख"),
        (9_850_000, "₹98.5 lakh", "₹98.5 लाख"),
        (100_000, "₹1 lakh", "₹1 लाख"),
        (83_311, "₹83,311", "₹83,311"),
        (12_345_678, "₹1,23,45,678", "₹1,23,45,678"),
        (0, "₹0", "₹0"),
    ],
)
def test_amounts_are_said_in_lakh_and_crore_only_when_that_is_exact(
    amount_inr: int, english: str, hindi: str
) -> None:
    assert (in_words(amount_inr), in_words(amount_inr, "hi")) == (english, hindi)


def test_digits_are_grouped_the_indian_way() -> None:
    assert [grouped(n) for n in (7, 999, 1_000, 123_456, -1_234_567)] == [
        "7", "999", "1,000", "1,23,456", "-12,34,567",
    ]  # fmt: skip
