"""The console without a browser: who may look, what a waterfall says, what a filter means."""

from __future__ import annotations

import json
import wave
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client
from django.utils import timezone

from agents.api import CallDetail, TurnDetail, call
from agents.models import IntentExample
from tests.e2e.console import rows
from voiceops.console import live, peaks, waterfall
from voiceops.console.consumers import LIVE_READ_FAILED, LiveConsumer
from voiceops.console.templatetags.console import age, masked, ms, words
from voiceops.core.budget import TurnBudget

PAGES = ["/", "/call/", "/calls/", "/calls/past-000/", "/calls/past-000/turns/1/", "/calls/trace-me/peaks/"]


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(live.LIVE_CALLS_KEY, live.DEMO_CALLS_KEY)
        yield client
        client.delete(live.LIVE_CALLS_KEY, live.DEMO_CALLS_KEY)


def the_call(session_id: str) -> CallDetail:
    found = call(session_id)
    assert found is not None
    return found


def the_turn(index: int) -> TurnDetail:
    return the_call("trace-me").turns[index - 1]


@pytest.fixture
def signed_in(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_user("operator", password="x"))
    return client


# Who may look --------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_nobody_sees_a_page_without_signing_in(client: Client, address: str) -> None:
    rows.desk()
    rows.history(1)
    answer = client.get(address)
    assert (answer.status_code, answer["Location"]) == (302, f"/login/?next={address}")


@pytest.mark.parametrize("address", PAGES)
def test_pages_carry_the_strict_policy_and_are_not_cached(signed_in: Client, address: str) -> None:
    rows.desk()
    rows.recorded_call()
    rows.history(1)
    answer = signed_in.get(address)
    assert answer.status_code == 200
    assert "script-src 'self';" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"


def test_signing_out_needs_a_post(signed_in: Client) -> None:
    assert signed_in.get("/logout/").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize(("is_demo", "has_user", "shown"), [(1, 1, 1), (1, 0, 0), (0, 1, 0)])
def test_the_demo_login_is_told_only_where_it_works(
    client: Client, settings: Any, is_demo: int, has_user: int, shown: int
) -> None:
    settings.VOICEOPS = {**settings.VOICEOPS, "DEMO": bool(is_demo)}
    if has_user:
        User.objects.create_user("demo", password="demo-voiceops")
    assert ("demo-voiceops" in client.get("/login/").content.decode()) is bool(shown)


def test_the_softphone_suggests_what_the_agent_was_taught(signed_in: Client) -> None:
    agent = rows.desk()
    intent = agent.intents.get(slug="price_enquiry")
    for language, text in (("en", "price of a villa"), ("hi", "विला की कीमत")):
        IntentExample.objects.create(intent=intent, language=language, text=text, embedding=[0.0] * 384)
    body = signed_in.get("/call/").content.decode()
    assert 'data-ask="price of a villa"' in body
    assert "विला" not in body


# Live board ----------------------------------------------------------------------------------


def board(user: Any) -> WebsocketCommunicator:
    socket = WebsocketCommunicator(LiveConsumer.as_asgi(), "/console/live/")
    socket.scope["user"] = user
    return socket


async def test_the_live_board_is_closed_to_strangers() -> None:
    socket = board(AnonymousUser())
    await socket.connect()
    assert await socket.receive_output() == {
        "type": "websocket.close", "code": 4401, "reason": "login required",
    }  # fmt: skip


async def test_the_live_board_tells_the_snapshot_then_events_and_minds_no_noise(store: redis.Redis) -> None:
    for name, minutes in (("a", 1), ("b", 2), ("of a process that died", 900)):
        at = timezone.now() - timedelta(minutes=minutes)
        store.hset(live.LIVE_CALLS_KEY, name, json.dumps({"agent": "Desk", "started_at": at.isoformat()}))
    store.hset(live.LIVE_CALLS_KEY, "c", "not json")
    socket = board(User(username="operator"))
    await socket.connect()
    snapshot = await socket.receive_json_from()
    assert [item["session_id"] for item in snapshot["calls"]] == ["b", "a"]
    await socket.send_to(text_data="this is not JSON")
    layer = get_channel_layer()
    assert layer is not None
    await layer.group_send("live", {"type": "call.event", "session_id": "a", "kind": "intent", "data": {}})
    assert await socket.receive_json_from() == {
        "type": "event", "session_id": "a", "kind": "intent", "data": {},
    }  # fmt: skip
    await socket.disconnect()


async def test_a_silent_redis_leaves_the_live_board_open_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unreachable() -> list[dict[str, Any]]:
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(live, "live_calls", unreachable)
    socket = board(User(username="operator"))
    await socket.connect()
    assert await socket.receive_json_from() == {"type": "snapshot", "calls": [], "detail": LIVE_READ_FAILED}
    await socket.disconnect()


def test_demo_progress_shows_only_while_it_runs(store: redis.Redis) -> None:
    assert live.demo_progress() is None
    store.set(live.DEMO_CALLS_KEY, json.dumps({"made": 3, "total": 30, "running": True}))
    assert live.demo_progress() == live.DemoProgress(made=3, total=30)
    store.set(live.DEMO_CALLS_KEY, json.dumps({"made": 30, "total": 30, "running": False}))
    assert live.demo_progress() is None


# Waterfall -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_waterfall_names_who_overspent_and_stays_on_its_axis() -> None:
    rows.desk()
    rows.recorded_call()
    drawn = waterfall.draw(the_turn(2), TurnBudget())
    assert drawn is not None
    assert drawn.overspent == ("Language model",)
    assert drawn.is_over
    llm = next(bar for bar in drawn.bars if bar.name == "llm")
    assert llm.excess_width > 0 and llm.budget_x == pytest.approx(llm.excess_x)
    assert all(bar.x >= 0 and bar.x + bar.width <= 100.01 for bar in drawn.bars)
    assert all(bar.budget_x is None or bar.budget_x <= 100 for bar in drawn.bars)
    # Playout lasts longer than the axis and does not stretch it.
    assert next(bar for bar in drawn.bars if bar.name == "playout").is_cut
    assert drawn.ticks[0].label == "0 ms" and len(drawn.ticks) <= 9


@pytest.mark.django_db
def test_an_agents_own_budget_decides_who_overspent() -> None:
    rows.desk()
    rows.recorded_call()
    roomy = waterfall.draw(the_turn(2), TurnBudget(total_ms=2000))
    assert roomy is not None and not roomy.is_over


@pytest.mark.django_db
def test_a_turn_without_spans_draws_nothing_and_one_of_only_playout_something() -> None:
    rows.desk()
    greeting = rows.turn(2, 900, "", "Hello.", "", spans=[rows.span("playout", 100, 900)], latency_ms=None)
    rows.store([rows.turn(1, 900, "hi", "", "", spans=[]), greeting], session_id="bare")
    bare = the_call("bare").turns
    assert waterfall.draw(bare[0], TurnBudget()) is None
    only = waterfall.draw(bare[1], TurnBudget())
    assert only is not None and len(only.bars) == 1


# Peaks ---------------------------------------------------------------------------------------


def wav(path: Path, samples: np.ndarray, channels: int, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    return path


def test_peaks_keep_the_sides_apart(tmp_path: Path) -> None:
    lanes = np.zeros((8000, 2), dtype="<i2")
    lanes[:4000, 0] = -32768
    lanes[4000:, 1] = 16384
    found = peaks.read(wav(tmp_path / "a.wav", lanes, 2), buckets=4)
    assert found == peaks.Peaks(1000, [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5])


def test_peaks_of_short_mono_empty_and_broken_files(tmp_path: Path) -> None:
    assert peaks.read(wav(tmp_path / "s.wav", np.ones((3, 2), dtype="<i2"), 2)).caller == [0.0, 0.0, 0.0]
    assert peaks.read(wav(tmp_path / "m.wav", np.ones(80, dtype="<i2"), 1)).agent == []
    assert peaks.read(wav(tmp_path / "e.wav", np.empty(0, dtype="<i2"), 2)) == peaks.Peaks(0, [], [])
    (tmp_path / "b.wav").write_bytes(b"RIFF nonsense")
    for path in (tmp_path / "b.wav", wav(tmp_path / "w.wav", np.ones(8, dtype="u1"), 1, width=1)):
        with pytest.raises(peaks.UnreadableRecording):
            peaks.read(path)


def test_a_call_without_sound_says_why(signed_in: Client) -> None:
    rows.desk()
    rows.history(1)
    answer = signed_in.get("/calls/past-000/peaks/")
    assert (answer.status_code, answer.json()["detail"]) == (404, "This call was not recorded.")


# Lists and words -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("latency=fast", "Minimum latency is a number"), ("after=yesterday", "“From” is a date"),
        ("after=2026-02-01&before=2026-01-01", "no call can match"),
        ("outcome=great", "Outcome “great” is not known"),
        ("q=%00", "Null characters"),
    ],
)  # fmt: skip
def test_a_bad_filter_is_told_and_the_list_still_shows(signed_in: Client, query: str, told: str) -> None:
    rows.desk()
    rows.history(1)
    body = signed_in.get(f"/calls/?{query}")
    assert body.status_code == 200
    assert told in body.content.decode()


@pytest.mark.parametrize("page", ["0", "-3", "x", "99999999999", "7"])
def test_a_page_beyond_the_list_shows_the_nearest(signed_in: Client, page: str) -> None:
    rows.desk()
    rows.history(1)
    assert "1 call" in signed_in.get(f"/calls/?page={page}").content.decode()


def test_what_is_missing_is_a_404(signed_in: Client) -> None:
    rows.desk()
    rows.history(1)
    for address in ("/calls/none/", "/calls/past-000/turns/99/", "/calls/a%00b/", "/calls/none/peaks/", "/x"):
        assert signed_in.get(address).status_code == 404


def test_what_a_caller_says_is_never_markup(signed_in: Client) -> None:
    rows.desk()
    evil = "<script>alert(1)</script>"
    rows.store([rows.turn(1, 900, evil, evil, "price_enquiry")], session_id="evil",
               started={"customer_name": evil})  # fmt: skip
    for address in ("/", "/calls/", "/calls/evil/"):
        assert evil not in signed_in.get(address).content.decode()


def test_numbers_and_names_read_as_people_write_them() -> None:
    assert [ms(None), ms(812.4), ms(1240)] == ["–", "812\u202fms", "1.24\u202fs"]
    assert [masked("+919800000001"), masked(""), masked("100")] == ["+91••••••0001", "", "100"]
    assert [words("emi_history"), words("tts_failover"), words(None)] == ["EMI history", "TTS failover", ""]
    assert [age(45), age(3600), age(90_000), age(200_000)] == [
        "45\u202fs", "1\u202fh", "1\u202fday", "2\u202fdays",
    ]  # fmt: skip
