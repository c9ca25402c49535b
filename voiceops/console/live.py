"""What is happening now, as the media processes and the demo write it to Redis."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
import redis.asyncio
from django.conf import settings

log = logging.getLogger(__name__)

LIVE_CALLS_KEY = "voiceops:live_calls"
"""Hash: session_id → JSON {agent, channel, started_at, caller (masked), turn, last}."""
DEMO_CALLS_KEY = "voiceops:demo_calls"
"""JSON {"made": n, "total": m, "running": bool}."""
STORING_KEY = "voiceops:storing:"
"""Prefix of one key a call, there from its answering until its trace must have been stored."""
STORED_WITHIN_S = 120
"""After a call's end; a worker that takes longer is not working."""
TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class DemoProgress:
    """How many of the demo's past calls were made so far."""

    made: int
    total: int


def _entry(raw: bytes | str) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _is_over(entry: Mapping[str, Any]) -> bool:
    """Older than a call can be: its process died and left the entry behind."""
    try:
        started_at = datetime.fromisoformat(str(entry["started_at"]))
        return datetime.now(UTC) - started_at > timedelta(seconds=settings.VOICEOPS["MAX_CALL_S"])
    except (KeyError, ValueError, TypeError):
        return False


def entries(raw: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Live calls of the hash, oldest first, each with its session_id; what is not JSON, and calls
    that must be over, are left out."""
    found = []
    for key, value in raw.items():
        entry = _entry(value)
        if entry is not None and not _is_over(entry):
            found.append({**entry, "session_id": key.decode() if isinstance(key, bytes) else str(key)})
    return sorted(found, key=lambda entry: str(entry.get("started_at", "")))


async def live_calls() -> list[dict[str, Any]]:
    """Raises: redis.RedisError."""
    client = redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )
    async with client:
        return entries(await client.hgetall(LIVE_CALLS_KEY))


def is_being_stored(session_id: str) -> bool:
    """Whether a call of this id goes on, or ended so recently that its trace may be on the way."""
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        ) as client:
            return bool(client.exists(f"{STORING_KEY}{session_id}"))
    except redis.RedisError as error:
        log.warning("storing calls not read error=%s", error)
        return False


def demo_progress() -> DemoProgress | None:
    """None when no demo calls are being made, or Redis does not answer."""
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        ) as client:
            raw = client.get(DEMO_CALLS_KEY)
    except redis.RedisError as error:
        log.warning("demo progress not read error=%s", error)
        return None
    value = _entry(raw) if isinstance(raw, bytes) else None
    if not value or not value.get("running"):
        return None
    return DemoProgress(made=int(value.get("made", 0)), total=int(value.get("total", 0)))
