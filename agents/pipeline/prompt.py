"""What the language model is shown: the fixed persona first, the changing facts last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from agents.pipeline.templates import MissingValue, fill, written_values
from voiceops.core.facts import Evidence
from voiceops.core.plan import AgentProfile

FACT_CHARACTERS = 220
"""About 55 tokens: the embedded model reads 125 tokens a second, so each one is 8 ms of silence."""
_SHOWN = {
    "price_enquiry": ("property_type", "project", "locality", "price"),
    "availability_enquiry": ("property_type", "project", "locality", "units_available"),
    "emi_history": ("emi", "property_type", "project", "quoted_on"),
}
_QUESTIONS = {
    "price_enquiry": "What is the price of the {property_type} at {project}?",
    "availability_enquiry": "How many {property_type} homes are available at {project}?",
    "emi_history": "What EMI was quoted {quoted_on} for the {property_type} at {project}?",
}
_LABELS = {
    "property_type": "home", "project": "project", "locality": "locality", "price": "price",
    "units_available": "units available", "emi": "EMI per month", "quoted_on": "quoted",
    "area_sqft": "area in square feet", "possession": "possession",
}  # fmt: skip


def prefix(profile: AgentProfile) -> list[dict[str, str]]:
    """The messages that never change in an agent's calls: warmed before answering."""
    return [{"role": "system", "content": profile.persona}]


def messages(
    profile: AgentProfile,
    *,
    question: str,
    intent: str,
    evidence: Sequence[Evidence],
    now: datetime,
    background: str = "",
) -> list[dict[str, str]]:
    """Prompt for one factual answer: the fixed persona, compressed memory, the question, the facts.

    A record's question is put in the same words however it was asked, and without memory, so that
    it can be answered ahead. `background` is a few lines of memory, already bounded.
    """
    if len(evidence) == 1 and (whole := _whole_question(intent, evidence[0], now)):
        question, background = whole, ""
    facts = "; ".join(fact_line(item, intent, now) for item in evidence)[:FACT_CHARACTERS]
    memory = f"{background}\n" if background else ""
    return [
        *prefix(profile),
        {"role": "user", "content": f"{memory}Question: {question[:120]}\nFacts: {facts}"},
    ]


def _whole_question(intent: str, item: Evidence, now: datetime) -> str:
    """A question that stands alone: "And the two bedroom?" means nothing to a small model. Empty
    when the record lacks what it takes."""
    template = _QUESTIONS.get(intent)
    if template is None:
        return ""
    try:
        return fill(template, written_values(item.values, "en", now=now))
    except MissingValue:
        return ""


def fact_line(item: Evidence, intent: str, now: datetime) -> str:
    """One record as short labelled values, or a passage as it stands."""
    values: Mapping[str, Any] = written_values(item.values, "en", now=now)
    names = _SHOWN.get(intent)
    if names and any(values.get(name) for name in names):
        return ", ".join(f"{_LABELS[name]}: {values[name]}" for name in names if values.get(name))
    return item.text
