"""The live board's websocket: a snapshot of live calls, then their low-rate events."""

from __future__ import annotations

import logging
from typing import Any

import redis
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from voiceops.console import live

log = logging.getLogger(__name__)

GROUP = "live"
LOGIN_REQUIRED = 4401
"""Close code of a socket without a session."""
LIVE_READ_FAILED = "Redis did not answer: calls that were live before are missing here"


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Out: {"type": "snapshot", "calls": […], "detail"?}, then {"type": "event", session_id, kind, at_ms,
    turn, data, agent, channel}. In: nothing; what comes is ignored."""

    async def connect(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.accept()
            await self.close(code=LOGIN_REQUIRED, reason="login required")
            return
        await self.accept()
        # Joined first: an event between the snapshot and the group would be lost otherwise.
        await self.channel_layer.group_add(GROUP, self.channel_name)
        try:
            calls = await live.live_calls()
        except redis.RedisError as error:
            log.warning("live calls not read error=%s", error)
            await self.send_json({"type": "snapshot", "calls": [], "detail": LIVE_READ_FAILED})
            return
        await self.send_json({"type": "snapshot", "calls": calls})

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Nothing is expected, so nothing is parsed."""

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def call_event(self, message: dict[str, Any]) -> None:
        await self.send_json({**message, "type": "event"})
