"""Quantities in a text, normalised: "₹1.2 crore", "12000000 rupees" and "one crore twenty lakh"
are one and the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agents.pipeline.number_words import multiplier, read_number, word_value

_TOKEN = re.compile(r"₹|%|\d[\d,]*(?:\.\d+)?|[a-z]+(?:[-'][a-z]+)*|[\u0900-\u097f]+|[:/.-]")
_UNITS = {
    "rupee": "inr", "rupees": "inr", "rs": "inr", "inr": "inr", "रुपये": "inr", "रुपए": "inr", "रुपया": "inr",
    "crore": "inr", "crores": "inr", "cr": "inr", "lakh": "inr", "lakhs": "inr", "lac": "inr", "lacs": "inr",
    "करोड़": "inr", "लाख": "inr",
    "sq": "sqft", "sqft": "sqft", "square": "sqft", "वर्ग": "sqft",
    "percent": "percent", "%": "percent", "per-cent": "percent", "प्रतिशत": "percent",
    "bhk": "bhk", "bedroom": "bhk", "bedrooms": "bhk", "bed": "bhk", "beds": "bhk", "b": "bhk",
    "बीएचके": "bhk", "बी": "bhk", "बेडरूम": "bhk",
    "month": "month", "months": "month", "महीने": "month", "महीनों": "month", "महीना": "month",
    "year": "year", "years": "year", "yr": "year", "yrs": "year", "साल": "year",
    "day": "day", "days": "day", "दिन": "day", "week": "week", "weeks": "week",
    "hour": "hour", "hours": "hour", "minute": "minute", "minutes": "minute",
    "km": "km", "kilometre": "km", "kilometres": "km", "kilometer": "km", "kilometers": "km",
    "metre": "metre", "metres": "metre", "meters": "metre",
    "unit": "unit", "units": "unit", "home": "unit", "homes": "unit", "flat": "unit", "flats": "unit",
    "apartment": "unit", "apartments": "unit", "घर": "unit",
    "am": "time", "pm": "time", "baje": "time", "बजे": "time", "o'clock": "time",
}  # fmt: skip
_FILLERS = frozenset(["of", "the", "more", "still", "available", "remaining"])
_DIGRAPH_BHK = re.compile(r"(\d)\s*b\.?\s*h\.?\s*k\b", re.IGNORECASE)
_CR_SUFFIX = re.compile(r"(\d)\s*(cr|l|k)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Quantity:
    value: float
    unit: str
    """inr, sqft, percent, bhk, month, year, day, unit, time, … or empty when none was said."""
    text: str


def find_quantities(text: str) -> list[Quantity]:
    """Every number in `text` with its unit, in order."""
    lower = text.lower().replace("’", "'").replace("rs.", "rs ")
    lower = re.sub(r"\b([ap])\.\s*m\b\.?", r"\1m", lower)
    lower = _DIGRAPH_BHK.sub(r"\1 bhk", lower)
    lower = _CR_SUFFIX.sub(
        lambda m: f"{m[1]} " + {"cr": "crore", "l": "lakh", "k": "thousand"}[m[2].lower()], lower
    )
    tokens = _TOKEN.findall(lower)
    found: list[Quantity] = []
    index = 0
    while index < len(tokens):
        if word_value(tokens[index]) is None:
            index += 1
            continue
        read = read_number(tokens, index)
        if read is None:
            index += 1
            continue
        value, after = read
        scales = {token for token in tokens[index:after] if multiplier(token) is not None}
        unit = _unit(tokens, index, after, scales)
        if tokens[index] == "one" and not unit and after == index + 1:
            index = after  # "this one", "one of them"
            continue
        if after + 1 < len(tokens) and tokens[after] == ":" and word_value(tokens[after + 1]) is not None:
            minutes = word_value(tokens[after + 1]) or 0.0
            half = tokens[after + 2] if after + 2 < len(tokens) else ""
            hour = value + 12 if half == "pm" and value < 12 else value
            found.append(Quantity(hour * 100 + minutes, "time", f"{value:g}:{minutes:02.0f}"))
            index = after + 2
            continue
        if unit == "time":
            half = tokens[after] if after < len(tokens) else ""
            value = (value + 12 if half == "pm" and value < 12 else value) * 100
        found.append(Quantity(round(value, 6), unit, " ".join(tokens[index:after])))
        index = after
    return found


def _unit(tokens: list[str], start: int, after: int, scales: set[str]) -> str:
    before = tokens[start - 1] if start else ""
    if before in ("₹", "rs", "inr"):
        return "inr"
    if any(_UNITS.get(scale) == "inr" for scale in scales):
        return "inr"
    for token in tokens[after : after + 3]:
        if token in _UNITS:
            return _UNITS[token]
        if token not in _FILLERS:
            break
    return ""
