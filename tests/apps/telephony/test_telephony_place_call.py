"""`manage.py place_test_call` against a served platform: webhook, socket, and what was kept."""

from __future__ import annotations

import asyncio
import json
import threading
import wave
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.core.management import CommandError, call_command

import agents.api
from telephony import carrier
from telephony.models import Call, PhoneNumber
from telephony.routing import websocket_routes
from tests.apps.agents_data import make_agent
from tests.apps.telephony.conftest import serve
from tests.apps.telephony.test_telephony_carrier import Receptionist, tone
from voiceops.core.events import TurnRecord

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = {
    "heard", "said", "citations", "filler", "session_id", "latency_ms", "stt_ms", "retrieval_ms", "llm_ms",
    "tts_ms", "language", "intent", "crm_sync",
}  # fmt: skip


class Kept(Receptionist):
    """Answers, and stores a trace as the worker would."""

    async def __call__(self, offer: Any, inbound: Any, outbound: Any, listeners: Any) -> None:
        record = sync_to_async(agents.api.record)
        now = datetime.now(UTC).isoformat()
        base = {"session_id": offer.session_id}
        await record(
            "call.started",
            {**base, "agent_slug": offer.agent_slug, "channel": offer.channel, "started_at": now},
        )
        await super().__call__(offer, inbound, outbound, listeners)
        for index in range(1, self.answers + 1):
            turn = TurnRecord(
                index=index, latency_ms=812.0, stt_ms=120.0, retrieval_ms=12.0, llm_ms=300.0, tts_ms=40.0,
                language="en", intent="price_enquiry", crm_sync="none", heard=f"question {index}",
                said=f"answer {index}", planned=f"answer {index}", answer_source="template", started_ms=0.0,
                ended_ms=1.0, citations=({"source": "listings", "chunk": "listing:lakeview-3bhk"},),
            )  # fmt: skip
            await record("turn", {**base, "turn": asdict(turn), "at": now})
        await record("call.ended", {**base, "ended_at": now, "outcome": "answered", "ended_reason": "hangup"})


@pytest.fixture
def platform(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """The web process's HTTP and sockets on one port, with a fake pipeline behind them."""
    monkeypatch.setattr(carrier.Patience.__init__, "__defaults__", (3000, 3000, 300, None, 20_000))
    agent = Kept()
    ready: threading.Event = threading.Event()
    state: dict[str, Any] = {}

    async def run() -> None:
        application = ProtocolTypeRouter(
            {"http": get_asgi_application(), "websocket": URLRouter(websocket_routes(answer=agent))}
        )
        async with serve(application) as (address, _):
            state.update(address=address, loop=asyncio.get_running_loop(), stop=asyncio.Event())
            ready.set()
            await state["stop"].wait()

    make_agent("desk")
    settings.VOICEOPS = {**settings.VOICEOPS, "MAX_CALLS": 0}
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(20)
    settings.VOICEOPS = {**settings.VOICEOPS, "WEB_URL": f"http://{state['address']}"}
    yield agent
    state["loop"].call_soon_threadsafe(state["stop"].set)
    thread.join(20)


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., tuple[str, str]]:
    def place(*arguments: str) -> tuple[str, str]:
        out, err = StringIO(), StringIO()
        call_command("place_test_call", *arguments, stdout=out, stderr=err)
        return out.getvalue(), err.getvalue()

    return place


@pytest.fixture
def question(tmp_path: Path) -> str:
    path = tmp_path / "question.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(tone(200, 16000))
    return str(path)


Place = Callable[..., tuple[str, str]]


def test_two_recordings_are_two_turns_with_all_that_was_kept(
    platform: Kept, place: Place, question: str, tmp_path: Path
) -> None:
    saved = tmp_path / "answer.wav"
    out, err = place("--wav", question, "--wav", question, "--json", "--save", str(saved), "--agent", "desk")
    report = json.loads(out)
    assert set(report) == {"session_id", "turns"} and len(report["turns"]) == 2
    for turn in report["turns"]:
        assert set(turn) == KEYS
        assert turn["session_id"] == report["session_id"]
    assert report["turns"][1]["heard"] == "question 2" and report["turns"][1]["language"] == "English"
    assert report["turns"][0]["citations"] == [{"source": "listings", "chunk": "listing:lakeview-3bhk"}]
    assert "TWILIO_AUTH_TOKEN" in err
    with wave.open(str(saved)) as heard:
        assert heard.getframerate() == 8000 and heard.getnframes() > 8000 * 0.8
    assert Call.objects.get().session_id == report["session_id"]


def test_with_twilios_settings_the_signed_webhook_is_asked(
    platform: Kept, place: Place, question: str, settings: Any
) -> None:
    settings.TWILIO_AUTH_TOKEN = "secret"
    settings.VOICEOPS = {**settings.VOICEOPS, "PUBLIC_URL": "https://voice.example.com"}
    PhoneNumber.objects.create(e164="+918000000000", agent_slug="desk")
    out, err = place("--wav", question, "--from", "+919812345678")
    assert err == ""
    call = Call.objects.get()
    assert (call.agent_slug, call.pii_from, call.pii_to) == ("desk", "+919812345678", "+918000000000")
    assert f"session_id  {call.session_id}" in out
    for word in KEYS:
        assert word in out


def test_a_platform_that_refuses_the_call_is_one_clear_error(
    platform: Kept, place: Place, question: str, settings: Any
) -> None:
    settings.TWILIO_AUTH_TOKEN = "secret"
    settings.VOICEOPS = {**settings.VOICEOPS, "PUBLIC_URL": "https://voice.example.com"}
    PhoneNumber.objects.create(e164="+918000000000", agent_slug="")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(CommandError, match="cannot take your call"):
        place("--wav", question)


def test_an_agent_that_hangs_up_first_is_a_failure(platform: Kept, place: Place, question: str) -> None:
    platform.hang_up_after = 1
    with pytest.raises(CommandError, match="hung up after 1 of 2"):
        place("--wav", question, "--wav", question)


def test_a_call_without_a_trace_is_a_failure(
    platform: Kept, place: Place, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents.api, "record", lambda kind, payload: None)
    with pytest.raises(CommandError, match="trace was not stored within 1 s"):
        place("--wav", question, "--timeout", "1")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "nothing to say"),
        (("--wav", "missing.wav"), "cannot be read"),
        (("--wav", __file__), "not a WAV file"),
        (("--text", "hello", "--from", "12"), "not a number like"),
    ],
)
def test_bad_input_is_one_clear_line(place: Place, arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        place(*arguments)


def test_without_a_voice_server_text_is_refused_with_advice(place: Place, settings: Any) -> None:
    settings.VOICEOPS = {
        **settings.VOICEOPS, "PIPER_TARGET": "127.0.0.1:1", "VOICE_TARGET": "127.0.0.1:1"
    }  # fmt: skip
    with pytest.raises(CommandError, match="Or use --wav FILE"):
        place("--text", "hello")


def test_a_platform_that_is_not_running_is_named(place: Place, question: str, settings: Any) -> None:
    settings.VOICEOPS = {**settings.VOICEOPS, "WEB_URL": "http://127.0.0.1:1"}
    with pytest.raises(CommandError, match="cannot be reached"):
        place("--wav", question)
