"""One public port: the web process passes call sockets on, byte for byte, closes included."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from channels.routing import URLRouter
from django.urls import re_path
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from telephony.relay import MediaRelay, sendable
from telephony.routing import BROWSER_PATH, MEDIA_UNAVAILABLE, TWILIO_PATH
from tests.apps.telephony.conftest import ANONYMOUS, StartMedia, eventually, serve
from tests.apps.telephony.wire import TONE, Carrier
from voiceops.core.events import WireStopped


def relay_to(url: str) -> Any:
    relay: Any = MediaRelay(url)
    return URLRouter([re_path(TWILIO_PATH, relay), re_path(BROWSER_PATH, relay)])


async def test_a_call_goes_through_the_web_process(start_media: StartMedia) -> None:
    async with start_media() as media, serve(relay_to(media.url)) as (address, _):
        carrier = Carrier("CAr1")
        async with connect(f"ws://{address}{media.offer('CAr1')}") as socket:
            for message in (carrier.connected(), carrier.start(), carrier.media(TONE)):
                await socket.send(message)
            assert json.loads(await socket.recv())["event"] == "media"
            await socket.send(carrier.dtmf("9"))
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "goodbye")


async def test_binary_audio_and_refusals_pass_unchanged(start_media: StartMedia) -> None:
    async with (
        start_media() as media,
        serve(relay_to(media.url)) as (address, _),
        connect(f"ws://{address}/telephony/browser/") as socket,
    ):
        await socket.send('{"type":"start"}')
        for _ in range(2):
            await socket.recv()
        await socket.send(b"\1\2" * 512)
        assert await socket.recv() == b"\1\2" * 512
        await socket.send('{"type":"start"}')
        assert json.loads(await socket.recv())["code"] == "start_twice"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4400, "start_twice")


async def test_a_caller_who_vanishes_ends_the_call_in_media(start_media: StartMedia) -> None:
    async with start_media() as media, serve(relay_to(media.url)) as (address, _):
        carrier = Carrier("CAr2")
        socket = await connect(f"ws://{address}{media.offer('CAr2')}")
        for message in (carrier.connected(), carrier.start()):
            await socket.send(message)
        await eventually(lambda: "session-CAr2" in media.agent.events)
        socket.transport.abort()
        await eventually(lambda: media.agent.over["session-CAr2"].is_set())
        assert media.agent.events["session-CAr2"][-1] == WireStopped("disconnected")


async def test_what_media_does_not_let_in_the_web_process_does_not_either(start_media: StartMedia) -> None:
    async with start_media(user=ANONYMOUS) as media, serve(relay_to(media.url)) as (address, _):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{address}/telephony/browser/")
        assert refused.value.response.status_code == 403


async def test_without_media_the_caller_is_told_to_come_back() -> None:
    down: Any = MediaRelay("ws://127.0.0.1:1", notice=MEDIA_UNAVAILABLE)
    async with serve(down) as (address, _), connect(f"ws://{address}/telephony/browser/") as socket:
        assert json.loads(await socket.recv())["code"] == "media_unavailable"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, "media process" in closed.value.rcvd.reason) == (4013, True)


async def test_media_that_dies_mid_call_closes_the_public_side() -> None:
    async def vanishing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
        await receive()
        raise ConnectionAbortedError

    async with (
        serve(vanishing) as (media, _),
        serve(relay_to(f"ws://{media}")) as (address, _),
        connect(f"ws://{address}/telephony/browser/", subprotocols=[Subprotocol("v1")]) as socket,
    ):
        assert socket.subprotocol == "v1"
        await socket.send("x")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4011


async def test_cookies_origin_and_query_reach_media() -> None:
    seen: dict[str, Any] = {}

    async def record(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope, headers=dict(scope["headers"]))
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.close", "code": 4001, "reason": "seen"})

    async with (
        serve(record) as (media, _),
        serve(relay_to(f"ws://{media}")) as (address, _),
        connect(
            f"ws://{address}/telephony/browser/?a=1&b=%20",
            additional_headers={"Cookie": "sessionid=abc"},
            origin=Origin("http://voice.example.com"),
        ) as socket,
    ):
        await socket.send(b"")
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert seen["query_string"] == b"a=1&b=%20"
    assert seen["headers"][b"cookie"] == b"sessionid=abc"
    assert seen["headers"][b"origin"] == b"http://voice.example.com"


async def test_many_calls_share_the_relay(start_media: StartMedia) -> None:
    async with start_media() as media, serve(relay_to(media.url)) as (address, _):

        async def one(index: int) -> int:
            carrier = Carrier(f"CAmany{index}")
            async with connect(f"ws://{address}{media.offer(carrier.call_sid)}") as socket:
                await socket.send(carrier.connected())
                await socket.send(carrier.start())
                for _ in range(20):
                    await socket.send(carrier.media(TONE))
                return len([await socket.recv() for _ in range(20)])

        assert await asyncio.gather(*(one(index) for index in range(10))) == [20] * 10


@pytest.mark.parametrize(
    ("received", "sent"),
    [(None, 1000), (1005, 1000), (1006, 4006), (1015, 4011), (1000, 1000), (1009, 4009), (4403, 4403)],
)
def test_only_codes_that_may_be_sent_are_sent(received: int | None, sent: int) -> None:
    assert sendable(received) == sent
