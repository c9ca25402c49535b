# ruff: noqa: E501 - a pattern stays on one line
"""Amounts, counts and moments in what callers tell of themselves."""

from __future__ import annotations

import re
from datetime import datetime

from agents.pipeline.number_words import word_value
from agents.pipeline.quantities import find_quantities

LAKH = 100_000
CRORE = 10_000_000
_HALVES = {
    "dedh": "1.5", "डेढ़": "1.5", "डेढ": "1.5", "dhai": "2.5", "dhaai": "2.5", "ढाई": "2.5", "sava": "1.25",
    "sawa": "1.25", "सवा": "1.25", "pachas": "50", "pachaas": "50", "chalis": "40", "chaalis": "40",
    "tees": "30", "bees": "20", "saath": "60", "sattar": "70", "assi": "80", "nabbe": "90", "pachees": "25",
    "pachhattar": "75", "pachattar": "75", "do": "2", "char": "4", "chhe": "6",
}  # fmt: skip
_BEFORE_SCALE = re.compile(
    rf"(?<!\w)({'|'.join(_HALVES)})(?=\s+(?:crore|cr\b|lakh|lac\b|करोड़|लाख))", re.IGNORECASE
)
_COUNTS = {
    "ek": 1, "do": 2, "teen": 3, "char": 4, "chaar": 4, "paanch": 5, "panch": 5, "chhe": 6, "che": 6, "saat": 7,
    "a": 1, "single": 1, "a couple of": 2, "couple": 2,
}  # fmt: skip
_MONTHS_TEXT = (
    "january jan जनवरी janvari,february feb फ़रवरी फरवरी,march mar मार्च,april apr अप्रैल,may मई,"
    "june jun जून,july jul जुलाई,august aug अगस्त,september sept sep सितंबर,october oct अक्टूबर,"
    "november nov नवंबर,december dec दिसंबर"
)
MONTHS = {name: number for number, names in enumerate(_MONTHS_TEXT.split(","), 1) for name in names.split()}
NUMBER = r"(?:\d+|[a-z]+|[\u0900-\u097f]+)"
_MONTH = re.compile(
    rf"(?:\b(by|in|before|around|till|until|of|from|end of|early|mid|since)\s+)?(?<!\w)({'|'.join(MONTHS)})(?!\w)"
    r"(?:\s+(\d{4}))?(?:\s*(tak|mein|me|तक|में|ke|के))?",
    re.IGNORECASE,
)
_SPAN = re.compile(
    rf"(?<!\w)({NUMBER})\s*(?:to {NUMBER} )?(months?|years?|weeks?|mahin[ea]|saal|hafte|महीने|महीना|साल|हफ़्ते|हफ्ते)(?!\w)"
)
_LETTERS = {"m": "M", "y": "Y", "w": "W", "s": "Y", "h": "W", "म": "M", "स": "Y", "ह": "W"}
_AT_ONCE = re.compile(
    r"\b(?:immediately|right away|straight away|at once|as soon as possible|asap|ready to move|turant|jaldi)\b"
    r"|तुरंत|जल्दी|जल्द"
)


def amounts(text: str) -> list[int]:
    """Rupees in `text`, in order; "one crore twenty" is one crore twenty lakh."""
    plain = _BEFORE_SCALE.sub(lambda match: _HALVES[match[1].lower()], text)
    if re.search(r"\bbetween\b", plain):
        plain = re.sub(r"\s+and\s+", " to ", plain)
    found: list[int] = []
    for quantity in find_quantities(plain):
        value = round(quantity.value)
        if quantity.unit == "inr":
            rest = value % CRORE
            if value > CRORE and 0 < rest < 100:
                value = value - rest + rest * LAKH
            found.append(value)
        elif not quantity.unit and value >= LAKH:
            found.append(value)
    return found


def count(word: str) -> int | None:
    """A small whole number in digits or words, English or Hindi."""
    word = word.lower().strip()
    if word in _COUNTS:
        return _COUNTS[word]
    value = word_value(word)
    return int(value) if value is not None and value == int(value) else None


def moment(lower: str, now: datetime) -> str | None:
    """When something is wanted: "2027-03" (a month), "2027" (a year), "P6M" (within), "now"."""
    for match in _MONTH.finditer(lower):
        # "may" and "march" are words of their own unless they stand where a month would.
        if match[2] in ("may", "march", "mar", "sep") and not (match[1] or match[3] or match[4]):
            continue
        month = MONTHS[match[2]]
        year = int(match[3]) if match[3] else now.year + (month < now.month)
        return f"{year}-{month:02d}"
    span = _SPAN.search(lower)
    if span is not None:
        number = count(span[1])
        if number is not None and 1 <= number <= 60:
            return f"P{number}{_LETTERS[span[2][0]]}"
    if re.search(r"\bnext month\b|agle mahine|अगले महीने", lower):
        return f"{now.year + (now.month == 12)}-{now.month % 12 + 1:02d}"
    if re.search(r"\bnext year\b|agle saal|अगले साल", lower):
        return str(now.year + 1)
    if re.search(r"\bthis year\b|is saal|इस साल", lower):
        return str(now.year)
    return "now" if _AT_ONCE.search(lower) else None
