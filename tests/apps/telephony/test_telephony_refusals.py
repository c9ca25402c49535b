"""What one socket does wrong is refused by name; the call beside it and the process go on."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.apps.telephony.conftest import MediaServer, StartMedia, eventually
from tests.apps.telephony.wire import SILENCE, TONE, Carrier
from voiceops.core.events import WireAudio, WireStopped
from voiceops.core.plan import CallOffer

Caplog = pytest.LogCaptureFixture


def refusals(caplog: Caplog) -> list[str]:
    return [
        record.getMessage().split("code=")[1].split()[0]
        for record in caplog.records
        if record.name == "telephony.socket" and "socket.refused" in record.getMessage()
    ]


@asynccontextmanager
async def healthy_call(media: MediaServer) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A call beside the refused one; yields a check that it is still answered."""
    carrier = Carrier("CAhealthy")
    async with connect(media.url + media.offer("CAhealthy")) as socket:
        await socket.send(carrier.connected())
        await socket.send(carrier.start())

        async def still_answered() -> None:
            for _ in range(3):
                await socket.send(carrier.media(TONE))
                async with asyncio.timeout(5):
                    assert json.loads(await socket.recv())["event"] == "media"

        await still_answered()
        yield still_answered


async def closing(socket: ClientConnection) -> tuple[int, str]:
    """The close code and reason, whatever is received before."""
    async with asyncio.timeout(10):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as closed:
            assert closed.rcvd is not None, "the server never said goodbye"
            return closed.rcvd.code, closed.rcvd.reason


async def started(media: MediaServer, socket: ClientConnection, carrier: Carrier) -> None:
    await socket.send(carrier.connected())
    await socket.send(carrier.start())
    await eventually(lambda: f"session-{carrier.call_sid}" in media.agent.events)


CLOSING: dict[str, tuple[Callable[[Carrier], list[Any]], int]] = {
    "out_of_order": (lambda c: [c.connected(), c.media()], 4400),
    "wrong_media_format": (
        lambda c: [
            c.connected(),
            c.start(mediaFormat={"encoding": "audio/x-mulaw", "sampleRate": 16000, "channels": 1}),
        ],
        4003,
    ),
    "start_twice": (lambda c: [c.connected(), c.start(), c.start()], 4400),
    "malformed_json": (lambda c: ["{nonsense"], 4007),
    "frame_too_large": (lambda c: [c.connected(), c.start(), "x" * 2**20], 1009),
}


@pytest.mark.parametrize("code", CLOSING)
async def test_a_broken_sender_is_cut_off_and_the_next_call_is_answered(
    start_media: StartMedia, caplog: Caplog, code: str
) -> None:
    messages, close_code = CLOSING[code]
    async with start_media() as media, healthy_call(media) as still_answered:
        async with connect(media.url + media.offer("CAbad"), max_size=None) as socket:
            for message in messages(Carrier("CAbad")):
                await socket.send(message)
            assert (await closing(socket))[0] == close_code
        await eventually(lambda: code in refusals(caplog))
        await still_answered()


async def test_single_bad_frames_cost_only_themselves(start_media: StartMedia, caplog: Caplog) -> None:
    async with start_media() as media, healthy_call(media) as still_answered:
        carrier = Carrier("CAsloppy")
        async with connect(media.url + media.offer("CAsloppy")) as socket:
            await started(media, socket, carrier)
            for bad in (
                "{",
                carrier.media(payload="%%%"),
                b"\0\1",
                '{"event":"media"}',
                carrier.dtmf("x"),
            ) * 3:
                await socket.send(bad)
            await socket.send(carrier.media(TONE))
            assert json.loads(await socket.recv())["event"] == "media"
            heard = [e for e in media.agent.events["session-CAsloppy"] if isinstance(e, WireAudio)]
            assert len(heard) == 1
        await still_answered()
    named = [code for code in refusals(caplog) if code != "cut"]
    assert sorted(named) == [
        "bad_base64",
        "binary_message",
        "malformed_json",
        "malformed_message",
        "out_of_order",
        "wrong_stream",
    ]


async def test_a_sender_of_nothing_but_rubbish_is_closed(start_media: StartMedia) -> None:
    async with start_media(refusals=10) as media, healthy_call(media) as still_answered:
        carrier = Carrier("CArubbish")
        async with connect(media.url + media.offer("CArubbish")) as socket:
            await started(media, socket, carrier)
            for _ in range(10):
                await socket.send("{")
            assert await closing(socket) == (4429, "too_many_refusals")
        assert media.agent.events["session-CArubbish"][-1] == WireStopped("too_many_refusals")
        await still_answered()


async def test_a_socket_cut_mid_word_ends_its_call_only(start_media: StartMedia, caplog: Caplog) -> None:
    async with start_media() as media, healthy_call(media) as still_answered:
        carrier = Carrier("CAcut")
        socket = await connect(media.url + media.offer("CAcut"))
        await started(media, socket, carrier)
        await socket.send(carrier.media(TONE))
        socket.transport.abort()
        await eventually(lambda: media.agent.over["session-CAcut"].is_set())
        assert media.agent.events["session-CAcut"][-1] == WireStopped("disconnected")
        await eventually(lambda: "cut" in refusals(caplog))
        await still_answered()


async def test_minutes_of_silence_end_the_call(start_media: StartMedia, caplog: Caplog) -> None:
    async with start_media(silence_s=0.6) as media:
        carrier = Carrier("CAsilent")
        async with (
            connect(media.url + media.offer("CAsilent")) as socket,
            healthy_call(media) as still_answered,
        ):
            await started(media, socket, carrier)
            talker = asyncio.create_task(closing(socket))
            while not talker.done():
                for _ in range(5):
                    await socket.send(carrier.media(SILENCE))
                for _ in range(4):
                    await still_answered()
                await asyncio.sleep(0.02)
            assert talker.result() == (4408, "silent")
    assert refusals(caplog).count("silent") == 1


@pytest.mark.parametrize(("limits", "reason"), [({"idle_s": 0.4}, "idle"), ({"call_s": 0.4}, "too_long")])
async def test_a_socket_that_never_ends_by_itself_is_ended(
    start_media: StartMedia, limits: dict[str, float], reason: str
) -> None:
    async with start_media(**limits) as media:
        carrier = Carrier("CAidle")
        async with connect(media.url + media.offer("CAidle")) as socket:
            await started(media, socket, carrier)
            assert await closing(socket) == (4408, reason)


async def test_a_socket_that_never_starts_is_closed(start_media: StartMedia) -> None:
    async with start_media(start_s=0.3) as media, healthy_call(media) as still_answered:
        async with connect(media.url + "/telephony/twilio/stream/whatever") as socket:
            assert await closing(socket) == (4408, "no_start")
        await still_answered()


async def refused_token(media: MediaServer, path: str, call_sid: str) -> tuple[int, str]:
    carrier = Carrier(call_sid)
    async with connect(media.url + path) as socket:
        await socket.send(carrier.connected())
        await socket.send(carrier.start())
        return await closing(socket)


async def test_a_token_opens_one_socket_only(start_media: StartMedia) -> None:
    async with start_media() as media, healthy_call(media) as still_answered:
        path = media.offer("CAtwice")
        async with connect(media.url + path) as socket:
            await started(media, socket, Carrier("CAtwice"))
            assert await refused_token(media, path, "CAtwice") == (4403, "token_used")
        await still_answered()
        assert len(media.agent.calls) == 2


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/telephony/twilio/stream", "token_missing"),
        ("/telephony/twilio/stream/nonsense", "token_unknown"),
        ("/telephony/twilio/stream/ffffffff-" + "a" * 32, "token_unknown"),
        ("/telephony/twilio/stream/1-" + "a" * 32, "token_expired"),
    ],
)
async def test_no_work_is_done_without_a_good_token(start_media: StartMedia, path: str, reason: str) -> None:
    async with start_media() as media:
        assert await refused_token(media, path, "CAnone") == (4403, reason)
        assert media.agent.calls == []


async def test_a_token_of_another_call_is_refused_and_spent(start_media: StartMedia) -> None:
    async with start_media() as media:
        path = media.offer("CAmine")
        assert await refused_token(media, path, "CAother") == (4403, "token_other_call")
        assert await refused_token(media, path, "CAmine") == (4403, "token_used")
        assert media.agent.calls == []


async def test_a_token_expires(start_media: StartMedia) -> None:
    async with start_media() as media:
        media.tokens.ttl_s = 1
        path = media.offer("CAlate")
        await asyncio.sleep(1.1)
        assert await refused_token(media, path, "CAlate") == (4403, "token_expired")


async def test_a_newer_token_replaces_the_older_one_of_a_call(start_media: StartMedia) -> None:
    async with start_media() as media:
        older, newer = media.offer("CAretry"), media.offer("CAretry")
        assert await refused_token(media, older, "CAretry") == (4403, "token_unknown")
        async with connect(media.url + newer) as socket:
            await started(media, socket, Carrier("CAretry"))


async def test_the_token_may_be_a_stream_parameter(start_media: StartMedia) -> None:
    async with start_media() as media:
        token = media.offer("CAparam").rsplit("/", 1)[1]
        carrier = Carrier("CAparam")
        async with connect(media.url + "/telephony/twilio/stream") as socket:
            await socket.send(carrier.connected())
            await socket.send(carrier.start(customParameters={"token": token}))
            await eventually(lambda: len(media.agent.calls) == 1)


async def test_without_redis_a_call_is_put_off_and_a_running_one_goes_on(start_media: StartMedia) -> None:
    async with start_media() as media, healthy_call(media) as still_answered:
        path = media.offer("CAnoredis")
        media.tokens.url = "redis://127.0.0.1:1/0"
        assert await refused_token(media, path, "CAnoredis") == (4013, "token_store_unavailable")
        await still_answered()


async def test_a_bug_in_one_call_closes_its_socket_only(start_media: StartMedia, caplog: Caplog) -> None:
    async with start_media() as media, healthy_call(media) as still_answered:
        carrier = Carrier("CAbug")
        async with connect(media.url + media.offer("CAbug")) as socket:
            await started(media, socket, carrier)
            await socket.send(carrier.dtmf("0"))
            assert await closing(socket) == (4011, "internal error")
        await still_answered()
    assert any("call.failed session=session-CAbug" in record.getMessage() for record in caplog.records)


async def test_a_full_node_turns_the_next_call_away(start_media: StartMedia) -> None:
    async with start_media(calls=1) as media, healthy_call(media) as still_answered:
        assert await refused_token(media, media.offer("CAfull"), "CAfull") == (4013, "at_capacity")
        await still_answered()


async def test_a_caller_who_does_not_read_is_cut_off(start_media: StartMedia, caplog: Caplog) -> None:
    async def shout(offer: CallOffer, inbound: Any, outbound: Any, listeners: Any) -> None:
        if offer.carrier_ref == "CAslow":
            async for event in inbound:
                if isinstance(event, WireStopped):
                    return
                for _ in range(2000):
                    await outbound.audio(b"\1\2" * 4000)
        else:
            await media.agent(offer, inbound, outbound, listeners)

    async with start_media(answer=shout, send_s=0.5) as media, healthy_call(media) as still_answered:
        carrier = Carrier("CAslow")
        socket = await connect(media.url + media.offer("CAslow"), max_queue=1)
        await socket.send(carrier.connected())
        await socket.send(carrier.start())
        await eventually(lambda: "slow_client" in refusals(caplog))
        await still_answered()
        socket.transport.abort()


async def test_a_call_that_will_not_end_is_cancelled(start_media: StartMedia) -> None:
    cancelled = asyncio.Event()

    async def deaf(offer: CallOffer, inbound: Any, outbound: Any, listeners: Any) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            cancelled.set()

    async with start_media(answer=deaf, grace_s=0.2) as media:
        carrier = Carrier("CAdeaf")
        async with connect(media.url + media.offer("CAdeaf")) as socket:
            await socket.send(carrier.connected())
            await socket.send(carrier.start())
            await socket.send(carrier.stop())
        async with asyncio.timeout(5):
            await cancelled.wait()


async def test_tokens_never_reach_the_log(start_media: StartMedia, caplog: Caplog) -> None:
    caplog.set_level(logging.WARNING)
    async with start_media() as media:
        path = media.offer("CAlog")
        await refused_token(media, path, "CAother")
        token = path.rsplit("/", 1)[1]
    assert refusals(caplog) and not any(token in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("message", ["{", b"\0" * 40_000, '{"type":"start","sample_rate_hz":8000}'])
async def test_a_broken_browser_is_told_why(start_media: StartMedia, message: Any) -> None:
    async with start_media() as media, healthy_call(media) as still_answered:
        async with connect(media.url + "/telephony/browser/") as socket:
            await socket.send(message)
            error = json.loads(await socket.recv())
            assert error["type"] == "error" and error["code"] and error["message"]
            assert (await closing(socket))[0] in (4003, 4007, 4009)
        await still_answered()
