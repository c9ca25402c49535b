"""Whether a sentence says only what the retrieved facts say.

Strict on purpose: a sentence refused here is rebuilt from the record by template, so a false
alarm costs style and a miss costs the truth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from agents.pipeline.quantities import Quantity, find_quantities
from agents.pipeline.selection import terms
from agents.pipeline.spoken import rupees
from voiceops.core.facts import Evidence

_VALUE_UNITS = {
    "price_inr": "inr", "emi_inr": "inr", "area_sqft": "sqft", "units_available": "unit",
    "tenure_months": "month", "annual_rate_percent": "percent",
}  # fmt: skip
ASKED_VALUES: Mapping[str, tuple[str, ...]] = {
    "price_enquiry": ("price_inr",),
    "emi_history": ("emi_inr",),
    "availability_enquiry": ("units_available",),
}
"""Per intent, the record's value that an answer must contain."""

_WORD = re.compile(r"[A-Za-z][A-Za-z'’]*|[\u0900-\u097f]+")
_NEGATION = re.compile(
    r"\b(not|no|never|none|nothing|neither|nor|without|cannot|unavailable|unable|except|excluding)\b|n['’]t\b"
    r"|\bsold out\b|\bno longer\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(approximately|approx|roughly|nearly|almost|maybe|perhaps|probably|possibly|might|could|should|would|"
    r"usually|typically|generally|likely|estimated|believe|think|guess|assume|"
    r"up to|at least|at most|less than|more than|starting|starts|onwards|upwards)\b"
    r"|\b(about|around|over|under|below|above|from|between)\s+(?=[₹\d]|rs\b|inr\b|one\b|two\b|three\b)",
    re.IGNORECASE,
)
_ASSENT = re.compile(r"^\s*(yes|no|yeah|yep|nope|correct|exactly|indeed)\b", re.IGNORECASE)
_ASSISTANT = re.compile(
    r"\b(as an ai|language model|i['’]?m sorry|i apologi[sz]e"
    r"|feel free|let me know|happy to|question:|facts?:)",
    re.IGNORECASE,
)

_GLUE_TEXT = """
the a an and or of in at on to for is are was were be been it its it's this that these those there here with
by from as per has have had which who what when where your you our we us they their my i his her one ones
price priced prices cost costs costing amount value total available availability located location locality
project home homes house flat flats apartment apartments unit units property bedroom bedrooms bhk square feet
foot sq ft sqft area carpet size rupees rupee inr rs cr lac lakh lakhs crore crores thousand hundred emi month
months monthly year years loan tenure interest rate percent quoted quote yesterday today offer offers offered
currently now still left remaining ready possession expected will can also comes come provides provided
includes included include including features feature says states according policy customer sir madam hello
please each only both all any just total so then if must need needs required paid pay within before after
"""
_GLUE = frozenset(_GLUE_TEXT.split())
_STARTERS_TEXT = """
the a an it its this that these those there here in at on for with our we you your yes sure currently as and
but by to of from according based please when where which who what how all both each every customers home
homes flats units price prices possession booking refunds i
"""
_STARTERS = frozenset(_STARTERS_TEXT.split())
_CAPITALS = frozenset(["i", "bhk", "emi", "inr", "rs", "am", "pm", "sq", "ft"])
_CALENDAR_TEXT = """
monday tuesday wednesday thursday friday saturday sunday january february march april june july august
september october november december
"""
_CALENDAR = frozenset(_CALENDAR_TEXT.split())


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    """number | name | date | negation | hedge | assent | extra | off_script | missing_value"""
    detail: str

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a sentence may stand on."""

    quantities: frozenset[tuple[float, str]]
    words: frozenset[str]
    """Stems of every word in the facts."""
    caller_words: frozenset[str]
    caller_quantities: frozenset[tuple[float, str]]
    negated: bool
    hedged: bool
    asked: frozenset[tuple[float, str]] = frozenset()
    """Values of which one must be said."""
    asked_terms: frozenset[str] = frozenset()
    """Without such values: words of the question that the facts have; one must be said."""
    places: frozenset[str] = field(default_factory=frozenset)
    """Words of known place names, for catching a place in small letters."""


def grounds_of(
    evidence: Sequence[Evidence],
    *,
    heard: str,
    intent: str,
    places: Sequence[str] = (),
    names: Sequence[str] = (),
) -> Grounds:
    """Collect the facts of `evidence`; `heard` are the caller's words, `names` people known by
    name in this call, `places` every known place name."""
    quantities: set[tuple[float, str]] = set()
    texts: list[str] = list(names)
    asked: set[tuple[float, str]] = set()
    for item in evidence:
        texts += [item.text, item.title]
        for key, value in item.values.items():
            unit = _VALUE_UNITS.get(key)
            if unit is not None and value is not None:
                number = float(value)
                quantities.add((number, unit))
                if unit == "month" and number % 12 == 0:
                    quantities.add((number / 12, "year"))
                if unit == "inr":
                    texts.append(rupees(int(number)))
                if key in ASKED_VALUES.get(intent, ()):
                    asked.add((number, unit))
            elif isinstance(value, datetime | date):
                texts.append(f"{value:%A %d %B %Y}")
                quantities |= {(float(value.day), ""), (float(value.year), "")}
                if isinstance(value, datetime):
                    quantities.add((float(value.hour * 100 + value.minute), "time"))
            elif isinstance(value, str):
                texts.append(value)
    text = " . ".join(texts)
    quantities |= {(q.value, q.unit) for q in find_quantities(text)}
    return Grounds(
        quantities=frozenset(quantities),
        words=frozenset(_stem(word) for word in _WORD.findall(text)),
        caller_words=frozenset(_stem(word) for word in _WORD.findall(heard)),
        caller_quantities=frozenset((q.value, q.unit) for q in find_quantities(heard)),
        negated=_NEGATION.search(text) is not None,
        hedged=_HEDGE.search(text) is not None,
        asked=frozenset(asked),
        asked_terms=frozenset() if asked else frozenset(terms(heard) & terms(text)),
        places=frozenset(_stem(word) for place in places for word in _WORD.findall(place) if len(word) > 3),
    )


def check(clause: str, grounds: Grounds) -> list[Problem]:
    """What in `clause` does not stand in the facts; empty when all of it does."""
    problems: list[Problem] = []
    for quantity in find_quantities(clause):
        if not _quantity_stands(quantity, grounds):
            problems.append(Problem("number", f"{quantity.text} {quantity.unit}".strip()))
    if currency := re.search(r"[$€£]", clause):
        problems.append(Problem("number", f"currency {currency[0]}"))
    if (negation := _NEGATION.search(clause)) and not grounds.negated:
        problems.append(Problem("negation", negation[0]))
    if (hedge := _HEDGE.search(clause)) and not grounds.hedged:
        problems.append(Problem("hedge", hedge[0].strip()))
    if assent := _ASSENT.search(clause):
        problems.append(Problem("assent", assent[1]))
    if script := _ASSISTANT.search(clause):
        problems.append(Problem("off_script", script[0]))
    problems += _unknown_words(clause, grounds)
    return problems


def contains_asked(text: str, grounds: Grounds) -> bool:
    """Whether what was asked for is said: its value, or else a word of the question; True when
    the facts have neither."""
    if not grounds.asked:
        return not grounds.asked_terms or bool(grounds.asked_terms & terms(text))
    return any((q.value, q.unit) in grounds.asked for q in find_quantities(text))


def _quantity_stands(quantity: Quantity, grounds: Grounds) -> bool:
    same = {unit for value, unit in grounds.quantities if value == quantity.value}
    if quantity.unit in same:
        return True
    if not quantity.unit:
        # A bare number may stand for a date's day or a plain count of the facts, not for money.
        return bool(same - {"inr", "sqft", "percent"})
    if same and "" in same and quantity.unit not in ("inr", "percent", "sqft", "unit"):
        return True
    # Amounts, areas, rates and counts of homes must be facts; a caller's guess proves nothing.
    if quantity.unit in ("inr", "percent", "sqft", "unit", "bhk", "month", "year"):
        return False
    return (quantity.value, quantity.unit) in grounds.caller_quantities


def _unknown_words(clause: str, grounds: Grounds) -> list[Problem]:
    problems: list[Problem] = []
    sentence_start = True
    for match in re.finditer(r"[A-Za-z][A-Za-z'’]*|[\u0900-\u097f]+|[.!?:]", clause):
        word = match[0]
        if word in ".!?:":
            sentence_start = True
            continue
        lower, stem = word.lower(), _stem(word)
        starts, sentence_start = sentence_start, False
        if stem in grounds.words or lower in _CAPITALS:
            continue
        if lower in _CALENDAR:
            if stem not in grounds.caller_words:
                problems.append(Problem("date", word))
            continue
        if stem in grounds.places:
            problems.append(Problem("name", word))
            continue
        if _is_number_word(lower):
            continue
        if word[0].isupper() and not (starts and lower in _STARTERS):
            if lower not in _GLUE:
                problems.append(Problem("name", word))
            continue
        if lower in _GLUE or stem in _GLUE_STEMS:
            continue
        if stem in grounds.caller_words and len(lower) <= 3:
            continue
        problems.append(Problem("extra", word))
    return problems


def _is_number_word(word: str) -> bool:
    return bool(find_quantities(word)) or word in ("point", "and")


def _stem(word: str) -> str:
    """Rough English stem: enough that "priced" meets "price" and "homes" meets "home"."""
    lower = word.lower().replace("’", "'").removesuffix("'s").strip("'")
    for suffix in ("ing", "ed", "es", "s", "e"):
        if lower.endswith(suffix) and len(lower) - len(suffix) >= 3:
            return lower[: -len(suffix)]
    return lower


_GLUE_STEMS = frozenset(_stem(word) for word in _GLUE)


def evidence_values(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Values of evidence in a form that JSON takes, for the context snapshot."""
    return [
        {
            "source": item.source,
            "chunk": item.chunk,
            "text": item.text,
            "values": {
                key: value.isoformat() if isinstance(value, datetime | date) else value
                for key, value in item.values.items()
            },
        }
        for item in evidence
    ]
