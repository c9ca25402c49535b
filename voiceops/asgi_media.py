"""ASGI application of the media process: call sockets and `/healthz`."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import django
import orjson

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceops.settings.dev")
django.setup()

from voiceops import routing  # noqa: E402  (needs the app registry)

logger = logging.getLogger("voiceops.media")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_STOP_S = 1.5


class MediaApplication:
    """The sockets open at once; `/healthz` answers 503 until every engine is warm."""

    def __init__(self) -> None:
        self._warming: asyncio.Task[None] | None = None
        self._failure = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "websocket":
                await routing.media_application(scope, receive, send)
            case "http":
                await self._http(scope, send)
            case "lifespan":
                await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        from voiceops import wiring

        await receive()
        self._warming = asyncio.create_task(self._warm(), name="warm-up")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._warming.cancel()
        await asyncio.wait({self._warming})
        try:
            async with asyncio.timeout(_STOP_S):
                await routing.journal.drained()
                await wiring.stop()
        except TimeoutError:
            logger.warning("media.stop_timed_out after_s=%s", _STOP_S)
        await send({"type": "lifespan.shutdown.complete"})

    async def _warm(self) -> None:
        from voiceops import wiring

        try:
            await wiring.start()
        except Exception as error:
            self._failure = str(error) or type(error).__name__
            logger.exception("media.start_failed")

    async def _http(self, scope: Scope, send: Send) -> None:
        if scope["path"] != "/healthz":
            await _answer(send, 404, {"detail": "the media process serves call sockets and /healthz"})
            return
        from voiceops import wiring

        components = dict(wiring.readiness())
        if self._failure:
            components["start"] = self._failure
        ready = bool(components) and all(state == "ready" for state in components.values())
        body = {"status": "ok" if ready else "starting", "components": components}
        await _answer(send, 200 if ready else 503, body)


async def _answer(send: Send, status: int, body: object) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(body)})


application = MediaApplication()
