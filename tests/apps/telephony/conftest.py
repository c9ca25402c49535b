"""A real media server on a free port, with an agent that echoes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from channels.routing import URLRouter
from django.conf import settings
from django.urls import re_path
from uvicorn import Config, Server

from telephony.consumers import BrowserConsumer, TwilioConsumer
from telephony.limits import SocketLimits
from telephony.ports import Answer
from telephony.routing import BROWSER_PATH, TWILIO_PATH
from telephony.tokens import StreamTokens
from voiceops.core.events import CallEvent, WireAudio, WireDtmf, WireEvent, WireMark, WireStopped, WireText
from voiceops.core.plan import CallOffer
from voiceops.core.ports import Listener, Outbound
from voiceops.core.streams import DropOldest


@dataclass
class EchoAgent:
    """Answers with the caller's own audio, and remembers every call it ran."""

    calls: list[CallOffer] = field(default_factory=list)
    events: dict[str, list[WireEvent]] = field(default_factory=dict)
    over: dict[str, asyncio.Event] = field(default_factory=dict)

    async def __call__(
        self,
        offer: CallOffer,
        inbound: DropOldest[WireEvent],
        outbound: Outbound,
        listeners: Sequence[Listener],
    ) -> None:
        self.calls.append(offer)
        heard = self.events[offer.session_id] = []
        over = self.over[offer.session_id] = asyncio.Event()
        try:
            for listener in listeners:
                listener(CallEvent("call.answered", 0.0))
            async for event in inbound:
                heard.append(event)
                match event:
                    case WireAudio():
                        await outbound.audio(event.pcm)
                    case WireMark(name=name):
                        await outbound.mark(f"echo {name}")
                    case WireText(text=text):
                        for listener in listeners:
                            listener(CallEvent("transcript.final", 1.0, 1, {"text": text}))
                    case WireDtmf(digit="#"):
                        await outbound.clear()
                    case WireDtmf(digit="0"):
                        raise ValueError("a bug in the call")
                    case WireDtmf(digit="9"):
                        await outbound.hangup("goodbye")
                    case WireStopped():
                        return
        finally:
            over.set()


@dataclass(frozen=True)
class MediaServer:
    url: str
    server: Server
    agent: EchoAgent
    tokens: StreamTokens

    def offer(self, call_sid: str, *, ttl_s: int | None = None) -> str:
        """The path of a fresh token's socket."""
        offer = CallOffer(f"session-{call_sid}", "twilio", "desk", 8000, "+15550001", carrier_ref=call_sid)
        return f"/telephony/twilio/stream/{self.tokens.issue(offer)}"


@asynccontextmanager
async def serve(application: Any, **options: Any) -> AsyncIterator[tuple[str, Server]]:
    """`application` on a free port, as `manage.py media` serves it. Yields (host:port, server)."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = Config(
        application,
        ws="telephony.protocol:MediaProtocol",
        ws_max_size=256 * 1024,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=3,
        **options,
    )
    server = Server(config)
    task = asyncio.create_task(server._serve([listener]))
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", server
    finally:
        server.should_exit = True
        await task


def with_user(application: Any, user: Any) -> Any:
    """What the session middleware does, without a session."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        await application({**scope, "user": user}, receive, send)

    return wrapped


USER = SimpleNamespace(is_authenticated=True, pk=7)
ANONYMOUS = SimpleNamespace(is_authenticated=False, pk=None)

StartMedia = Callable[..., AbstractAsyncContextManager[MediaServer]]


@pytest.fixture
def start_media() -> StartMedia:
    @asynccontextmanager
    async def start(
        *, answer: Answer | None = None, user: Any = USER, log: Any = None, **limits: Any
    ) -> AsyncIterator[MediaServer]:
        agent = EchoAgent()
        tokens = StreamTokens(settings.REDIS_URL, ttl_s=60)
        edge = {"answer": answer or agent, "limits": SocketLimits(**{"grace_s": 1.0, **limits}), "log": log}
        application = URLRouter(
            [
                re_path(TWILIO_PATH, TwilioConsumer.as_asgi(tokens=tokens, **edge)),
                re_path(BROWSER_PATH, with_user(BrowserConsumer.as_asgi(**edge), user)),
            ]
        )
        async with serve(application) as (address, server):
            yield MediaServer(f"ws://{address}", server, agent, tokens)

    return start


async def eventually(condition: Callable[[], bool], limit_s: float = 15) -> None:
    """Wait until `condition` holds, or fail after `limit_s`."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
