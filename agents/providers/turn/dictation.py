"""Somebody dictates: a number digit by digit, a name letter by letter, an address line by line."""

from __future__ import annotations

import re

from agents.providers.turn.number_tail import digit_tail
from voiceops.core.ports import Expecting

_NUMBER_LEAD = re.compile(
    r"\b(number|mobile|phone|whatsapp|contact|pin ?code|otp)\b|नंबर|नम्बर|मोबाइल|फ़ोन|फोन|पिन"
)
_AMOUNT = re.compile(
    r"\b(budget|price|rupees|rs|lakh|lakhs|crore|crores|square|sq|floor|year)\b|₹|बजट|लाख|करोड़"
)
_YEAR = re.compile(r"^(19|20)\d\d$")
_PIN_CODE = re.compile(r"\b\d{3} ?\d{3}\b")
_LETTERS = re.compile(r"(?:\b[a-z]\b[\s.,-]*){2,}$")
DIGITS_PHONE = 10


def dictation(lower: str, expecting: Expecting) -> tuple[float, str] | None:
    """(completeness, reason) of something dictated in `lower`; None when nothing is."""
    if expecting == "address":
        return (0.95, "complete") if _PIN_CODE.search(lower) else (0.2, "dictation")
    digits, pieces = digit_tail(lower.rstrip(" .,!?-"))
    number_asked = expecting == "phone" or bool(_NUMBER_LEAD.search(lower))
    if digits and number_asked:
        return _phone(digits)
    if _is_dictated(digits, pieces, lower):
        return _phone(digits) if len(digits) >= DIGITS_PHONE else (0.15, "dictation")
    if expecting not in ("choice", "yes_no") and _LETTERS.search(lower):
        return 0.15, "dictation"
    return None


def _phone(digits: str) -> tuple[float, str]:
    """An Indian mobile number has ten digits, with or without 0 or 91 before them."""
    if len(digits) == 12 and digits.startswith("91"):
        digits = digits[2:]
    if len(digits) == 11 and digits.startswith("0"):
        digits = digits[1:]
    if len(digits) == DIGITS_PHONE:
        return 0.98, "complete"
    return (0.7, "complete") if len(digits) > DIGITS_PHONE else (0.08, "dictation")


def _is_dictated(digits: str, pieces: int, lower: str) -> bool:
    if len(digits) < 4 or _YEAR.match(digits) or _AMOUNT.search(lower):
        return False
    return pieces >= 3 or len(digits) >= 5
