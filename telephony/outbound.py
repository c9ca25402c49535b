"""The way to the caller over one websocket: `voiceops.core.ports.Outbound`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from voiceops.core.ports import Codec

Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class SocketOutbound:
    """Encodes with the socket's codec and sends with a time limit.

    Nothing here raises: a socket that is gone, or whose reader is too slow, swallows what is
    sent, and the call hears of it as `WireStopped`.
    """

    def __init__(
        self,
        codec: Codec,
        send: Send,
        *,
        send_s: float,
        on_hangup: Callable[[str], None],
        on_slow: Callable[[], None],
    ) -> None:
        self.sample_rate_hz = codec.sample_rate_hz
        self.closed = False
        """Set when the socket takes nothing more."""
        self._codec = codec
        self._send = send
        self._send_s = send_s
        self._on_hangup = on_hangup
        self._on_slow = on_slow

    async def audio(self, pcm: bytes) -> None:
        if pcm:
            await self.message(self._codec.encode(pcm))

    async def mark(self, name: str) -> None:
        await self.message(self._codec.mark(name))

    async def clear(self) -> None:
        await self.message(self._codec.clear())

    async def hangup(self, reason: str) -> None:
        self._on_hangup(reason)

    async def message(self, message: str | bytes | None) -> None:
        if message is None or self.closed:
            return
        kind = "text" if isinstance(message, str) else "bytes"
        try:
            async with asyncio.timeout(self._send_s):
                await self._send({"type": "websocket.send", kind: message})
        except TimeoutError:
            self.closed = True
            self._on_slow()
        except (OSError, RuntimeError):
            # The server says so when the peer left between two messages.
            self.closed = True

    async def close(self, code: int, reason: str) -> None:
        """Send the close frame, once."""
        if self.closed:
            return
        self.closed = True
        try:
            async with asyncio.timeout(self._send_s):
                await self._send({"type": "websocket.close", "code": code, "reason": reason[:120]})
        except (TimeoutError, OSError, RuntimeError):
            return
