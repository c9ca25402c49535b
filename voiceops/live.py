"""The live board's feed: low-rate call events to the channel layer, never audio or tokens."""

from __future__ import annotations

import logging
from typing import Any

import orjson
import redis.asyncio as redis
from channels.layers import get_channel_layer
from django.conf import settings

from voiceops.console.live import LIVE_CALLS_KEY, STORED_WITHIN_S, STORING_KEY
from voiceops.core.events import CallEvent
from voiceops.core.plan import CallPlan
from voiceops.core.streams import DropOldest

log = logging.getLogger(__name__)


LOW_RATE = frozenset(
    {
        "call.answered", "call.ended", "transcript.partial", "transcript.final", "turn.started",
        "turn.closed", "intent", "agent.speaking", "barge_in", "backchannel", "resumed", "tool", "degrade",
        "escalation", "error",
    }
)  # fmt: skip


def masked(number: str | None) -> str:
    """A phone number for a wall display: country code and last two digits."""
    return f"{number[:3]}…{number[-2:]}" if number and len(number) > 6 else ""


class LiveBoard:
    """Publishes events of every call of this process; one task, bounded, lossy."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.from_url(redis_url)
        self._queue: DropOldest[tuple[CallPlan, str, CallEvent]] = DropOldest(512)

    def listener(self, plan: CallPlan, started_at: str) -> Any:
        """A `Listener` for one call."""

        def hear(event: CallEvent) -> None:
            if event.kind in LOW_RATE:
                self._queue.put((plan, started_at, event))

        return hear

    async def run(self) -> None:
        async for plan, started_at, event in self._queue:
            try:
                await self._publish(plan, started_at, event)
            except Exception as error:
                log.warning("live board update lost error=%s", error)

    def close(self) -> None:
        self._queue.close()

    async def _publish(self, plan: CallPlan, started_at: str, event: CallEvent) -> None:
        message = {
            "type": "call.event",
            "session_id": plan.session_id,
            "kind": event.kind,
            "at_ms": event.at_ms,
            "turn": event.turn,
            "data": orjson.loads(orjson.dumps(dict(event.data), default=str)),
            "agent": plan.agent.name,
            "channel": plan.channel,
        }
        if event.kind in ("call.answered", "call.ended"):
            goes_on_s = settings.VOICEOPS["MAX_CALL_S"] if event.kind == "call.answered" else 0
            await self._redis.set(f"{STORING_KEY}{plan.session_id}", 1, ex=goes_on_s + STORED_WITHIN_S)
        layer = get_channel_layer()
        if layer is not None:
            await layer.group_send("live", message)
        if event.kind == "call.ended":
            await self._redis.hdel(LIVE_CALLS_KEY, plan.session_id)
        elif event.kind in {"call.answered", "turn.started", "transcript.final", "agent.speaking"}:
            entry = {
                "agent": plan.agent.name,
                "channel": plan.channel,
                "started_at": started_at,
                "caller": masked(plan.pii_caller),
                "turn": event.turn,
                "last": event.data.get("text", ""),
                "is_demo": bool(plan.extra.get("is_demo")),
            }
            await self._redis.hset(LIVE_CALLS_KEY, plan.session_id, orjson.dumps(entry).decode())
