"""Work begun before it was certain to be needed: kept by key, joined while it runs, counted.

A draft of a turn begins `Run`s; the real turn asks for the same work by the same key and takes over
what it finds. Agreement is by key, so a wrong guess is never heard: nobody asks for its key.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Hashable
from contextlib import aclosing
from typing import Any, Generic, Literal, TypeVar

from agents.pipeline.turn import Turn
from voiceops.core.errors import AtCapacity, VoiceOpsError
from voiceops.core.events import Speculation
from voiceops.core.ports import Priority

_log = logging.getLogger(__name__)

T = TypeVar("T")
Kind = Literal["prefetch", "generation", "first_clause"]
Outcome = Literal["hit", "waste", "aborted"]
Work = Callable[[Priority], AsyncIterator[T]]
"""Begins the work at a priority and yields what it brings."""


class Abandoned(VoiceOpsError):
    """A draft's work was stopped under it."""


class Run(Generic[T]):
    """One piece of work, read from its start by any number of readers while it goes on."""

    def __init__(self, kind: Kind, basis: str, call_ms: Callable[[], float]) -> None:
        self.kind: Kind = kind
        self.basis = basis
        self.started_ms = call_ms()
        self.ended_ms: float | None = None
        self.claimed_ms: float | None = None
        """Call time at which the real turn took it over."""
        self.items: list[T] = []
        self.error: Exception | None = None
        self.aborted = False
        self._call_ms = call_ms
        self._grown = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, scope: asyncio.TaskGroup, source: AsyncIterator[T]) -> None:
        self._task = scope.create_task(self._pump(source))
        self._task.add_done_callback(self._ended)

    @property
    def running(self) -> bool:
        return self.ended_ms is None

    @property
    def refused(self) -> bool:
        """Whether a server had no room for a guess."""
        return isinstance(self.error, AtCapacity) or getattr(self.error, "code", "") == "at_capacity"

    @property
    def elapsed_ms(self) -> float:
        """Compute so far, as seen from outside."""
        return (self.ended_ms if self.ended_ms is not None else self._call_ms()) - self.started_ms

    async def read(self) -> AsyncGenerator[T]:
        """Every item from the first on. Raises what the work raised; ends early when aborted."""
        position = 0
        while True:
            while position < len(self.items):
                yield self.items[position]
                position += 1
            if self.ended_ms is not None:
                if self.error is not None:
                    raise self.error
                return
            await self._grown.wait()

    def abort(self) -> None:
        """Stop the work where it is done: its stream is closed."""
        if self._task is not None and self.running:
            self.aborted = True
            self._task.cancel()

    async def _pump(self, source: AsyncIterator[T]) -> None:
        try:
            async for item in source:
                self.items.append(item)
                self._tell()
        except Exception as error:
            self.error = error
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.aborted |= task.cancelled()
        self.ended_ms = self._call_ms()
        self._tell()

    def _tell(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()

    def told(self) -> Speculation:
        """What became of it, as far as it is known now."""
        claimed = self.claimed_ms
        unused: Outcome = "aborted" if self.aborted or self.running else "waste"
        outcome: Outcome = unused if claimed is None else "hit"
        saved = min(self.ended_ms or claimed, claimed) - self.started_ms if claimed is not None else 0.0
        return Speculation(
            kind=self.kind, basis=self.basis, started_ms=self.started_ms, outcome=outcome,
            compute_ms=self.elapsed_ms, tokens=_tokens(self.items) if self.kind == "generation" else 0,
            saved_ms=max(0.0, saved), reason=str(self.error or "")[:120],
        )  # fmt: skip


class Ahead:
    """One per call: what drafts have begun and nobody has settled yet."""

    def __init__(
        self,
        *,
        scope: asyncio.TaskGroup,
        call_ms: Callable[[], float],
        settled: Callable[[Speculation], None] = lambda told: None,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """`settled` is told of each piece of work once; `refused` when a server was at capacity."""
        self._scope = scope
        self._call_ms = call_ms
        self._settled = settled
        self._refused = refused
        self._runs: dict[tuple[Kind, Hashable], Run[Any]] = {}

    def find(self, kind: Kind, key: Hashable) -> Run[Any] | None:
        return self._runs.get((kind, key))

    def begin(self, kind: Kind, key: Hashable, basis: str, work: Work[T]) -> Run[T]:
        """The work of this key: the one that is there, else begun now.

        One guess of the costly kinds at a time: what was guessed before is aborted.
        """
        found = self._runs.get((kind, key))
        if found is not None and not found.aborted and found.error is None:
            return found
        if kind != "prefetch":
            self._give_up(lambda run: run.kind == kind and run.claimed_ms is None)
        run: Run[T] = Run(kind, basis, self._call_ms)
        self._runs[kind, key] = run
        run.start(self._scope, work("speculative"))
        return run

    async def stream(self, turn: Turn, kind: Kind, key: Hashable, work: Work[T]) -> AsyncGenerator[T]:
        """Items of this work. A draft begins or joins it, and leaves it running when it stops reading;
        the real turn takes it over, or does it itself when nobody has begun it."""
        items = self.begin(kind, key, turn.heard, work).read() if turn.draft else self.take(kind, key, work)
        async with aclosing(items):
            async for item in items:
                yield item

    async def take(self, kind: Kind, key: Hashable, work: Work[T]) -> AsyncGenerator[T]:
        """The real turn's way: work begun ahead is a hit, and stops when its reader does."""
        run: Run[T] | None = self._runs.get((kind, key))
        if run is not None and not run.aborted and not run.refused:
            run.claimed_ms = self._call_ms()
            try:
                async with aclosing(run.read()) as items:
                    async for item in items:
                        yield item
                return
            except Exception:
                if not run.refused or run.items:
                    raise
                run.claimed_ms = None  # a guess was refused; the real thing may be let in
            finally:
                run.abort()
        source = work("final")
        try:
            async for item in source:
                yield item
        finally:
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    async def value(
        self, turn: Turn, kind: Kind, key: Hashable, work: Callable[[Priority], Awaitable[T]]
    ) -> T:
        """The one result of this work, begun ahead or now."""

        async def single(priority: Priority) -> AsyncGenerator[T]:
            yield await work(priority)

        async with aclosing(self.stream(turn, kind, key, single)) as items:
            async for item in items:
                return item
        raise Abandoned("the work was aborted")

    def abandon(self) -> None:
        """The caller goes on: what still runs for nobody is stopped; what is done may yet be used."""
        self._give_up(lambda run: run.claimed_ms is None)

    def unclaim(self) -> None:
        """What a turn took over was not used after all."""
        for run in self._runs.values():
            run.claimed_ms = None

    def settle(self, begun_before_ms: float = float("inf")) -> None:
        """A turn is over: tell what became of what it took over and of everything begun before its
        start, and forget it."""
        for key, run in list(self._runs.items()):
            if run.started_ms > begun_before_ms and run.claimed_ms is None:
                continue
            del self._runs[key]
            self._tell(run)
            run.abort()

    def _give_up(self, which: Callable[[Run[Any]], bool]) -> None:
        for key, run in list(self._runs.items()):
            if run.running and which(run):
                del self._runs[key]
                self._tell(run)
                run.abort()

    def _tell(self, run: Run[Any]) -> None:
        if run.refused:
            self._refused()
        self._settled(run.told())


def _tokens(items: list[Any]) -> int:
    """Tokens that a generation has written so far: as the server counted, else one a delta."""
    counted = [n for item in items if (n := getattr(item, "completion_tokens", None)) is not None]
    return counted[-1] if counted else len(items)
