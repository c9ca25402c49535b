"""A caller on the real media server is heard and answered, and hangs up cleanly."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.apps.telephony.conftest import ANONYMOUS, StartMedia, eventually
from tests.apps.telephony.wire import TONE, Carrier
from voiceops.core.events import WireAudio, WireStarted, WireStopped


async def test_a_carrier_call_is_heard_answered_and_ended(start_media: StartMedia) -> None:
    async with start_media() as media:
        carrier = Carrier("CA1")
        async with connect(media.url + media.offer("CA1")) as socket:
            await socket.send(carrier.connected())
            await socket.send(carrier.start())
            await socket.send(carrier.media(TONE))
            answer = json.loads(await socket.recv())
            assert answer["event"] == "media" and answer["streamSid"]
            await socket.send(carrier.mark("m1"))
            assert json.loads(await socket.recv())["mark"] == {"name": "echo m1"}
            await socket.send(carrier.dtmf("#"))
            assert json.loads(await socket.recv())["event"] == "clear"
            await socket.send(carrier.stop())
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
    offer = media.agent.calls[0]
    assert (offer.agent_slug, offer.carrier_ref, offer.pii_caller) == ("desk", "CA1", "+15550001")
    kinds = [type(event) for event in media.agent.events[offer.session_id]]
    assert kinds[0] is WireStarted and kinds[-1] is WireStopped and WireAudio in kinds


async def test_a_browser_call_speaks_pcm_and_shows_events(start_media: StartMedia) -> None:
    async with start_media() as media, connect(media.url + "/telephony/browser/") as socket:
        await socket.send(json.dumps({"type": "start", "agent": "desk"}))
        ready = json.loads(await socket.recv())
        assert ready["type"] == "ready"
        assert json.loads(await socket.recv())["kind"] == "call.answered"
        await socket.send(b"\x01\x02" * 320)
        assert await socket.recv() == b"\x01\x02" * 320
        await socket.send(json.dumps({"type": "text", "text": "How much is it?"}))
        assert json.loads(await socket.recv())["data"] == {"text": "How much is it?"}
        await socket.send(json.dumps({"type": "hangup"}))
        ended = json.loads(await socket.recv())
        assert ended == {"type": "ended", "reason": "call ended", "session_id": ready["session_id"]}
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert media.agent.calls[0].user_id == 7


async def test_a_browser_without_a_login_is_not_let_in(start_media: StartMedia) -> None:
    async with start_media(user=ANONYMOUS) as media:
        with pytest.raises(InvalidStatus) as refused:
            await connect(media.url + "/telephony/browser/")
        assert refused.value.response.status_code == 403
        assert media.agent.calls == []


async def test_a_hang_up_by_the_agent_closes_the_socket(start_media: StartMedia) -> None:
    async with start_media() as media:
        carrier = Carrier("CA2")
        async with connect(media.url + media.offer("CA2")) as socket:
            for message in (carrier.connected(), carrier.start(), carrier.dtmf("9")):
                await socket.send(message)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1000, "goodbye")
        await eventually(lambda: media.agent.over["session-CA2"].is_set())


async def test_a_node_that_stops_ends_its_calls_and_says_so(start_media: StartMedia) -> None:
    async with start_media() as media:
        carrier = Carrier("CA3")
        async with connect(media.url + media.offer("CA3")) as socket:
            for message in (carrier.connected(), carrier.start(), carrier.media()):
                await socket.send(message)
            await socket.recv()
            media.server.should_exit = True
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None and closed.value.rcvd.code == 4012
        assert media.agent.events["session-CA3"][-1] == WireStopped("shutdown")
