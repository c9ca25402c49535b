"""One public port: the web process passes call sockets on to the media process, byte for byte.

Headers that authenticate (cookies, origin) travel with them; media checks the session itself.
Subprotocols and close codes pass both ways. Buffers are bounded: a side that takes nothing for
`SEND_S` ends the socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from telephony.limits import GOING_AWAY, INTERNAL, NORMAL, SLOW, TOO_LARGE, TRY_LATER

logger = logging.getLogger("telephony.relay")

MAX_FRAME_BYTES = 256 * 1024
OPEN_S = 5.0
SEND_S = 5.0
_QUEUED_FRAMES = 32
_PASSED_HEADERS = frozenset({b"cookie", b"origin", b"user-agent", b"accept-language", b"x-forwarded-proto"})
_NO_STATUS = 1005


def sendable(code: int | None) -> int:
    """The code to close one side with after the other side was closed with `code`.

    An application may send 1000 and 3000 to 4999; other standard codes become 3000 more.
    """
    if code is None or code == _NO_STATUS:
        return NORMAL
    if NORMAL < code <= 1014:
        return code + 3000
    return code if code == NORMAL or 3000 <= code < 5000 else INTERNAL


class MediaRelay:
    """An ASGI websocket application in front of the media process at `url` (ws:// or wss://).

    `notice` is sent before the close when media cannot be reached, for a server that sends close
    codes without their reasons.
    """

    def __init__(self, url: str, *, notice: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.notice = notice

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        await receive()
        try:
            upstream = await self._connect(scope)
        except InvalidStatus as error:
            if error.response.status_code in (401, 403):
                await send({"type": "websocket.close", "code": 4401})
                return
            await self._unavailable(send, f"HTTP {error.response.status_code}")
            return
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            await self._unavailable(send, str(error) or type(error).__name__)
            return
        await send({"type": "websocket.accept", "subprotocol": upstream.subprotocol})
        try:
            await self._relay(upstream, receive, send)
        finally:
            upstream.transport.abort()

    async def _connect(self, scope: Mapping[str, Any]) -> ClientConnection:
        raw_path = scope.get("raw_path")
        path = raw_path.decode("latin-1").partition("?")[0] if raw_path else quote(scope["path"])
        query = scope.get("query_string", b"").decode("latin-1")
        client = scope.get("client") or ("", 0)
        headers = [
            (k.decode("latin-1"), v.decode("latin-1")) for k, v in scope["headers"] if k in _PASSED_HEADERS
        ]
        headers.append(("X-Forwarded-For", str(client[0])))
        return await connect(
            f"{self.url}{path}{'?' if query else ''}{query}",
            additional_headers=[h for h in headers if h[0] != "user-agent"],
            user_agent_header=dict(headers).get("user-agent"),
            subprotocols=[Subprotocol(name) for name in scope.get("subprotocols") or ()] or None,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            max_queue=_QUEUED_FRAMES,
            open_timeout=OPEN_S,
            close_timeout=SEND_S,
            proxy=None,
        )

    async def _unavailable(self, send: Any, why: str) -> None:
        """Accept, so that the close code and its reason reach the other side."""
        logger.warning("relay.unavailable media=%s: %s", urlsplit(self.url).netloc, why)
        await send({"type": "websocket.accept"})
        if self.notice is not None:
            await send({"type": "websocket.send", "text": self.notice})
        await send(
            {"type": "websocket.close", "code": TRY_LATER, "reason": "the media process is not reachable"}
        )

    async def _relay(self, upstream: ClientConnection, receive: Any, send: Any) -> None:
        inward = asyncio.create_task(self._inward(upstream, receive))
        outward = asyncio.create_task(self._outward(upstream, send))
        both = {inward, outward}
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            closing: tuple[int, str] | None = None
            if outward in done:
                closing = outward.result()
            elif (ended := inward.result()) is not None:
                closing = ended
            if closing is not None:
                await send({"type": "websocket.close", "code": closing[0], "reason": closing[1]})
        finally:
            for task in both:
                task.cancel()
            # Reads what the other side ended with, too: the first one's end is the relay's.
            await asyncio.gather(*both, return_exceptions=True)

    async def _inward(self, upstream: ClientConnection, receive: Any) -> tuple[int, str] | None:
        """From the public side to media. A pair: close the public side with it."""
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                code = message.get("code")
                code = code if code == GOING_AWAY else sendable(code)
                await upstream.close(code, message.get("reason") or "")
                return None
            data = message.get("bytes")
            data = message.get("text") or "" if data is None else data
            if len(data) > MAX_FRAME_BYTES:
                logger.warning("relay.refused code=frame_too_large size=%d", len(data))
                await upstream.close(TOO_LARGE, "frame_too_large")
                return TOO_LARGE, "frame_too_large"
            try:
                async with asyncio.timeout(SEND_S):
                    await upstream.send(data)
            except TimeoutError:
                logger.warning("relay.refused code=media_stalled")
                return TRY_LATER, "the media process takes nothing"
            except ConnectionClosed:
                # The other direction reads the close code.
                await asyncio.Event().wait()

    async def _outward(self, upstream: ClientConnection, send: Any) -> tuple[int, str]:
        """From media to the public side; ends with the media's close."""
        try:
            while True:
                data = await upstream.recv()
                kind = "text" if isinstance(data, str) else "bytes"
                async with asyncio.timeout(SEND_S):
                    await send({"type": "websocket.send", kind: data})
        except ConnectionClosed as error:
            if error.rcvd is None:
                return INTERNAL, "the media process went away"
            return sendable(error.rcvd.code), error.rcvd.reason
        except TimeoutError:
            await upstream.close(SLOW, "slow_client")
            return SLOW, "slow_client"
