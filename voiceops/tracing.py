"""The lossy exit from the hot path: what a call leaves behind goes to Celery from here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import orjson
from celery import Celery

from voiceops.console.metrics import count_dropped_traces
from voiceops.core.streams import DropOldest

log = logging.getLogger(__name__)

CAPACITY = 2000
"""About 60 KB a turn at most: 120 MB in the worst case before the oldest is dropped."""


class CeleryTraceSink:
    """Implements `core.ports.TraceSink`: never waits, drops the oldest, counts.

    One background task (`run`) hands payloads to the broker from a thread, so that a slow or
    absent broker never touches a call.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._queue: DropOldest[tuple[str, tuple[Any, ...]]] = DropOldest(CAPACITY)
        self._drained = asyncio.Event()

    @property
    def dropped(self) -> int:
        """Payloads lost since the process started."""
        return self._queue.dropped

    def put(self, kind: str, payload: Mapping[str, Any]) -> None:
        plain = orjson.loads(orjson.dumps(payload, default=str, option=orjson.OPT_NON_STR_KEYS))
        self._put("agents.tasks.record", kind, plain)

    def nudge_delivery(self, fact_id: str) -> None:
        """Ask a worker to deliver this fact now; the beat finds it anyway if this is lost."""
        self._put("crm.tasks.deliver", fact_id)

    def _put(self, task: str, *arguments: Any) -> None:
        lost = self._queue.dropped
        self._queue.put((task, arguments))
        if self._queue.dropped > lost:
            count_dropped_traces(1)

    async def run(self) -> None:
        """Forward until `close`, then drain what is left."""
        async for name, arguments in self._queue:
            try:
                await asyncio.to_thread(self._app.send_task, name, args=arguments, retry=False)
            except Exception as error:
                self._queue.dropped += 1
                count_dropped_traces(1)
                log.warning("trace payload lost task=%s error=%s", name, error)
                await asyncio.sleep(0.2)
        self._drained.set()

    async def close(self, *, within_s: float) -> None:
        """Take nothing more, and wait until what is left was sent or the time is over."""
        self._queue.close()
        try:
            async with asyncio.timeout(within_s):
                await self._drained.wait()
        except TimeoutError:
            log.warning("trace payloads lost at stop count=%d", len(self._queue))
