"""What is said when a stage fails, and the watch that never leaves the caller in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from agents.pipeline.lines import FILLERS
from voiceops.core.clock import Clock
from voiceops.core.errors import AtCapacity, StageError

FILLER_GAP_MS = 1600.0
IN_HAND_MS = 1850.0
"""Silence that is borne while an answer's first clause is already being synthesised: a filler would
only delay it. Still below the two seconds after which callers think that the line is dead."""
"""Silence after one filler before the next: below the two seconds a caller may wait."""


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
        first_after_ms: float,
        speak: Callable[[str], Awaitable[None]],
        silent_since_ms: Callable[[], float | None],
        in_hand: Callable[[], bool],
    ) -> None:
        """`silent_since_ms` gives the clock time at which the silence began, or None while
        somebody can be heard; `in_hand` says whether an answer is being synthesised; `speak` takes
        a line code."""
        self._clock = clock
        self._first_after_ms = first_after_ms
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
            patience = self._first_after_ms if not self.spoken else FILLER_GAP_MS
            if self._in_hand():
                patience = max(patience, IN_HAND_MS)
            waited = self._clock.now_ms() - since
            if waited < patience:
                await self._clock.sleep_ms(min(patience - waited, 50) if self.spoken else patience - waited)
                continue
            code = FILLERS[self.spoken % len(FILLERS)]
            self.spoken += 1
            await self._speak(code)


async def settled(task: asyncio.Future[Any]) -> None:
    """Wait for a task of another scope without cancelling it when this one is cancelled."""
    await asyncio.wait([task])
