"""From the caller's words to the clauses of an answer: understand, retrieve, say what is true."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.pipeline import entities, snapshot
from agents.pipeline.ahead import Ahead
from agents.pipeline.answers import Answers
from agents.pipeline.fallback import code_of
from agents.pipeline.intent import UNKNOWN, IntentClassifier, IntentMatch, normalised
from agents.pipeline.language_requests import only_asks_for_language
from agents.pipeline.lines import say
from agents.pipeline.lookup import Lookup
from agents.pipeline.memory import Memory
from agents.pipeline.memory.recollection import Recollection
from agents.pipeline.phrasing import Phrasing
from agents.pipeline.promises import Promises
from agents.pipeline.site_visit import SiteVisit, SiteVisitFlow
from agents.pipeline.turn import Clause, Turn
from voiceops.core.budget import Deadline
from voiceops.core.clock import Clock
from voiceops.core.plan import CallPlan, IntentSpec
from voiceops.core.ports import Embedder, Priority

EMBED_TIMEOUT_MS = 400.0
"""A query takes about 2 ms; this is for a busy inference server."""
FRAGMENT_WORDS = 7
"""Up to here "and the two bedroom?" is taken for a follow-up of the last question."""
_FOLLOW_UPS = (
    "and ", "what about", "how about", "aur ", "और ", "or ", "also ", "no ", "make it ", "actually ", "nahi ",
    "नहीं ",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Understood:
    text: str
    match: IntentMatch
    spec: IntentSpec | None
    embedding: Sequence[float] | None
    found: Mapping[str, Any]
    """Slots of this utterance alone."""
    slots: Mapping[str, Any]
    """Slots remembered and found."""


class Responder:
    """One per call."""

    def __init__(
        self,
        *,
        plan: CallPlan,
        embedder: Embedder,
        lookup: Lookup,
        phrasing: Phrasing,
        promises: Promises,
        memory: Memory,
        clock: Clock,
        now: Callable[[], datetime],
        ahead: Ahead | None = None,
    ) -> None:
        self._ahead = ahead
        self._plan = plan
        self._profile = plan.agent
        self._embedder = embedder
        self._memory = memory
        self._clock = clock
        self._now = now
        self._intents = {intent.slug: intent for intent in plan.intents}
        self._versions = {
            "prompt": snapshot.prompt_version(plan.agent),
            "agent": snapshot.agent_version(plan.agent, plan.intents),
        }
        self._places = entities.places_of(plan.extra, plan.hints)
        self._classifier = IntentClassifier(
            plan.intents, names=[name for place in self._places for name in (place.name, *place.aliases)]
        )
        self._recollection = Recollection(plan, memory, self._places, now)
        self._promises = promises
        self._answers = Answers(plan=plan, lookup=lookup, phrasing=phrasing, places=self._places, now=now)
        self._visits = SiteVisitFlow(
            plan=plan, lookup=lookup, promises=promises, memory=memory, places=self._places, now=now,
            hand_over=self.hand_over,
        )  # fmt: skip

    async def respond(self, turn: Turn, text: str) -> AsyncGenerator[Clause]:
        """Clauses of the answer, in order, as soon as each may be said.

        On a draft the same, without effects: raises Uncommitted where only a real turn may go on.
        """
        understood = await self._understand(turn, text)
        turn.context["session"] = {key: str(value) for key, value in understood.slots.items()}
        turn.hearing = self._recollection.hear(turn, text)
        self._note(turn, understood)
        flow = self._memory.flow
        if isinstance(flow, SiteVisit):
            async for clause in self._during_visit(turn, understood, flow):
                yield clause
            return
        async for clause in self._answer(turn, understood):
            yield clause
        if (question := self._recollection.question(turn, turn.hearing)) is not None:
            yield question

    async def _during_visit(
        self, turn: Turn, understood: Understood, flow: SiteVisit
    ) -> AsyncIterator[Clause]:
        spec = understood.spec
        aside = (
            spec is not None
            and spec.kind in ("answer", "handover")
            and understood.match.method != "words"
            and not self._visits.expects(flow, understood.text)
        )
        aside = aside or self._recollection.asked(understood.text)
        leaves = (
            spec is not None and spec.slug == "goodbye" and not self._visits.expects(flow, understood.text)
        )
        if leaves:
            turn.commit.append(lambda: setattr(self._memory, "flow", None))
        if not aside and not leaves:
            turn.intent = "site_visit_booking"
            async for clause in self._visits.go_on(turn, understood.text, flow):
                yield clause
            return
        async for clause in self._answer(turn, understood):
            yield clause
        if aside and spec is not None and spec.kind == "answer":
            # The question in between is answered; then back to where the booking stood.
            async for clause in self._visits.back(turn, flow):
                yield clause

    async def _answer(self, turn: Turn, understood: Understood) -> AsyncIterator[Clause]:
        spec, language = understood.spec, turn.language
        self._keep(turn, understood.found)
        remembered = self._recollection.reply(turn, turn.hearing, understood.match, spec)
        if remembered is not None:
            for clause in remembered:
                yield clause
        elif only_asks_for_language(understood.text, self._profile.languages):
            turn.intent = "language_request"
            yield Clause(say(self._profile, "language_switched", language), "fixed", fixed=True)
        elif spec is None:
            turn.intent = UNKNOWN
            yield Clause(say(self._profile, "unclear", language), "fixed", fixed=True)
        elif spec.kind == "flow":
            async for clause in self._visits.start(turn, understood.text, understood.slots):
                yield clause
        elif spec.kind == "handover":
            yield await self.hand_over(turn, "the caller asked for a person", spec.line or "handover")
        elif spec.kind == "social" or not spec.sources:
            if spec.slug == "goodbye":
                turn.ends_call = "goodbye"
            yield Clause(say(self._profile, spec.line or "unclear", language), "fixed", fixed=True)
        else:
            async for clause in self._answers.answer(turn, spec, understood):
                yield clause

    async def hand_over(self, turn: Turn, reason: str, line: str = "handover") -> Clause:
        """Ask for a colleague, durably; the sentence that may truthfully be said about it."""
        customer = self._plan.customer
        outcome = await self._promises.append(
            turn,
            "handover_requested",
            {
                "reason": reason,
                "pii_phone": (customer.pii_phone if customer else self._plan.pii_caller) or "",
                "customer_id": customer.customer_id if customer else None,
            },
        )
        if outcome.state == "kept":
            turn.decide("escalation", "handover", reason)
            return Clause(say(self._profile, line, turn.language), "fixed", fixed=True)
        turn.decide("degrade", f"handover_{outcome.state}", outcome.message or outcome.code)
        return Clause(say(self._profile, "handover_failed", turn.language), "fixed", fixed=True)

    async def _understand(self, turn: Turn, text: str) -> Understood:
        with turn.span("intent") as attributes:
            masked = self._classifier.masked(text)
            with turn.waiting("retrieval"):
                vectors = await self._embed(turn, [text, masked] if masked != text else [text])
            turn.context["embeddings"] = snapshot.vectors_of(vectors)
            embedding = vectors[0] if vectors else None
            match = self._classifier.classify(text, vectors[-1] if vectors else None)
            match = self._recollection.checked(match, text)
            found = entities.find_entities(text, self._places)
            match = self._follow_up(text, match, found)
            attributes |= {"slug": match.slug, "score": round(match.score, 3), "method": match.method}
        preview = Memory(slots=dict(self._memory.slots))
        preview.remember(found, turn.index)
        turn.intent = match.slug
        turn.emit(
            "intent", turn.index, slug=match.slug, score=match.score, runner_up=match.runner_up,
            runner_up_score=match.runner_up_score, example=match.example, method=match.method,
            language=turn.language,
        )  # fmt: skip
        return Understood(text, match, self._intents.get(match.slug), embedding, found, preview.values())

    async def _embed(self, turn: Turn, texts: Sequence[str]) -> Sequence[Sequence[float]] | None:
        deadline = Deadline.after_ms(EMBED_TIMEOUT_MS, self._clock)

        async def embed(priority: Priority) -> Sequence[Sequence[float]]:
            limit = Deadline.after_ms(EMBED_TIMEOUT_MS, self._clock)
            return await self._embedder.embed(texts, kind="query", deadline=limit, priority=priority)

        try:
            async with deadline.timeout():
                if self._ahead is None:
                    return await embed("final")
                return await self._ahead.value(turn, "prefetch", ("embedding", *texts), embed)
        except Exception as error:
            turn.decide("degrade", f"embedder_{code_of(error)}", f"intent by words alone: {error}")
            return None

    def _follow_up(self, text: str, match: IntentMatch, found: Mapping[str, Any]) -> IntentMatch:
        """A fragment that only names a place or a size continues the last question."""
        last = self._intents.get(self._memory.last_intent)
        if last is None or last.kind != "answer" or match.slug == last.slug or not found:
            return match
        plain = normalised(text)
        short = len(plain.split()) <= FRAGMENT_WORDS
        follows = plain.startswith(_FOLLOW_UPS) or len(plain.split()) <= 4
        if short and follows and (match.method != "exact"):
            return IntentMatch(last.slug, match.score, match.slug, match.score, match.example, "follow_up")
        return match

    def _note(self, turn: Turn, understood: Understood) -> None:
        """What a replay of this turn begins with."""
        turn.context["memory"] = self._recollection.snapshot()
        turn.context["input"] = {
            "text": understood.text,
            "language": turn.language,
            "now": self._now().isoformat(),
            "flow": snapshot.plain(self._memory.flow),
            "match": snapshot.match_json(understood.match),
            "customer": snapshot.customer_json(self._plan),
        }
        turn.context["versions"] = dict(self._versions)

    def _keep(self, turn: Turn, found: Mapping[str, Any]) -> None:
        if found:
            turn.commit.append(lambda: self._memory.remember(found, turn.index))
