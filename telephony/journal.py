"""The edge's own record of calls: rows of `telephony.Call` and the platform's live count.

Written off the call's path: one thread with one connection, in order; a failure is one log line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import redis
from channels.db import DatabaseSyncToAsync
from django.conf import settings
from django.db import DatabaseError

from telephony import presence
from voiceops.core.plan import CallOffer

logger = logging.getLogger("telephony.journal")
_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="call-journal")


async def _write(function: Callable[[], None]) -> None:
    await DatabaseSyncToAsync(function, thread_sensitive=False, executor=_writer)()


class CallJournal:
    """A `telephony.ports.CallLog`, one for each process."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._live: set[str] = set()

    def started(self, offer: CallOffer) -> None:
        from telephony import services

        self._live.add(offer.session_id)
        self._keep(self._note("started", offer.session_id, partial(services.note_started, offer=offer)))
        self._keep(self._stay_counted(offer.session_id))

    def ended(self, offer: CallOffer, *, dropped_frames: int, refusals: Mapping[str, int]) -> None:
        from telephony import services

        self._live.discard(offer.session_id)
        logger.info(
            "socket.ended session=%s transport=%s dropped_frames=%d refusals=%s",
            offer.session_id, offer.channel, dropped_frames, dict(refusals),
        )  # fmt: skip
        self._keep(
            self._note("ended", offer.session_id, partial(services.note_ended, session_id=offer.session_id))
        )

    async def drained(self) -> None:
        """Every note is written, or has failed."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _note(self, what: str, session_id: str, write: Callable[[], None]) -> None:
        try:
            await _write(write)
        except DatabaseError as error:
            logger.warning("journal.failed note=%s session=%s: %s", what, session_id, error)

    async def _stay_counted(self, session_id: str) -> None:
        """Count as live until the end; a process that dies stops refreshing."""
        try:
            while session_id in self._live:
                await presence.seen(settings.REDIS_URL, session_id)
                for _ in range(int(presence.REFRESH_S)):
                    if session_id not in self._live:
                        break
                    await asyncio.sleep(1)
            await presence.left(settings.REDIS_URL, session_id)
        except redis.RedisError as error:
            logger.warning("presence.failed session=%s: %s", session_id, type(error).__name__)
