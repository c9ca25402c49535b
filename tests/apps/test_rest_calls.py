"""The REST API: what a dashboard or an auditor reads of calls, and how it refuses."""

from __future__ import annotations

import wave
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import AsyncClient
from rest_framework.test import APIClient

from agents.api import TELEMETRY_KEYS
from agents.models import Conversation
from agents.services import record
from tests.apps.agents_data import ended, make_agent, started, turn

pytestmark = pytest.mark.django_db
CALLS = "/api/v1/calls/"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("asha", password="correct-horse-7")


@pytest.fixture
def client(user: User) -> APIClient:
    client = APIClient()
    client.force_login(user)
    return client


@pytest.fixture
def calls() -> None:
    agent = make_agent()
    for slug in ("price_enquiry", "policy_question"):
        agent.intents.create(slug=slug, label=slug, kind="answer")
    record("call.started", started("fast", started_at="2026-03-01T10:00:00+05:30"))
    record("turn", turn("fast", 1, latency_ms=500.0))
    record("call.ended", ended("fast", ended_at="2026-03-01T10:00:42+05:30", outcome="booked"))
    record("call.started", started("slow", started_at="2026-03-02T23:50:00+05:30", language="hi"))
    record("turn", turn("slow", 1, latency_ms=2500.0, language="hi", intent="policy_question"))
    record("call.ended", ended("slow", ended_at="2026-03-02T23:52:00+05:30", language="hi",
                               outcome="no_answer_found", is_degraded=True))  # fmt: skip


@pytest.fixture
def recording(tmp_path: Path, settings: Any) -> bytes:
    """The bytes of a WAV that belongs to the call `fast`."""
    settings.VOICEOPS = {**settings.VOICEOPS, "RECORDINGS_DIR": tmp_path}
    with wave.open(str(tmp_path / "fast.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(256)) * 400)
    Conversation.objects.filter(session_id="fast").update(recording="fast.wav", recording_ms=3200)
    return (tmp_path / "fast.wav").read_bytes()


# Who may read -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CALLS, f"{CALLS}fast/", f"{CALLS}fast/audio/"])
def test_calls_are_not_shown_to_strangers(calls: None, path: str) -> None:
    assert APIClient().get(path).status_code in (401, 403)
    assert APIClient().get(path, HTTP_AUTHORIZATION="Token made-up").status_code in (401, 403)


def test_a_token_from_the_command_opens_the_api(calls: None, user: User) -> None:
    printed = StringIO()
    call_command("create_api_token", "asha", stdout=printed)
    token = printed.getvalue().strip()
    assert token.isalnum()
    answer = APIClient().get(CALLS, HTTP_AUTHORIZATION=f"Token {token}")
    assert answer.status_code == 200
    again = StringIO()
    call_command("create_api_token", "asha", stdout=again)
    assert again.getvalue() == printed.getvalue()  # a token in use is not replaced


def test_a_token_for_nobody_is_refused_with_the_names_that_exist(user: User) -> None:
    with pytest.raises(CommandError, match="no user 'ash': use one of asha"):
        call_command("create_api_token", "ash")
    User.objects.filter(pk=user.pk).update(is_active=False)
    with pytest.raises(CommandError, match="switched off"):
        call_command("create_api_token", "asha")


# Lists --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["slow", "fast"]),
        ("agent=property-desk", ["slow", "fast"]),
        ("intent=policy_question", ["slow"]),
        ("language=Hindi", ["slow"]),
        ("language=en", ["fast"]),
        ("outcome=booked", ["fast"]),
        ("outcome=abandoned", []),
        ("min_latency_ms=1000", ["slow"]),
        ("degraded=true", ["slow"]),
        ("degraded=0", ["fast"]),
        ("started_after=2026-03-02", ["slow"]),
        ("started_before=2026-03-01", ["fast"]),
        ("started_before=2026-03-01T04:30:00Z", []),
        ("started_after=2026-03-01T10:00:00+05:30&started_before=2026-03-01", ["fast"]),
        ("search=crore&page_size=1", ["slow"]),
        ("page_size=1&page=2", ["fast"]),
        ("agent=&intent=", ["slow", "fast"]),
    ],
)
def test_a_list_holds_the_calls_asked_for(client: APIClient, query: str, expected: list[str]) -> None:
    answer = client.get(f"{CALLS}?{query}")
    assert answer.status_code == 200, answer.content
    assert [call["session_id"] for call in answer.json()["results"]] == expected


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("agent=nobody", "agent", "Use one of property-desk"),
        ("intent=price", "intent", "Use one of policy_question, price_enquiry"),
        ("language=Tamil", "language", "en (English), hi (Hindi)"),
        ("outcome=won", "outcome", "Use one of answered, booked"),
        ("min_latency_ms=fast", "min_latency_ms", "valid number"),
        ("min_latency_ms=-1", "min_latency_ms", "greater than or equal to 0"),
        ("degraded=maybe", "degraded", "valid boolean"),
        ("started_after=yesterday", "started_after", "Use a date (2026-03-01)"),
        ("started_after=2026-02-30", "started_after", "Use a date"),
        ("started_after=2026-03-02&started_before=2026-03-01", "started_before", "earlier"),
        ("page=0", "page", "greater than or equal to 1"),
        ("page_size=1000", "page_size", "less than or equal to 100"),
        ("min_latency=400", "min_latency", "no such filter. Use one of agent, intent"),
    ],
)
def test_a_wrong_filter_says_what_would_be_right(
    client: APIClient, query: str, field: str, message: str
) -> None:
    answer = client.get(f"{CALLS}?{query}")
    assert answer.status_code == 400
    assert message in answer.json()[field][0]


@pytest.mark.usefixtures("calls")
def test_pages_link_to_each_other_and_keep_the_filters(client: APIClient) -> None:
    first = client.get(f"{CALLS}?page_size=1&agent=property-desk").json()
    assert first["count"] == 2
    assert first["previous"] is None
    second = client.get(first["next"]).json()
    assert [call["session_id"] for call in second["results"]] == ["fast"]
    assert second["next"] is None
    assert client.get(second["previous"]).json()["results"] == first["results"]
    gone = client.get(f"{CALLS}?page=9")
    assert gone.status_code == 404
    assert "2 calls make 1 pages" in gone.json()["detail"]


# One call -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("calls")
def test_each_turn_carries_the_nine_telemetry_keys_flat_and_alone(client: APIClient) -> None:
    body = client.get(f"{CALLS}slow/").json()
    (shown,) = body["turns"]
    expected = {
        "session_id": "slow", "latency_ms": 2500.0, "stt_ms": 120.0, "retrieval_ms": 12.0,
        "llm_ms": 300.0, "tts_ms": 90.0, "language": "Hindi", "intent": "policy_question",
        "crm_sync": "none",
    }  # fmt: skip
    assert shown["telemetry"] == expected
    assert tuple(shown["telemetry"]) == TELEMETRY_KEYS
    assert {key: shown[key] for key in TELEMETRY_KEYS} == expected


@pytest.mark.usefixtures("calls")
def test_a_call_shows_every_decision_behind_its_words(client: APIClient) -> None:
    listed = client.get(CALLS).json()["results"][0]
    body = client.get(listed["url"]).json()
    assert {name: body[name] for name in listed} == listed
    shown = body["turns"][0]
    assert shown["heard"].startswith("What is the price")
    assert shown["citations"][0]["chunk"] == "listing:lakeview-3bhk"
    assert [span["over_budget"] for span in shown["spans"]] == [False, True]
    assert shown["partials"] == [{"at_ms": 900.0, "text": "What is the", "kind": "partial"}]
    assert shown["retrievals"][0]["score"] == 0.98
    assert shown["tools"][0]["result"] == {"count": 2}
    assert shown["decisions"][0]["code"] == "answer_rebuilt"
    assert shown["context"]["prompt_tokens"] == 321
    assert body["engines"]["llm"] == "simulated"
    assert body["recording"] == {
        "available": False, "consent": True, "duration_ms": 0, "retain_until": "2099-01-01",
        "reason": "none",
    }  # fmt: skip
    assert body["audio_url"] is None


@pytest.mark.parametrize("path", [f"{CALLS}nobody/", f"{CALLS}nobody/audio/", f"{CALLS}a%00b/"])
def test_a_call_that_does_not_exist_is_named(client: APIClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "There is no call with the session id" in answer.json()["detail"]


# Audio --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("calls")
def test_a_recording_is_served_whole_and_from_where_a_player_seeks(
    client: APIClient, recording: bytes
) -> None:
    address = client.get(f"{CALLS}fast/").json()["audio_url"]
    whole = client.get(address, HTTP_ACCEPT="audio/wav")
    assert (whole.status_code, whole["Content-Type"]) == (200, "audio/wav")
    assert whole["Accept-Ranges"] == "bytes"
    assert b"".join(whole) == recording
    size = len(recording)
    for asked, first, last in [
        ("bytes=100-199", 100, 199),
        ("bytes=100000-", 100_000, size - 1),
        ("bytes=-10", size - 10, size - 1),
        (f"bytes=5-{size * 2}", 5, size - 1),
    ]:
        part = client.get(address, HTTP_RANGE=asked)
        assert part.status_code == 206
        assert part["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert int(part["Content-Length"]) == last - first + 1
        assert b"".join(part) == recording[first : last + 1]


@pytest.mark.usefixtures("calls")
def test_a_range_that_makes_no_sense_is_refused_or_ignored(client: APIClient, recording: bytes) -> None:
    behind = client.get(f"{CALLS}fast/audio/", HTTP_RANGE=f"bytes={len(recording)}-")
    assert (behind.status_code, behind["Content-Range"]) == (416, f"bytes */{len(recording)}")
    for ignored in ("bytes=9-2", "lines=1-2", "bytes=0-1,5-6", "bytes=-"):
        assert client.get(f"{CALLS}fast/audio/", HTTP_RANGE=ignored).status_code == 200


@pytest.mark.usefixtures("calls")
def test_a_call_without_audio_says_why(client: APIClient, recording: bytes) -> None:
    unrecorded = client.get(f"{CALLS}slow/audio/")
    assert (unrecorded.status_code, unrecorded.json()["detail"]) == (404, "This call was not recorded.")
    Conversation.objects.filter(session_id="fast").update(retain_until="2020-01-01")
    expired = client.get(f"{CALLS}fast/audio/", HTTP_ACCEPT="audio/wav")
    assert (expired.status_code, expired["Content-Type"]) == (404, "application/json")
    assert "retention time had passed" in expired.json()["detail"]


@pytest.mark.django_db(transaction=True)
async def test_the_server_streams_a_recording_without_reading_it_whole(
    user: User, calls: None, recording: bytes
) -> None:
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(f"{CALLS}fast/audio/", headers={"range": "bytes=0-99999"})
    assert answer.is_async
    pieces = [piece async for piece in answer]
    assert len(pieces) == 2
    assert b"".join(pieces) == recording[:100_000]


# Schema -------------------------------------------------------------------------------------


def test_the_published_schema_is_complete_and_the_documentation_page_opens(client: APIClient) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())
    schema = client.get("/api/schema/?format=json").json()
    assert set(schema["paths"]) >= {
        "/api/v1/calls/", "/api/v1/calls/{session_id}/", "/api/v1/calls/{session_id}/audio/",
    }  # fmt: skip
    assert set(schema["components"]["schemas"]["Telemetry"]["properties"]) == set(TELEMETRY_KEYS)
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert b"cdn.jsdelivr.net" not in page.content  # nothing is fetched from elsewhere
