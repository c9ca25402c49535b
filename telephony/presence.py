"""How many calls are live on the whole platform: one sorted set in Redis, scored by last sign."""

from __future__ import annotations

import time

import redis

from telephony.tokens import async_redis

_KEY = "voiceops:live-calls"
REFRESH_S = 15.0
_STALE_S = 3 * REFRESH_S
"""A call whose process died stops counting after this."""


async def seen(url: str, session_id: str) -> None:
    """Count `session_id` as live from now on. Raises: redis.RedisError."""
    await async_redis(url).zadd(_KEY, {session_id: time.time()})


async def left(url: str, session_id: str) -> None:
    """Raises: redis.RedisError."""
    await async_redis(url).zrem(_KEY, session_id)


def count(url: str) -> int:
    """Live calls of every media process. Blocks on Redis. Raises: redis.RedisError."""
    with redis.Redis.from_url(url, socket_timeout=2.0, socket_connect_timeout=2.0) as client:
        client.zremrangebyscore(_KEY, 0, time.time() - _STALE_S)
        return int(client.zcard(_KEY))
