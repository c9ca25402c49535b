"""The websocket protocol of the media server: uvicorn's, with calls that end on a shutdown."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_UNSENT_MS = 20_000
"""Bytes that a peer does not take for this long end its connection, also after our close."""


class MediaProtocol(WebSocketsSansIOProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        raw = transport.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNSENT_MS)

    def shutdown(self) -> None:
        """Tell the consumer, which ends its call and closes by itself."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        message: Any = {"type": "media.shutdown"}
        self.queue.put_nowait(message)
