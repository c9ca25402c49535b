"""What is said when a stage fails, and the watch that never leaves the caller in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from agents.pipeline.lines import FILLERS
from voiceops.core.budget import TurnBudget
from voiceops.core.clock import Clock
from voiceops.core.errors import AtCapacity, StageError

FILLER_GAP_MS = 1600.0
"""Silence after one filler before the next: below the two seconds a caller may wait."""
IN_HAND_MS = 1850.0
"""Silence that is borne while an answer's first clause is already being synthesised: a filler would
only delay it. Still below the two seconds after which callers think that the line is dead."""


def code_of(error: BaseException) -> str:
    """A stable word for metrics and traces."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, AtCapacity):
        return "at_capacity"
    if isinstance(error, StageError):
        return error.code
    return "error"


class SilenceWatch:
    """Speaks a filler whenever the caller has waited too long in silence."""

    def __init__(
        self,
        *,
        clock: Clock,
        budget: TurnBudget,
        speak: Callable[[str], Awaitable[None]],
        silent_since_ms: Callable[[], float | None],
        in_hand: Callable[[], bool],
        expected_after_ms: Callable[[], float | None] = lambda: None,
    ) -> None:
        """`silent_since_ms` gives the clock time at which the silence began, or None while
        somebody can be heard; `in_hand` says whether an answer is being synthesised;
        `expected_after_ms` after how much silence the answer should be heard; `speak` takes a line
        code."""
        self._clock = clock
        self._budget = budget
        self._expected_after_ms = expected_after_ms
        self._speak = speak
        self._silent_since_ms = silent_since_ms
        self._in_hand = in_hand
        self.spoken = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            since = self._silent_since_ms()
            if since is None:
                await self._clock.sleep_ms(50)
                continue
            patience = self._patience_ms()
            waited = self._clock.now_ms() - since
            if waited < patience:
                await self._clock.sleep_ms(min(patience - waited, 50))
                continue
            code = FILLERS[self.spoken % len(FILLERS)]
            self.spoken += 1
            await self._speak(code)

    def _patience_ms(self) -> float:
        """Silence that is borne now: less where the answer is known to come too late anyway."""
        latest = float(self._budget.silence_filler_ms)
        if self._in_hand():
            return max(latest if not self.spoken else FILLER_GAP_MS, IN_HAND_MS)
        if self.spoken:
            return FILLER_GAP_MS
        expected = self._expected_after_ms()
        return min(latest, float(self._budget.filler_ms)) if (expected or 0.0) > latest else latest


async def settled(task: asyncio.Future[Any]) -> None:
    """Wait for a task of another scope without cancelling it when this one is cancelled."""
    await asyncio.wait([task])
