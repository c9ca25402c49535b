"""Factual answers: choose the records, then say them, or say honestly that there are none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agents.pipeline import selection
from agents.pipeline.entities import Place
from agents.pipeline.grounding import grounds_of
from agents.pipeline.lines import joined, say
from agents.pipeline.lookup import Lookup
from agents.pipeline.phrasing import Phrasing
from agents.pipeline.templates import MissingValue, fill, written_values
from agents.pipeline.turn import Clause, Turn
from agents.pipeline.when import past_day
from voiceops.core.facts import Evidence, Query, Retrieved
from voiceops.core.plan import CallPlan, IntentSpec

if TYPE_CHECKING:
    from agents.pipeline.responder import Understood

SPOKEN_ITEMS = 3
"""More than three options cannot be kept in mind by ear."""
RECORDS = ("listings", "history", "slots")
"""Sources of typed records; the others hold passages."""


class Answers:
    """One per call."""

    def __init__(
        self,
        *,
        plan: CallPlan,
        lookup: Lookup,
        phrasing: Phrasing,
        places: Sequence[Place],
        now: Callable[[], datetime],
    ) -> None:
        self._plan = plan
        self._profile = plan.agent
        self._lookup = lookup
        self._phrasing = phrasing
        self._places = tuple(places)
        self._now = now

    async def answer(self, turn: Turn, spec: IntentSpec, understood: Understood) -> AsyncIterator[Clause]:
        """Clauses of a factual answer to `understood`."""
        language = turn.language
        personal = "history" in spec.sources
        if personal and self._plan.customer is None:
            yield self._line("history_unknown_caller", language)
            return
        slots = dict(understood.found if personal else understood.slots)
        day = past_day(understood.text, self._now()) if personal else None
        if day is not None:
            slots["date"] = day.isoformat()
        if spec.slug == "price_enquiry" and not _names_something(slots):
            yield self._line("ask_property", language)
            return
        found = await self._lookup.search(
            turn,
            Query(
                text=understood.text,
                language=language,
                intent=spec.slug,
                embedding=understood.embedding,
                slots=slots,
                customer_id=self._plan.customer.customer_id if self._plan.customer else None,
                now=self._now(),
            ),
            spec.sources,
        )
        if found.missing and not found.evidence:
            yield self._line("source_down", language)
            return
        if personal:
            asked_day = day.isoformat() if day else ""
            quote = selection.newest_quote(
                selection.matching(found.evidence, slots), asked_day
            ) or selection.newest_quote(found.evidence, asked_day)
            chosen = [quote] if quote else []
            nothing = self._line("no_history", language)
        elif spec.sources[0] == "listings":
            chosen = selection.matching(_records(found), slots)
            nothing = self._no_match(slots, found, spec, language)
        else:
            chosen = self._passages(found, slots, understood.text, language)
            nothing = self._line("no_knowledge", language)
        if not chosen:
            yield nothing
            return
        turn.answered = True
        turn.citations += [_citation(item) for item in chosen[:SPOKEN_ITEMS]]
        if len(chosen) > 1:
            yield Clause(self._several(chosen, spec, language), "template")
        else:
            async for clause in self._one(turn, spec, understood, chosen[0]):
                yield clause
        if found.stale:
            yield self._line("stale", language)
        elif found.missing:
            yield self._line("partly", language)

    async def _one(
        self, turn: Turn, spec: IntentSpec, understood: Understood, item: Evidence
    ) -> AsyncIterator[Clause]:
        rebuilt = self._sentence(spec, item, turn.language, understood.text)
        if not rebuilt:
            rebuilt = say(self._profile, "recovery", turn.language)
        facts = item
        if item.source not in RECORDS:
            # The model sees, and the check allows, only what would be said anyway.
            facts = Evidence(
                item.source, item.chunk, item.version, item.title, rebuilt, {}, item.score, item.age_s,
                item.language,
            )  # fmt: skip
        customer = self._plan.customer
        grounds = grounds_of(
            [facts],
            heard=understood.text,
            intent=spec.slug,
            places=[place.name for place in self._places],
            names=[customer.pii_name] if customer else [],
        )
        async for clause in self._phrasing.sentence(
            turn,
            question=understood.text,
            evidence=[facts],
            grounds=grounds,
            now=self._now(),
            rebuilt=rebuilt,
        ):
            yield clause

    def _sentence(self, spec: IntentSpec, item: Evidence, language: str, question: str) -> str:
        """The template's sentence, else the record's own words."""
        template = spec.templates.get(language)
        if template and item.source in RECORDS:
            try:
                return fill(template, self._written(item, language))
            except MissingValue:
                pass  # the record's own text says what it has
        return selection.best_sentences(item.text, question)

    def _several(self, chosen: Sequence[Evidence], spec: IntentSpec, language: str) -> str:
        items = [self._item(item, spec, language) for item in chosen[:SPOKEN_ITEMS]]
        conjunction = say(self._profile, "and", language)
        return say(self._profile, "several", language, items=joined(items, conjunction))

    def _item(self, item: Evidence, spec: IntentSpec, language: str) -> str:
        template = spec.templates.get(f"{language}.item")
        if template:
            try:
                return fill(template, self._written(item, language))
            except MissingValue:
                pass  # the title says enough in a list
        return item.title

    def _no_match(
        self, slots: Mapping[str, Any], found: Retrieved, spec: IntentSpec, language: str
    ) -> Clause:
        """Say what was looked for in vain, and what is there instead in the same place."""
        place = slots.get("project") or slots.get("locality") or ""
        wanted = " ".join(str(part) for part in (slots.get("property_type"), place) if part)
        if not wanted:
            return self._line("no_knowledge", language)
        nearby = {key: value for key, value in slots.items() if key != "property_type"}
        others = selection.matching(_records(found), nearby)[:SPOKEN_ITEMS]
        if not others:
            return Clause(say(self._profile, "no_match_empty", language, wanted=wanted), "template")
        items = joined(
            [self._item(item, spec, language) for item in others], say(self._profile, "and", language)
        )
        return Clause(say(self._profile, "no_match", language, wanted=wanted, items=items), "template")

    def _passages(
        self, found: Retrieved, slots: Mapping[str, Any], question: str, language: str
    ) -> list[Evidence]:
        passages = selection.relevant([i for i in found.evidence if i.source not in RECORDS], question)
        passages.sort(key=lambda item: item.language != language)
        records = selection.matching(_records(found), slots)
        asked = selection.terms(question)
        best = passages[:1]
        # A record whose words answer better than any passage: "when is possession?"
        overlap = len(asked & selection.terms(best[0].text)) if best else 0
        for record in records[:1]:
            if len(asked & selection.terms(record.text)) > overlap:
                return [record]
        return best

    def _written(self, item: Evidence, language: str) -> dict[str, str]:
        values = {"title": item.title, "text": item.text, **item.values}
        written = written_values(values, language, now=self._now())
        if self._plan.customer is not None:
            written["customer_name"] = self._plan.customer.pii_name
        return written

    def _line(self, code: str, language: str) -> Clause:
        return Clause(say(self._profile, code, language), "fixed", fixed=True)


def _records(found: Retrieved) -> list[Evidence]:
    return [item for item in found.evidence if item.source in RECORDS]


def _names_something(slots: Mapping[str, Any]) -> bool:
    return any(slots.get(name) for name in ("project", "locality", "property_type"))


def _citation(item: Evidence) -> dict[str, Any]:
    return {
        "source": item.source,
        "chunk": item.chunk,
        "version": item.version,
        "title": item.title,
        "text": item.text,
    }
