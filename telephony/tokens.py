"""Single-use, expiring tokens that let one carrier stream in, bound to one call.

The webhook (sync) issues, the media socket (async) redeems; Redis stands between.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from dataclasses import asdict
from weakref import WeakKeyDictionary

import orjson
import redis
import redis.asyncio

from voiceops.core.errors import TransportError
from voiceops.core.plan import CallOffer

_PREFIX = "voiceops:stream"
_IO_TIMEOUT_S = 2.0
MAX_TOKEN_CHARS = 128

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, redis.asyncio.Redis]] = WeakKeyDictionary()


def async_redis(url: str) -> redis.asyncio.Redis:
    """The running loop's client for `url`, with bounded reads and connects."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if url not in clients:
        clients[url] = redis.asyncio.Redis.from_url(
            url, socket_timeout=_IO_TIMEOUT_S, socket_connect_timeout=_IO_TIMEOUT_S
        )
    return clients[url]


def _refused(code: str, message: str) -> TransportError:
    return TransportError(message, code=code, permanent=True)


def _key(token: str) -> str:
    return f"{_PREFIX}:token:{hashlib.sha256(token.encode()).hexdigest()}"


class StreamTokens:
    """Tokens in the Redis at `url`, each good for `ttl_s` seconds and one socket."""

    def __init__(self, url: str, *, ttl_s: int) -> None:
        self.url = url
        self.ttl_s = ttl_s

    def issue(self, offer: CallOffer) -> str:
        """A token for `offer`; one issued earlier for the same call stops being valid.

        Blocks on Redis. Raises: redis.RedisError.
        """
        token = f"{int(time.time()) + self.ttl_s:x}-{secrets.token_urlsafe(24)}"
        latest = f"{_PREFIX}:call:{offer.carrier_ref}"
        client = redis.Redis.from_url(
            self.url, socket_timeout=_IO_TIMEOUT_S, socket_connect_timeout=_IO_TIMEOUT_S
        )
        with client:
            earlier = client.set(latest, _key(token), ex=self.ttl_s, get=True)
            with client.pipeline() as pipe:
                if isinstance(earlier, bytes):
                    pipe.delete(earlier.decode())
                pipe.set(_key(token), orjson.dumps(asdict(offer)), ex=self.ttl_s)
                pipe.execute()
        return token

    async def redeem(self, token: str, *, carrier_ref: str | None) -> CallOffer:
        """The offer behind `token`, which is spent by asking.

        Raises: TransportError(permanent) with the code token_missing, token_used, token_expired,
        token_unknown, token_other_call or token_store_unavailable.
        """
        if not token:
            raise _refused("token_missing", "the stream carries no token")
        expires_at_s = self._expiry(token)
        try:
            client = async_redis(self.url)
            stored = await client.getdel(_key(token))
            if stored is None:
                spent = await client.exists(f"{_key(token)}:used")
            else:
                await client.set(f"{_key(token)}:used", b"1", ex=max(self.ttl_s * 10, 600))
        except redis.RedisError as error:
            raise _refused(
                "token_store_unavailable", f"Redis did not answer: {type(error).__name__}"
            ) from error
        if stored is None:
            if spent:
                raise _refused("token_used", "the token was used before")
            if expires_at_s <= time.time():
                raise _refused("token_expired", "the token has expired")
            raise _refused("token_unknown", "the token was not issued here, or a newer one replaced it")
        offer = CallOffer(**orjson.loads(stored))
        if offer.carrier_ref != carrier_ref:
            raise _refused("token_other_call", "the token belongs to another call")
        return offer

    @staticmethod
    def _expiry(token: str) -> float:
        head, _, secret = token.partition("-")
        try:
            expires_at_s = int(head, 16)
        except ValueError:
            expires_at_s = -1
        if not secret or len(token) > MAX_TOKEN_CHARS or not token.isascii() or expires_at_s < 0:
            raise _refused("token_unknown", "the token is not one of ours")
        return expires_at_s
