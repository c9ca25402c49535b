"""Asks several sources at once and says of each what came of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from knowledge.retrieval.last_good import LastGood
from voiceops.core.budget import Deadline
from voiceops.core.clock import Clock, MonotonicClock
from voiceops.core.errors import SourceError
from voiceops.core.facts import Envelope, Query, Retrieved, Status
from voiceops.core.ports import KnowledgeSource

log = logging.getLogger(__name__)

LEAVE_S = 0.25
"""How long a cancelled search waits for its sources to give their connections back."""


class Orchestrator:
    """A `Retriever` over named sources. One a process; safe for many calls at once."""

    def __init__(
        self,
        sources: Mapping[str, KnowledgeSource],
        *,
        clock: Clock | None = None,
        last_good: LastGood | None = None,
    ) -> None:
        self._sources = dict(sources)
        self._clock = clock or MonotonicClock()
        self._last_good = last_good or LastGood(self._clock)
        self._leaving: set[asyncio.Task[Envelope]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._sources)

    async def search(self, query: Query, *, sources: Sequence[str], deadline: Deadline) -> Retrieved:
        """One envelope a source, in the order asked, when the last answered or time is up.

        A source that failed or is late is answered from its last good answer (`stale`, with
        its age) if there is one. Raises nothing but CancelledError.
        """
        asked = tuple(dict.fromkeys(sources))
        started_ms = self._clock.now_ms()
        tasks = {name: asyncio.create_task(self._ask(name, query, deadline)) for name in asked}
        if not tasks:
            return Retrieved(())
        try:
            await asyncio.wait(tasks.values(), timeout=deadline.remaining_ms() / 1000)
        except asyncio.CancelledError:
            leaving = self._dismiss(tasks.values())
            if leaving:
                await asyncio.wait(leaving, timeout=LEAVE_S)
            raise
        self._dismiss(tasks.values())
        elapsed_ms = self._clock.now_ms() - started_ms
        envelopes = []
        for name, task in tasks.items():
            if task.done() and not task.cancelled():
                envelope = task.result()
            else:
                envelope = Envelope(name, "timed_out", latency_ms=elapsed_ms, detail="no answer in time")
            envelopes.append(self._remembered(query, envelope))
        return Retrieved(tuple(envelopes))

    async def aclose(self) -> None:
        """Wait for sources that were cancelled and are still on their way out."""
        if self._leaving:
            await asyncio.wait(set(self._leaving))

    def _dismiss(self, tasks: Iterable[asyncio.Task[Envelope]]) -> set[asyncio.Task[Envelope]]:
        leaving = {task for task in tasks if not task.done()}
        for task in leaving:
            task.cancel()
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        return leaving

    def _remembered(self, query: Query, envelope: Envelope) -> Envelope:
        if envelope.status == "ok":
            self._last_good.keep(query, envelope)
        elif envelope.status in ("timed_out", "error"):
            return self._last_good.instead_of(query, envelope) or envelope
        else:
            self._last_good.forget(query, envelope.source)
        return envelope

    async def _ask(self, name: str, query: Query, deadline: Deadline) -> Envelope:
        started_ms = self._clock.now_ms()
        try:
            source = self._sources.get(name)
            if source is None:
                envelope = Envelope(name, "error", detail=f"no knowledge source is named {name!r}")
            else:
                envelope = await source.search(query, deadline=deadline)
        except SourceError as error:
            status: Status = (
                "denied" if error.permanent else "timed_out" if error.code == "timeout" else "error"
            )
            envelope = Envelope(name, status, detail=str(error))
        except TimeoutError:
            envelope = Envelope(name, "timed_out", detail="no answer in time")
        except Exception as error:
            log.warning("knowledge source failed", exc_info=True, extra={"source": name})
            envelope = Envelope(name, "error", detail=f"{type(error).__name__}: {error}"[:200])
        return replace(envelope, latency_ms=self._clock.now_ms() - started_ms)
