"""Deadlines that travel down every stage, and the budget a turn is measured against."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self, TypeVar

from voiceops.core.clock import Clock, MonotonicClock

T = TypeVar("T")
_CLOCK = MonotonicClock()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time on one clock. Apply it at the port call, reads included."""

    at_ms: float
    clock: Clock = field(default=_CLOCK, repr=False, compare=False)

    @classmethod
    def after_ms(cls, duration_ms: float, clock: Clock = _CLOCK) -> Self:
        return cls(at_ms=clock.now_ms() + duration_ms, clock=clock)

    def remaining_ms(self) -> float:
        """Milliseconds left, never below zero."""
        return max(0.0, self.at_ms - self.clock.now_ms())

    @property
    def expired(self) -> bool:
        return self.remaining_ms() <= 0

    def earlier(self, duration_ms: float) -> Deadline:
        """The sooner of this deadline and `duration_ms` from now."""
        return Deadline(min(self.at_ms, self.clock.now_ms() + duration_ms), self.clock)

    def timeout(self) -> asyncio.Timeout:
        """`async with deadline.timeout(): …` raises TimeoutError when it passes."""
        return asyncio.timeout(self.remaining_ms() / 1000)


async def read_until(stream: AsyncIterator[T], deadline: Deadline) -> AsyncIterator[T]:
    """Items of `stream`, each read bound by `deadline`; a stalled stream raises TimeoutError."""
    while True:
        async with deadline.timeout():
            try:
                item = await anext(stream)
            except StopAsyncIteration:
                return
        yield item


@dataclass(frozen=True, slots=True)
class TurnBudget:
    """What each stage of a turn may take, in milliseconds (the article's table)."""

    endpoint_ms: int = 350
    """Silence in which the end of the turn is made out, before any of the others."""
    stt_ms: int = 150
    retrieval_ms: int = 80
    llm_ms: int = 400
    tts_ms: int = 200
    total_ms: int = 900

    filler_ms: int = 1200
    """A filler is spoken after so much silence when the answer is predicted to come too late…"""
    silence_filler_ms: int = 1650
    """…and at this point in any case when no answer audio has left; never 2 s without a word."""
    llm_timeout_ms: int = 900
    """After this without a usable clause the recovery line is spoken."""
    retrieval_timeout_ms: int = 800
    tts_timeout_ms: int = 1500
    stt_timeout_ms: int = 4000
    fact_timeout_ms: int = 2000
