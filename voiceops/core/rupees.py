"""Rupee amounts in the words people use: lakh and crore."""

from __future__ import annotations

_LAKH = 100_000
_CRORE = 10_000_000
_WORDS = {
    "en": {"crore": "crore", "lakh": "lakh"},
    "hi": {"crore": "करोड़", "lakh": "लाख"},
}


def grouped(amount_inr: int) -> str:
    """Indian digit groups: 12345678 is `1,23,45,678`."""
    digits = str(abs(amount_inr))
    head, tail = digits[:-3], digits[-3:]
    groups = [head[max(0, end - 2) : end] for end in range(len(head), 0, -2)][::-1]
    return ("-" if amount_inr < 0 else "") + ",".join([*groups, tail])


def in_words(amount_inr: int, language: str = "en") -> str:
    """`₹1.2 crore`, `₹85 लाख`; an amount that two decimals cannot carry exactly stays in
    digits: `₹83,311`, `₹1,23,45,678`."""
    words = _WORDS.get(language, _WORDS["en"])
    for unit, size in (("crore", _CRORE), ("lakh", _LAKH)):
        if abs(amount_inr) >= size and amount_inr * 100 % size == 0:
            number = f"{amount_inr * 100 // size / 100:.2f}".rstrip("0").rstrip(".")
            return f"₹{number} {words[unit]}"
    return f"₹{grouped(amount_inr)}"
