"""Sentences with placeholders, as operators write them on an intent.

A template is plain text with `{placeholders}`; each is filled from the retrieved record, already
formatted for the language. Keys of an intent's templates: a language tag (`en`, `hi`) for the
sentence about one record; `en.item` (optional) for one line of a short list of several records.

Placeholders:

  {project} {project_name}   Lakeview Residency
  {locality} {city}          Whitefield, Bangalore
  {property_type}            3BHK
  {price}                    ₹1.2 crore
  {area_sqft}                1,650
  {units_available}          4
  {possession}               December 2027
  {emi}                      ₹86,400 (the customer's quote)
  {tenure_months} {tenure_years}   240, 20
  {annual_rate_percent}      8.5
  {quoted_on}                Saturday, 21 November (or "yesterday", "today")
  {slot_day} {slot_time}     Saturday, 28 November; 5 PM
  {visit_project}            the project of a visit
  {title} {text}             of a passage or record
  {customer_name}            the caller's name, when known

A template whose value is missing in the record is not used: the record's own text is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agents.pipeline.number_words import indian_grouping
from agents.pipeline.spoken import rupees, written_day, written_time

_NAMES = """
project project_name locality city property_type price area_sqft units_available possession emi
tenure_months tenure_years annual_rate_percent quoted_on slot_day slot_time visit_project title
text customer_name
"""
PLACEHOLDERS: frozenset[str] = frozenset(_NAMES.split())
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def validate_template(text: str) -> list[str]:
    """What is wrong with a template, in words for the operator; empty when it is fine."""
    problems: list[str] = []
    if not text.strip():
        return ["The template is empty: write the sentence to say."]
    rest = _PLACEHOLDER.sub("", text)
    if "{" in rest or "}" in rest:
        problems.append("A { or } has no partner: write placeholders as {price}.")
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            problems.append(
                f"Unknown placeholder {{{name}}}: use one of "
                + ", ".join(f"{{{known}}}" for known in sorted(PLACEHOLDERS))
                + "."
            )
    return problems


class MissingValue(LookupError):
    """The record has no value for a placeholder."""


def fill(template: str, values: Mapping[str, str]) -> str:
    """The sentence. Raises MissingValue naming the placeholder that has no value."""

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        if not found:
            raise MissingValue(match[1])
        return found

    return _PLACEHOLDER.sub(value, template)


def written_values(values: Mapping[str, Any], language: str, *, now: datetime) -> dict[str, str]:
    """A record's typed values as written text, keyed by placeholder."""
    written: dict[str, str] = {}
    for name in ("locality", "city", "property_type", "possession", "title", "text"):
        if values.get(name):
            written[name] = str(values[name])
    if values.get("project"):
        written["project"] = written["project_name"] = written["visit_project"] = str(values["project"])
    for key, name in (("price_inr", "price"), ("emi_inr", "emi")):
        if values.get(key) is not None:
            written[name] = rupees(int(values[key]), language)
    for name in ("area_sqft", "units_available", "tenure_months"):
        if values.get(name) is not None:
            written[name] = indian_grouping(int(values[name]))
    if values.get("tenure_months") and int(values["tenure_months"]) % 12 == 0:
        written["tenure_years"] = str(int(values["tenure_months"]) // 12)
    if values.get("annual_rate_percent") is not None:
        written["annual_rate_percent"] = f"{float(values['annual_rate_percent']):g}"
    quoted_at = values.get("quoted_at")
    if isinstance(quoted_at, datetime):
        written["quoted_on"] = day_seen_from(quoted_at.astimezone(now.tzinfo), now, language)
    starts_at = values.get("starts_at")
    if isinstance(starts_at, datetime):
        local = starts_at.astimezone(now.tzinfo)
        written["slot_day"] = written_day(local.date(), language)
        written["slot_time"] = written_time(local, language)
    return written


def day_seen_from(at: datetime, now: datetime, language: str) -> str:
    """ "today", "yesterday", else "on Saturday, 21 November"; in Hindi "आज", "कल"…"""
    days = (now.date() - at.date()).days
    if language == "hi":
        return {0: "आज", 1: "कल"}.get(days, f"{written_day(at.date(), 'hi')} को")
    return {0: "today", 1: "yesterday"}.get(days, f"on {written_day(at.date(), 'en')}")
