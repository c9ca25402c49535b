"""A turn in the wrong language is found by somebody: the alarm, its audio, and the decision."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from agents import tasks
from agents.models import Alarm, Conversation
from agents.services import record
from tests.apps.agents_data import ended, make_agent, started, turn
from voiceops.console.metrics import ALARM_VERDICTS, LANGUAGE_DOUBTS, LANGUAGE_SWITCHES, CallMetrics
from voiceops.core.events import CallEvent

pytestmark = pytest.mark.django_db
WHY = "It sounds like Hindi (0.96), but the recogniser was told English and wrote English words."
READING = {
    "signs": [{"source": "acoustic", "language": "hi", "strength": 0.96, "detail": "2.1 s, told English"}],
    "before": "en", "after": "en", "doubt": 0.0, "mixed": False, "suspicion": WHY,
}  # fmt: skip
STT = {
    "name": "stt", "start_ms": 3000.0, "duration_ms": 90.0, "budget_ms": 150.0,
    "attributes": {"speech_started_ms": 1000.0, "speech_ended_ms": 3000.0},
}  # fmt: skip


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_login(User.objects.create_user("asha", password="correct-horse-7"))
    return client


def doubted(session_id: str = "odd", index: int = 2, **fields: Any) -> dict[str, Any]:
    return turn(session_id, index, language_reading=READING, spans=[STT], **fields)


@pytest.fixture
def alarm(tmp_path: Path, settings: Any) -> Alarm:
    """An alarm about the words from 1.0 to 3.0 s of a five-second recording whose left samples
    count milliseconds."""
    make_agent(languages=["en", "hi"])
    settings.VOICEOPS = {**settings.VOICEOPS, "RECORDINGS_DIR": tmp_path}
    with wave.open(str(tmp_path / "odd.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<hh", i // 8, 0) for i in range(8 * 5000)))
    record("call.started", started("odd"))
    record("turn", doubted())
    record("call.ended", ended("odd", recording="odd.wav", recording_ms=5000))
    return Alarm.objects.get()


def test_a_suspicion_becomes_one_alarm_however_often_it_is_told() -> None:
    make_agent()
    tasks.record("turn", doubted())
    alarm = Alarm.objects.get()
    assert (alarm.state, alarm.reason, alarm.language) == ("open", WHY, "en")
    assert (alarm.start_ms, alarm.end_ms) == (1000.0, 3000.0)
    Alarm.objects.update(state="resolved", verdict="hi")
    tasks.record("turn", doubted(heard="told again"))
    assert Alarm.objects.get().verdict == "hi", "a late trace must not undo a decision"


@pytest.mark.parametrize("reading", [None, {}, {**READING, "suspicion": ""}])
def test_a_turn_without_a_suspicion_raises_none(reading: Any) -> None:
    record("turn", turn("calm", 1, language_reading=reading))
    assert not Alarm.objects.exists()


def test_the_list_says_what_to_listen_to(alarm: Alarm, client: APIClient) -> None:
    body = client.get("/api/v1/alarms/").json()
    assert body["count"] == 1
    row = body["results"][0]
    assert row["session_id"] == "odd" and row["turn"] == 2 and row["language"] == "English"
    assert row["reason"] == WHY and row["signs"][0]["strength"] == 0.96 and row["state"] == "open"
    assert row["audio_url"].endswith(f"/api/v1/alarms/{alarm.pk}/audio/")
    assert client.get("/api/v1/alarms/?state=resolved").json()["count"] == 0
    assert client.get("/api/v1/alarms/?state=waiting&session_id=odd").json()["count"] == 1
    assert client.get("/api/v1/alarms/?session_id=other").json()["count"] == 0
    assert client.get("/api/v1/alarms/?state=loud").status_code == 400


def test_the_audio_is_exactly_the_doubted_words(alarm: Alarm, client: APIClient) -> None:
    answer = client.get(f"/api/v1/alarms/{alarm.pk}/audio/")
    assert answer.status_code == 200 and answer["Content-Type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as clip:
        assert (clip.getnchannels(), clip.getframerate()) == (2, 8000)
        frames = clip.readframes(clip.getnframes())
    lefts = [left for left, _ in struct.iter_unpack("<hh", frames)]
    # 300 ms on either side, so that no word is clipped.
    assert lefts[0] == 700 and lefts[-1] == 3299


def test_why_there_is_no_audio(alarm: Alarm, client: APIClient) -> None:
    path = f"/api/v1/alarms/{alarm.pk}/audio/"
    Alarm.objects.update(start_ms=9000, end_ms=9500)
    assert "ends before" in client.get(path).json()["detail"]
    Conversation.objects.update(recording="", recording_ms=0)
    assert client.get(path).status_code == 404
    assert client.get(f"/api/v1/alarms/{alarm.pk}/").json()["audio_url"] is None
    Alarm.objects.update(start_ms=None, end_ms=None)
    assert "typed" in client.get(path).json()["detail"]
    assert client.get("/api/v1/alarms/4711/audio/").status_code == 404


def test_an_operator_decides_and_may_think_again(alarm: Alarm, client: APIClient) -> None:
    path = f"/api/v1/alarms/{alarm.pk}/"
    wrong = ALARM_VERDICTS.labels("language", "wrong")
    before = wrong._value.get()
    assert client.patch(path, {"state": "acknowledged"}, format="json").json()["handled_by"] == "asha"
    assert client.patch(path, {"state": "resolved"}, format="json").status_code == 400
    assert client.patch(path, {"state": "resolved", "language": "fr"}, format="json").status_code == 400
    decided = client.patch(path, {"state": "resolved", "language": "hi"}, format="json").json()
    assert decided["state"] == "resolved" and decided["verdict"] == "Hindi" and decided["handled_at"]
    assert wrong._value.get() == before + 1
    refused = client.patch(path, {"state": "acknowledged"}, format="json")
    assert refused.status_code == 400 and "reopen" in str(refused.json())
    again = client.patch(path, {"state": "open"}, format="json").json()
    assert again["state"] == "open" and again["verdict"] == ""


def test_strangers_neither_read_nor_decide(alarm: Alarm) -> None:
    stranger = APIClient()
    for path in ("/api/v1/alarms/", f"/api/v1/alarms/{alarm.pk}/", f"/api/v1/alarms/{alarm.pk}/audio/"):
        assert stranger.get(path).status_code in (401, 403)
    assert stranger.patch(f"/api/v1/alarms/{alarm.pk}/", {"state": "open"}).status_code in (401, 403)
    assert Client().post(f"/alarms/{alarm.pk}/", {"language": "hi"}).status_code == 302
    assert Alarm.objects.get().state == "open"


def test_the_page_lists_what_waits_and_takes_the_decision(alarm: Alarm) -> None:
    page = Client()
    page.force_login(User.objects.create_user("ravi"))
    home = page.get("/").content.decode()
    assert (
        "1 turn may be in the wrong language"
        in " ".join(home.replace("</span>", " ").replace(">", " ").split())
        or "turn may be in the wrong language" in home
    )
    shown = page.get("/alarms/").content.decode()
    assert "It sounds like Hindi" in shown and f"/api/v1/alarms/{alarm.pk}/audio/" in shown
    assert page.get(f"/alarms/{alarm.pk}/").status_code == 405
    refused = page.post(f"/alarms/{alarm.pk}/", {"language": "xx"}, headers={"HX-Request": "true"})
    assert "There is no language" in refused.content.decode()
    card = page.post(f"/alarms/{alarm.pk}/", {"language": "hi"}, headers={"HX-Request": "true"})
    assert "The call was wrong: it was <strong>Hindi</strong>, not English." in card.content.decode()
    assert "No alarm waits" in page.get("/alarms/").content.decode()
    assert "it was <strong>Hindi</strong>" in page.get("/alarms/?state=resolved").content.decode()
    assert "may be in the wrong language" not in page.get("/").content.decode()
    assert page.post("/alarms/4711/", {"language": "hi"}).status_code == 404
    assert page.get("/alarms/?state=nonsense&page=9", follow=True).status_code == 200


def test_doubts_and_switches_are_counted() -> None:
    from tests.pipeline.conftest import plan

    heard = CallMetrics(plan())
    switches = LANGUAGE_SWITCHES.labels("property-desk", "hi")
    doubts = LANGUAGE_DOUBTS.labels("property-desk", "en")
    before = switches._value.get(), doubts._value.get()
    heard(CallEvent("language", 1.0, 1, {**READING, "after": "hi", "suspicion": ""}))
    heard(CallEvent("language", 2.0, 2, READING))
    heard(CallEvent("language", 3.0, 3, {**READING, "suspicion": ""}))
    assert (switches._value.get(), doubts._value.get()) == (before[0] + 1, before[1] + 1)
