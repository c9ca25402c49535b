"""Numbers at the end of what was said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.pipeline.number_words import multiplier, word_value

_PIECE = re.compile(r"\+|\d+|[a-z]+|[\u0900-\u097f]+")
_ROMAN_HINDI = {"do": "2", "char": "4", "chaar": "4", "shunya": "0", "zero": "0", "ek": "1", "teen": "3"}
_REPEAT = {"double": 2, "triple": 3}


def ends_in_number(words: Sequence[str]) -> bool:
    """ "…is eighty", "a 3": the unit is still to come."""
    return bool(words) and word_value(words[-1]) is not None and words[-1] not in ("one", "second")


def ends_in_scale(words: Sequence[str]) -> bool:
    """ "one crore": "twenty lakh" may follow."""
    return bool(words) and (multiplier(words[-1]) or 0) >= 1000


def digit_tail(text: str) -> tuple[str, int]:
    """Digits said one by one or in groups at the end of `text` (lower case), and of how many pieces:
    "my number is 98765 43210" → ("9876543210", 2)."""
    digits, pieces = "", 0
    found = _PIECE.findall(text)
    for position in range(len(found) - 1, -1, -1):
        piece = found[position]
        if piece in _REPEAT:
            continue
        said = _digits(piece, spelled=bool(digits))
        if said is None:
            break
        repeat = _REPEAT.get(found[position - 1], 1) if position else 1
        digits, pieces = said * repeat + digits, pieces + 1
    return digits, pieces


def _digits(piece: str, *, spelled: bool) -> str | None:
    if piece == "+":
        return ""
    if piece.isascii() and piece.isdigit():
        return piece
    if piece in ("o", "oh") and spelled:
        return "0"
    if piece in _ROMAN_HINDI and spelled:
        return _ROMAN_HINDI[piece]
    value = word_value(piece)
    return str(int(value)) if value is not None and value < 10 else None
