"""Asking the knowledge: deadlines, the call's own last copy, and the retrieval log."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from agents.pipeline import snapshot
from agents.pipeline.ahead import Ahead
from agents.pipeline.fallback import code_of
from agents.pipeline.forecast import FORECAST, Forecast
from agents.pipeline.intent import normalised
from agents.pipeline.turn import Turn
from voiceops.core.budget import Deadline, TurnBudget
from voiceops.core.clock import Clock
from voiceops.core.events import RetrievalEntry
from voiceops.core.facts import Envelope, Query, Retrieved, Status
from voiceops.core.ports import Priority, Retriever

GRACE_MS = 50.0
"""Beyond the retriever's own deadline, for one that does not keep it."""


@dataclass(slots=True, eq=False)
class Lookup:
    """One per call; keeps what each question last brought, for when a source is silent."""

    retriever: Retriever
    budget: TurnBudget
    clock: Clock
    ahead: Ahead | None = None
    forecast: Forecast = FORECAST
    _copies: dict[tuple[str, str], Envelope] = field(default_factory=dict)

    async def search(self, turn: Turn, query: Query, sources: Sequence[str]) -> Retrieved:
        """What the named sources know. Never raises for a source; `missing` names silent ones.

        Where this call holds a copy of every source's answer, nobody waits longer than the budget.
        """
        started = self.clock.now_ms()
        patience = float(self.budget.retrieval_timeout_ms)
        if self._has_copies(query, sources):
            patience = min(patience, float(self.budget.retrieval_ms))
        predicted = self.forecast.predicted_ms("retrieval", "+".join(sources))
        turn.expects(predicted)
        deadline = Deadline(started + patience, self.clock)
        with (
            turn.waiting("retrieval"),
            turn.span("retrieval", self.budget.retrieval_ms, sources=list(sources)),
        ):
            if predicted is not None and predicted > patience and self._has_copies(query, sources):
                found = _silent(sources, 0.0, f"would have needed {predicted:.0f} ms")
            else:
                found = await self._ask(turn, query, sources, deadline)
        turn.expects(None)
        elapsed = self.clock.now_ms() - started
        turn.retrieval_ms = (turn.retrieval_ms or 0.0) + elapsed
        found = self._with_copies(turn, query, found)
        turn.context.setdefault("searches", []).append(snapshot.search_json(query, sources, found))
        for envelope in found.envelopes:
            self._log(turn, query, envelope)
        return found

    async def _ask(self, turn: Turn, query: Query, sources: Sequence[str], deadline: Deadline) -> Retrieved:
        started = self.clock.now_ms()

        async def search(priority: Priority) -> Retrieved:
            asked = self.clock.now_ms()
            limit = deadline
            if priority == "speculative":
                limit = Deadline.after_ms(self.budget.retrieval_timeout_ms, self.clock)
            try:
                return await self.retriever.search(query, sources=sources, deadline=limit)
            finally:
                self.forecast.observe("retrieval", "+".join(sources), self.clock.now_ms() - asked)

        try:
            async with Deadline(deadline.at_ms + GRACE_MS, self.clock).timeout():
                if self.ahead is None:
                    return await search("final")
                return await self.ahead.value(turn, "prefetch", _key(query, sources), search)
        except Exception as error:
            status: Status = "timed_out" if isinstance(error, TimeoutError) else "error"
            waited = self.clock.now_ms() - started
            return _silent(sources, waited, f"{code_of(error)}: {error}", status)

    def _has_copies(self, query: Query, sources: Sequence[str]) -> bool:
        return all((source, _asked(query)) in self._copies for source in sources)

    def _with_copies(self, turn: Turn, query: Query, found: Retrieved) -> Retrieved:
        """Replace silent sources by this call's last copy of the same question, marked stale."""
        envelopes: list[Envelope] = []
        asked = _asked(query)
        for envelope in found.envelopes:
            key = (envelope.source, asked)
            if envelope.status == "ok" and envelope.evidence:
                self._copies[key] = envelope
            elif envelope.status in ("timed_out", "error", "denied"):
                turn.decide(
                    "degrade", f"knowledge_{envelope.status}",
                    f"{envelope.source} did not answer ({envelope.detail or envelope.status})",
                )  # fmt: skip
                copy = self._copies.get(key)
                if copy is not None:
                    turn.decide(
                        "degrade", "knowledge_cached",
                        f"{envelope.source}: answered from this call's earlier copy",
                    )  # fmt: skip
                    envelope = Envelope(
                        envelope.source, "stale", copy.evidence, envelope.latency_ms, copy.age_s,
                        "copy from earlier in this call",
                    )  # fmt: skip
            elif envelope.status == "stale":
                turn.decide(
                    "degrade", "knowledge_cached",
                    f"{envelope.source}: cached answer, {envelope.age_s:.0f} s old",
                )  # fmt: skip
            envelopes.append(envelope)
        return Retrieved(tuple(envelopes))

    def _log(self, turn: Turn, query: Query, envelope: Envelope) -> None:
        rows = [
            RetrievalEntry(
                query=query.text, source=envelope.source, outcome=envelope.status,
                latency_ms=envelope.latency_ms, chunk=item.chunk, version=item.version,
                score=item.score, age_s=item.age_s, text=item.text,
            )
            for item in envelope.evidence
        ] or [
            RetrievalEntry(
                query=query.text, source=envelope.source, outcome=envelope.status,
                latency_ms=envelope.latency_ms,
            )
        ]  # fmt: skip
        turn.retrievals += rows
        for row in rows:
            turn.emit(
                "retrieval", turn.index, query=row.query, source=row.source, outcome=row.outcome,
                latency_ms=row.latency_ms, chunk=row.chunk, score=row.score, text=row.text,
            )  # fmt: skip


def _silent(sources: Sequence[str], waited_ms: float, detail: str, status: Status = "timed_out") -> Retrieved:
    return Retrieved(
        tuple(Envelope(source, status, latency_ms=waited_ms, detail=detail) for source in sources)
    )


def _asked(query: Query) -> str:
    """What was asked for, wording aside."""
    return f"{query.intent}|{sorted((k, str(v)) for k, v in query.slots.items())}"


def _key(query: Query, sources: Sequence[str]) -> Hashable:
    """Questions with the same key have the same answer."""
    words = normalised(query.text)
    return (tuple(sources), _asked(query), words, query.language, query.customer_id, query.limit)
