"""Time as a port, so that a pipeline test can run an hour in a millisecond."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> float:
        """Monotonic milliseconds; only differences mean anything."""

    async def sleep_ms(self, duration_ms: float) -> None: ...


class MonotonicClock:
    """The clock of a live process."""

    def now_ms(self) -> float:
        return time.monotonic() * 1000

    async def sleep_ms(self, duration_ms: float) -> None:
        await asyncio.sleep(max(0.0, duration_ms) / 1000)


class LoopClock:
    """The running event loop's own time: follows a virtual-time loop in tests."""

    def now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    async def sleep_ms(self, duration_ms: float) -> None:
        await asyncio.sleep(max(0.0, duration_ms) / 1000)
