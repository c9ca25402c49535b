"""Booking a site visit: project, day and time, a free slot, consent, who, and then the promise."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from agents.pipeline import entities
from agents.pipeline.lines import joined, say
from agents.pipeline.lookup import Lookup
from agents.pipeline.memory import Memory
from agents.pipeline.offers import OFFERS, Offer, fitting, nearest, offer_of
from agents.pipeline.promises import Outcome, Promises
from agents.pipeline.spoken import written_day, written_time
from agents.pipeline.turn import Clause, Turn
from agents.pipeline.when import PART_HOURS, When, find_when
from voiceops.core.facts import Query
from voiceops.core.plan import CallPlan

NO_TIME = When()
Step = Literal["project", "when", "choose", "confirm", "name", "phone"]


@dataclass(frozen=True, slots=True)
class SiteVisit:
    """Where one booking stands. Replaced, never changed: a turn nobody heard leaves no mark."""

    step: Step = "project"
    project: str = ""
    project_slug: str = ""
    when: When = NO_TIME
    offered: tuple[Offer, ...] = ()
    chosen: Offer | None = None
    consented: bool = False
    name: str = ""
    phone: str = ""
    fact_id: str = ""
    """Of the chosen slot's promise: the same one however often it is tried."""


HandOver = Callable[[Turn, str, str], Awaitable[Clause]]


class SiteVisitFlow:
    """One per call; its state lives in `Memory.flow`."""

    def __init__(
        self,
        *,
        plan: CallPlan,
        lookup: Lookup,
        promises: Promises,
        memory: Memory,
        places: Sequence[entities.Place],
        now: Callable[[], datetime],
        hand_over: HandOver,
    ) -> None:
        self._plan = plan
        self._profile = plan.agent
        self._lookup = lookup
        self._promises = promises
        self._memory = memory
        self._places = tuple(places)
        self._now = now
        self._hand_over = hand_over

    async def start(self, turn: Turn, text: str, slots: Mapping[str, Any]) -> AsyncIterator[Clause]:
        """Begin, with whatever the call already knows."""
        turn.intent = "site_visit_booking"
        visit = self._with_project(SiteVisit(), slots)
        customer = self._plan.customer
        if customer is not None:
            visit = replace(visit, name=customer.pii_name, phone=customer.pii_phone)
        visit = replace(visit, when=find_when(text, self._now()))
        async for clause in self._next(turn, visit):
            yield clause

    async def go_on(self, turn: Turn, text: str, visit: SiteVisit) -> AsyncIterator[Clause]:
        """Take the caller's reply and say what comes next."""
        if self._promises.started(visit.fact_id):
            # The answer to "is it booked?" was interrupted; it comes before anything else.
            async for clause in self._book(turn, visit):
                yield clause
            return
        if entities.wants_to_cancel(text):
            self._set(turn, None)
            turn.answered = True
            yield self._clause("visit_cancelled", turn)
            return
        before = visit
        visit = self._with_project(visit, entities.find_entities(text, self._places))
        visit = self._with_when(visit, text)
        consent = entities.find_yes_no(text)
        if (
            visit.project_slug != before.project_slug
            or visit.project != before.project
            or visit.when != before.when
        ):
            visit = self._pick_offered(visit, before)
        elif before.step == "choose":
            visit = self._choose(visit, text, consent)
            if visit.chosen is None and consent is False:
                visit = replace(visit, when=When(), offered=(), step="when")
                self._set(turn, visit)
                yield self._clause("visit_ask_day", turn, project=visit.project)
                return
            if visit.chosen is None:
                yield self._clause("visit_which", turn, options=self._options(visit.offered, turn))
                return
        elif before.step == "confirm" and before.chosen is not None:
            if consent is False:
                visit = replace(visit, chosen=None, fact_id="", when=When(), offered=())
                self._set(turn, replace(visit, step="when"))
                yield self._clause("visit_ask_day", turn, project=visit.project)
                return
            if consent:
                visit = replace(visit, consented=True)
        elif before.step == "name":
            visit = replace(visit, name=entities.find_name(text) or "")
        if before.step in ("name", "phone") and not visit.phone:
            phone = entities.find_phone(text)
            if phone:
                visit = replace(visit, phone=phone)
            elif before.step == "phone":
                yield self._clause("visit_bad_phone", turn)
                return
        async for clause in self._next(turn, visit):
            yield clause

    async def back(self, turn: Turn, visit: SiteVisit) -> AsyncIterator[Clause]:
        """After a question in between: take up the booking again."""
        if visit.project:
            yield self._clause("visit_back", turn, project=visit.project)
        async for clause in self._next(turn, visit, keep_source=True):
            yield clause

    def expects(self, visit: SiteVisit, text: str) -> bool:
        """Whether `text` is an answer to what the flow just asked, whatever else it looks like."""
        if entities.wants_to_cancel(text):
            return True
        if "?" in text and visit.step not in ("when", "choose"):
            return False
        if visit.step == "project":
            return bool(entities.find_places(text, self._places)) and len(text.split()) <= 6
        if visit.step in ("when", "choose", "confirm"):
            return (
                bool(find_when(text, self._now()))
                or entities.find_yes_no(text) is not None
                or entities.find_choice(text, max(1, len(visit.offered))) is not None
            )
        if visit.step == "phone":
            return len(entities.dictated_digits(text)) >= 4
        return len(text.split()) <= 6

    # Steps ----------------------------------------------------------------------------

    async def _next(
        self, turn: Turn, visit: SiteVisit, *, keep_source: bool = False
    ) -> AsyncIterator[Clause]:
        """Say or do the first thing that is still missing."""
        if not visit.project:
            self._set(turn, replace(visit, step="project"))
            yield self._clause("visit_ask_project", turn)
        elif visit.chosen is None and not visit.when:
            self._set(turn, replace(visit, step="when"))
            yield self._clause("visit_ask_day", turn, project=visit.project)
        elif visit.chosen is None:
            async for clause in self._offer(turn, visit):
                yield clause
        elif not visit.consented:
            self._set(turn, replace(visit, step="confirm"))
            yield self._clause("visit_confirm", turn, **self._spoken(visit.chosen, turn.language))
        elif not visit.name:
            self._set(turn, replace(visit, step="name"))
            yield self._clause("visit_ask_name", turn)
        elif not visit.phone:
            self._set(turn, replace(visit, step="phone"))
            yield self._clause("visit_ask_phone", turn)
        else:
            async for clause in self._book(turn, visit):
                yield clause

    async def _offer(self, turn: Turn, visit: SiteVisit) -> AsyncIterator[Clause]:
        when = visit.when
        if when.day and when.day < self._now().date():
            self._set(turn, replace(visit, when=When(), step="when"))
            yield self._clause("visit_past", turn)
            return
        free, reached = await self._free(turn, visit, when)
        if not reached:
            self._set(turn, visit)
            yield self._clause("source_down", turn)
            return
        suitable = fitting(free, when)
        exact = [offer for offer in suitable if when.at and offer.starts_at.time() == when.at]
        if when.day and len(exact) == 1:
            visit = replace(visit, chosen=exact[0], offered=tuple(exact), fact_id=str(uuid.uuid4()))
            async for clause in self._next(turn, visit):
                yield clause
            return
        asked_in_vain = bool(when.at and not exact) or not suitable
        offers = tuple((suitable or free)[:OFFERS])
        if not offers:
            free, _ = await self._free(turn, visit, When())
            offers = tuple(free[:OFFERS])
        if not offers:
            self._set(turn, None)
            yield self._clause("visit_no_slots", turn, project=visit.project)
            return
        self._set(turn, replace(visit, offered=offers, chosen=None, step="choose"))
        options = self._options(offers, turn)
        wanted = self._wanted(when, turn.language)
        if asked_in_vain and wanted:
            yield self._clause(
                "visit_no_slot_then", turn, project=visit.project, wanted=wanted, options=options
            )
        else:
            code = "visit_offer" if len(offers) > 1 else "visit_offer_one"
            yield self._clause(code, turn, project=visit.project, options=options)

    async def _book(self, turn: Turn, visit: SiteVisit) -> AsyncIterator[Clause]:
        assert visit.chosen is not None
        turn.must_be_real()
        customer = self._plan.customer
        # The promise outlives this turn, so its state must too, heard or not.
        self._memory.flow = replace(visit, step="confirm")
        outcome = await self._promises.append(
            turn,
            "site_visit_booked",
            {
                "slot_id": visit.chosen.slot_id,
                "pii_name": visit.name,
                "pii_phone": visit.phone,
                "customer_id": customer.customer_id if customer else None,
            },
            fact_id=visit.fact_id,
        )
        async for clause in self._tell(turn, visit, outcome):
            yield clause

    async def _tell(self, turn: Turn, visit: SiteVisit, outcome: Outcome) -> AsyncIterator[Clause]:
        assert visit.chosen is not None
        if outcome.state == "kept":
            self._set(turn, None)
            yield self._clause("visit_booked", turn, **self._spoken(visit.chosen, turn.language))
        elif outcome.state == "rejected":
            turn.decide("refusal", outcome.code, outcome.message)
            taken = visit.chosen.slot_id
            visit = replace(visit, chosen=None, offered=(), consented=False, fact_id="")
            free, _ = await self._free(turn, visit, When())
            offers = tuple(offer for offer in nearest(free, visit.when) if offer.slot_id != taken)[:OFFERS]
            if not offers:
                self._set(turn, None)
                yield self._clause("visit_taken_none", turn, project=visit.project)
                return
            self._set(turn, replace(visit, offered=offers, step="choose"))
            yield self._clause("visit_taken", turn, options=self._options(offers, turn))
        else:
            self._memory.flow = None
            turn.decide("degrade", f"fact_{outcome.state}", outcome.message or outcome.code)
            code = "visit_unconfirmed" if outcome.state == "unconfirmed" else "visit_store_down"
            handed = await self._hand_over(turn, "a visit could not be saved", code)
            if handed.text == say(self._profile, code, turn.language):
                yield Clause(handed.text, "flow")
            else:
                yield self._clause(f"{code}_alone", turn)

    # Words and slots --------------------------------------------------------------------

    async def _free(self, turn: Turn, visit: SiteVisit, when: When) -> tuple[list[Offer], bool]:
        """Free slots, soonest first, and whether the source answered."""
        now = self._now()
        slots: dict[str, Any] = {"project": visit.project}
        if visit.project_slug:
            slots["project_slug"] = visit.project_slug
        if when.day:
            slots["date"] = when.day.isoformat()
        if when.at:
            slots["time"] = when.at.strftime("%H:%M")
        elif when.part:
            first, last = PART_HOURS[when.part]
            slots |= {"time_from": f"{first:02d}:00", "time_to": f"{last - 1:02d}:59"}
        query = Query(
            text=f"free visit slots {visit.project}", language=turn.language, intent="site_visit_booking",
            slots=slots, now=now, limit=12,
        )  # fmt: skip
        found = await self._lookup.search(turn, query, ["slots"])
        offers = [offer for item in found.evidence if (offer := offer_of(item, now)) is not None]
        offers.sort(key=lambda offer: offer.starts_at)
        return offers, not found.missing

    def _with_project(self, visit: SiteVisit, slots: Mapping[str, Any]) -> SiteVisit:
        project, slug = str(slots.get("project", "")), str(slots.get("project_slug", ""))
        if not project and slots.get("locality"):
            locality = str(slots["locality"]).casefold()
            there = [p for p in self._places if p.kind == "project" and p.locality.casefold() == locality]
            if len(there) == 1:
                project, slug = there[0].name, there[0].slug
        return replace(visit, project=project, project_slug=slug) if project else visit

    def _with_when(self, visit: SiteVisit, text: str) -> SiteVisit:
        heard = find_when(text, self._now())
        if not heard or visit.step in ("name", "phone"):
            return visit
        if heard.day is None:
            day = visit.when.day or (visit.chosen.starts_at.date() if visit.chosen else None)
            heard = replace(heard, day=day)
        return replace(visit, when=heard)

    def _pick_offered(self, visit: SiteVisit, before: SiteVisit) -> SiteVisit:
        """A new day or time: one of the offers if it names just one, else look again."""
        if visit.project == before.project:
            named = [
                offer
                for offer in before.offered
                if (visit.when.day is None or offer.starts_at.date() == visit.when.day)
                and (visit.when.at is None or offer.starts_at.time() == visit.when.at)
            ]
            if len(named) == 1 and visit.when.at is not None:
                return replace(visit, chosen=named[0], fact_id=str(uuid.uuid4()))
        return replace(visit, chosen=None, offered=(), consented=False, fact_id="")

    def _choose(self, visit: SiteVisit, text: str, consent: bool | None) -> SiteVisit:
        choice = entities.find_choice(text, len(visit.offered))
        if choice is None and consent and len(visit.offered) == 1:
            # One offer with its day and time was put as a question: "yes" is the consent.
            return replace(visit, chosen=visit.offered[0], consented=True, fact_id=str(uuid.uuid4()))
        if choice is None:
            return visit
        return replace(visit, chosen=visit.offered[choice], fact_id=str(uuid.uuid4()))

    def _spoken(self, offer: Offer, language: str) -> dict[str, str]:
        return {
            "project": offer.project,
            "slot_day": written_day(offer.starts_at.date(), language),
            "slot_time": written_time(offer.starts_at, language),
        }

    def _options(self, offers: Sequence[Offer], turn: Turn) -> str:
        """ "Saturday, 28 November at 11 AM or 5 PM": the day once where it repeats."""
        language = turn.language
        parts: list[str] = []
        day = None
        for offer in offers:
            at = written_time(offer.starts_at, language)
            if offer.starts_at.date() == day:
                parts.append(at)
            else:
                day = offer.starts_at.date()
                parts.append(say(self._profile, "at", language, day=written_day(day, language), time=at))
        return joined(parts, say(self._profile, "or", language))

    def _wanted(self, when: When, language: str) -> str:
        day = written_day(when.day, language) if when.day else ""
        at = written_time(when.at, language) if when.at else ""
        if language == "hi":
            return " ".join(part for part in (f"{day} को" if day else "", at) if part)
        return " ".join(part for part in (f"on {day}" if day else "", f"at {at}" if at else "") if part)

    def _clause(self, code: str, turn: Turn, **values: str) -> Clause:
        return Clause(say(self._profile, code, turn.language, **values), "flow", fixed=not values)

    def _set(self, turn: Turn, visit: SiteVisit | None) -> None:
        """Take effect when the caller can hear what was said about it."""
        turn.commit.append(lambda: setattr(self._memory, "flow", visit))
