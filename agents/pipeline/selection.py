"""Which of the retrieved records and passages answer the question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from voiceops.core.facts import Evidence

RELEVANT_SCORE = 0.82
"""Passages below this must share a word with the question. The sources refuse what is not near
enough themselves; this is for ones that do not."""
_WORD = re.compile(r"[a-z]{3,}|[\u0900-\u097f]{2,}")
NEARLY_EQUAL = 0.01
"""Between passages of one document whose ranks differ by less, the earlier one answers: a policy
says the rule first and its particulars after."""
_COMMON_TEXT = """
the and for are you your our with what how much many when where which who does can could would will have has
there this that any from about please tell know want need get give all not more some them they their than
did was were is it me my of on to project flat flats home homes
"""
_COMMON = frozenset(_COMMON_TEXT.split())
_SENTENCE = re.compile(r"(?<=[.!?।])\s+")


def terms(text: str) -> set[str]:
    """Content words, cut to a rough stem."""
    return {word[:6].rstrip("s") for word in _WORD.findall(text.lower()) if word not in _COMMON}


def _same(left: Any, right: Any) -> bool:
    return str(left or "").strip().casefold() == str(right or "").strip().casefold()


def fits(item: Evidence, wanted: Mapping[str, Any]) -> bool:
    """Whether a record agrees with every slot that both know."""
    values = item.values
    if wanted.get("property_type") and not _same(values.get("property_type"), wanted["property_type"]):
        return False
    if wanted.get("project_slug") and values.get("project_slug"):
        return _same(values["project_slug"], wanted["project_slug"])
    if wanted.get("project"):
        return _same(values.get("project"), wanted["project"])
    if wanted.get("locality"):
        return _same(values.get("locality"), wanted["locality"])
    return True


def matching(records: Sequence[Evidence], wanted: Mapping[str, Any]) -> list[Evidence]:
    """Records that fit, without doubles."""
    seen: set[str] = set()
    kept = []
    for item in records:
        if item.chunk not in seen and fits(item, wanted):
            seen.add(item.chunk)
            kept.append(item)
    return kept


def relevant(passages: Sequence[Evidence], question: str) -> list[Evidence]:
    """Passages about the question, best first."""
    asked = terms(question)

    def rank(item: Evidence) -> float:
        return item.score + 0.03 * len(asked & terms(f"{item.title} {item.text}"))

    kept = [
        item
        for item in passages
        if item.score >= RELEVANT_SCORE or asked & terms(f"{item.title} {item.text}")
    ]
    # The sort is stable: among equals the sources' own order stands.
    ranked = sorted(kept, key=rank, reverse=True)
    if not ranked:
        return ranked
    best = ranked[0]
    alike = [
        item
        for item in ranked
        if item.values.get("document") == best.values.get("document")
        and rank(best) - rank(item) < NEARLY_EQUAL
    ]
    first = min(alike, key=lambda item: item.values.get("ordinal", 0))
    return [first, *(item for item in ranked if item is not first)]


def best_sentences(text: str, question: str, limit: int = 2) -> str:
    """The one or two sentences of a passage that speak most of the question, in their order."""
    sentences = [part.strip() for part in _SENTENCE.split(text.strip()) if part.strip()]
    if len(sentences) <= 1:
        return text.strip()
    asked = terms(question)
    scores = [len(asked & terms(sentence)) for sentence in sentences]
    best = max(range(len(sentences)), key=lambda index: (scores[index], -index))
    chosen = [best]
    if limit > 1 and best + 1 < len(sentences) and len(sentences[best]) < 80:
        following = best + 1
        if scores[following] or len(sentences[following]) < 90:
            chosen.append(following)
    return " ".join(sentences[index] for index in chosen)


def newest_quote(records: Sequence[Evidence], day: str = "") -> Evidence | None:
    """The customer's latest quote with an EMI; of `day` (ISO) when there is one of that day."""
    quotes = [item for item in records if item.values.get("emi_inr") is not None]
    if day:
        of_day = [q for q in quotes if str(q.values.get("quoted_at") or "").startswith(day)]
        quotes = of_day or quotes
    return max(quotes, key=lambda item: str(item.values.get("quoted_at") or ""), default=None)
