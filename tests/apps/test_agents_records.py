"""What the trace keeps of a call, whatever the order its pieces arrive in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from agents import api, tasks
from agents.models import Conversation, Turn
from agents.services import expire_recordings, record, set_crm_sync
from agents.services.traces import TraceRejected
from tests.apps.agents_data import ended, make_agent, started, turn
from voiceops.core.errors import ConfigurationError

pytestmark = pytest.mark.django_db


def _call(session_id: str) -> api.CallDetail:
    found = api.call(session_id)
    assert found is not None
    return found


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_stored_call_is_the_same_in_any_order_and_when_told_twice(order: tuple[int, ...]) -> None:
    make_agent()
    told = [
        ("call.started", started("s1")),
        (
            "turn",
            turn(
                "s1",
                0,
                heard="",
                said="Welcome.",
                intent="greeting",
                latency_ms=None,
                decisions=(),
                spans=(),
                tools=(),
            ),
        ),
        ("turn", turn("s1", 1)),
        ("call.ended", ended("s1", outcome="answered")),
    ]
    for position in order:
        tasks.record.delay(*told[position])
        tasks.record.delay(*told[position])
    detail = _call("s1")
    assert detail.summary.agent_slug == "property-desk"
    assert detail.summary.started_at.isoformat() == started("s1")["started_at"]
    assert (detail.summary.outcome, detail.summary.language) == ("answered", "English")
    assert detail.summary.duration_s == 42.0
    assert [t.index for t in detail.turns] == [0, 1]
    answer = detail.turns[1]
    assert answer.telemetry == {
        "session_id": "s1", "latency_ms": 812.0, "stt_ms": 120.0, "retrieval_ms": 12.0, "llm_ms": 300.0,
        "tts_ms": 90.0, "language": "English", "intent": "price_enquiry", "crm_sync": "none",
    }  # fmt: skip
    assert [s.name for s in answer.spans] == ["stt", "llm"]
    assert answer.spans[1].over_budget and not answer.spans[0].over_budget
    assert [r.chunk for r in answer.retrievals] == ["listing:lakeview-3bhk"]
    assert answer.tools[0].arguments == {"slot": 4}
    assert answer.context["messages"][0]["role"] == "system"
    assert [(d.kind, d.code, d.turn) for d in detail.decisions] == [("grounding", "answer_rebuilt", 1)]


def test_a_booking_delivered_before_its_turn_is_stored_is_not_shown_as_queued(settings: Any) -> None:
    settings.AGENTS_CRM_STATE = "tests.apps.agents_data.crm_says_success"
    set_crm_sync("s1", 1, "success")  # nothing stored yet
    record("turn", turn("s1", 1, crm_sync="queued", fact_ids=("f1",)))
    assert Turn.objects.get().crm_sync == "success"


def test_a_turn_told_again_after_delivery_keeps_the_delivery() -> None:
    record("turn", turn("s1", 1, crm_sync="queued", fact_ids=("f1",)))
    set_crm_sync("s1", 1, "success")
    record("turn", turn("s1", 1, crm_sync="queued", fact_ids=("f1",)))
    assert Turn.objects.get().crm_sync == "success"


def test_a_crm_state_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="none, queued, success, failed"):
        set_crm_sync("s1", 1, "done")


def test_words_the_database_cannot_hold_do_not_lose_the_turn() -> None:
    record(
        "turn",
        turn(
            "s1", 1, heard="pri\x00ce \ud800?", intent="x" * 80, latency_ms=float("nan"),
            context={"note": "a\x00b", "score": float("inf")},
        ),
    )  # fmt: skip
    stored = Turn.objects.get()
    assert stored.heard == "price ??"
    assert len(stored.intent) == 50
    assert stored.latency_ms is None
    assert stored.context == {"note": "ab", "score": None}


@pytest.mark.parametrize(
    ("kind", "payload", "message"),
    [
        ("call.paused", {"session_id": "s"}, "is not one of call.started, turn, call.ended"),
        ("turn", {"turn": {}}, "needs a session_id"),
        ("turn", {"session_id": "s"}, "malformed: KeyError"),
        ("turn", {"session_id": "s", "turn": {"index": "one"}}, "malformed"),
        ("call.started", {"session_id": "s", "started_at": "yesterday"}, "malformed"),
        ("call.ended", {"session_id": "s" * 65, "ended_at": "2026-01-01"}, "1 to 64"),
    ],
)
def test_a_payload_nobody_can_store_is_refused_by_name_and_leaves_nothing(
    kind: str, payload: dict[str, Any], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TraceRejected, match=message):
        record(kind, payload)
    tasks.record.delay(kind, payload)  # the worker goes on
    assert "trace refused" in caplog.text
    assert not Conversation.objects.exists()


def test_a_degraded_turn_marks_its_call_before_the_call_has_ended() -> None:
    decision = {"kind": "degrade", "code": "llm_timeout", "reason": "No token in 3 s.", "at_ms": 5000.0}
    record("turn", turn("s1", 1, decisions=(decision,)))
    record("call.ended", ended("s1", is_degraded=False))
    assert _call("s1").summary.is_degraded


# Recordings ---------------------------------------------------------------------------------


@pytest.fixture
def recordings(tmp_path: Path, settings: Any) -> Path:
    settings.VOICEOPS = {**settings.VOICEOPS, "RECORDINGS_DIR": tmp_path}
    return tmp_path


def _wav(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(b"RIFF" + bytes(40))
    return path


def test_a_recording_is_deleted_on_the_day_after_its_retention_date(recordings: Path) -> None:
    today = timezone.localdate()
    for name, until in (("old", today - timedelta(days=1)), ("last-day", today)):
        _wav(recordings, f"{name}.wav")
        record("call.ended", ended(name, recording=f"{name}.wav", retain_until=until.isoformat()))
    assert api.recording_path("old") is None  # never played after its time, deleted or not
    expire_recordings()
    assert [path.name for path in recordings.iterdir()] == ["last-day.wav"]
    assert _call("old").recording.reason == "expired"
    assert api.recording_path("last-day") == recordings / "last-day.wav"


def test_the_voice_of_a_caller_who_did_not_consent_is_never_kept(recordings: Path) -> None:
    _wav(recordings, "s1.wav")
    record("call.ended", ended("s1", recording="s1.wav", recording_consent=False))
    assert not list(recordings.iterdir())
    assert api.recording_path("s1") is None
    assert not _call("s1").recording.consent


def test_files_whose_call_was_lost_are_deleted_after_two_days(recordings: Path) -> None:
    import os

    lost, fresh = _wav(recordings, "lost.wav"), _wav(recordings, "fresh.wav")
    two_days_ago = timezone.now().timestamp() - 2 * 24 * 3600 - 60
    os.utime(lost, (two_days_ago, two_days_ago))
    assert expire_recordings().orphans == 1
    assert not lost.exists()
    assert fresh.exists()


def test_a_recording_path_cannot_leave_the_recordings_folder(recordings: Path, tmp_path: Path) -> None:
    outside = _wav(tmp_path.parent, "outside.wav")
    record("call.ended", ended("s1", recording="../outside.wav"))
    assert api.recording_path("s1") is None
    Conversation.objects.update(retain_until=date(2000, 1, 1))
    expire_recordings()
    assert outside.exists()
    outside.unlink()


# Profiles -----------------------------------------------------------------------------------


def test_a_call_that_names_no_agent_gets_the_first_active_one() -> None:
    make_agent("old-desk", is_active=False)
    make_agent("property-desk", budget={"total_ms": 800})
    make_agent("second-desk")
    profile = api.load_profile("")
    assert profile.slug == "property-desk"
    assert profile.budget.total_ms == 800
    assert profile.voices["en"][0].provider == "hibari"
    assert [a.slug for a in api.agents() if a.is_default] == ["property-desk"]


@pytest.mark.parametrize(
    ("slug", "message"),
    [("", "no active agent"), ("nobody", "there is no agent 'nobody'"), ("old-desk", "switched off")],
)
def test_an_agent_that_cannot_answer_is_named_with_what_to_do(slug: str, message: str) -> None:
    make_agent("old-desk", is_active=False)
    with pytest.raises(ConfigurationError, match=message):
        api.load_profile(slug)


def test_intents_carry_the_examples_that_have_a_vector() -> None:
    agent = make_agent()
    intent = agent.intents.create(slug="price_enquiry", label="Price", kind="answer", sources=["listings"])
    intent.examples.create(language="en", text="what is the price", embedding=[1.0] + [0.0] * 383)
    intent.examples.create(language="en", text="not embedded yet")
    (loaded,) = api.load_intents("")
    assert loaded.sources == ("listings",)
    assert [(text, language) for text, language, _ in loaded.examples] == [("what is the price", "en")]
    assert len(loaded.examples[0][2]) == 384


# Lists --------------------------------------------------------------------------------------


@pytest.fixture
def three_calls() -> None:
    make_agent()
    record("call.started", started("fast", started_at="2026-03-01T10:00:00+05:30"))
    record("turn", turn("fast", 1, latency_ms=500.0))
    record("call.ended", ended("fast", ended_at="2026-03-01T10:00:42+05:30", outcome="answered"))
    record("call.started", started("slow", started_at="2026-03-02T23:50:00+05:30", language="hi"))
    record("turn", turn("slow", 1, latency_ms=2500.0, language="hi", intent="policy_question", heard="niyam"))
    record("call.ended", ended("slow", ended_at="2026-03-02T23:52:00+05:30", language="hi",
                               outcome="no_answer_found", is_degraded=True))  # fmt: skip
    record("call.started", started("live", started_at="2026-03-03T09:00:00+05:30", customer_name="Vikram"))


@pytest.mark.usefixtures("three_calls")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["live", "slow", "fast"]),
        ({"agent": "property-desk"}, ["live", "slow", "fast"]),
        ({"agent": "other"}, []),
        ({"intent": "policy_question"}, ["slow"]),
        ({"language": "Hindi"}, ["slow"]),
        ({"language": "hi"}, ["slow"]),
        ({"language": "english"}, ["live", "fast"]),
        ({"outcome": "answered"}, ["fast"]),
        ({"min_latency_ms": 1000.0}, ["slow"]),
        ({"degraded": True}, ["slow"]),
        ({"degraded": False}, ["live", "fast"]),
        ({"started_after": date(2026, 3, 2)}, ["live", "slow"]),
        ({"started_before": date(2026, 3, 2)}, ["slow", "fast"]),
        ({"search": "NIYAM"}, ["slow"]),
        ({"search": "vikram"}, ["live"]),
        ({"search": "a%"}, []),
    ],
)
def test_a_call_list_is_narrowed_by_each_filter(wanted: dict[str, Any], expected: list[str]) -> None:
    page = api.calls(api.CallFilter(**wanted), offset=0, limit=10)
    assert [call.session_id for call in page.items] == expected
    assert page.total == len(expected)


@pytest.mark.usefixtures("three_calls")
def test_a_page_counts_every_match_and_a_list_costs_the_same_for_any_length(
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(3):
        page = api.calls(api.CallFilter(), offset=1, limit=1)
    assert ([c.session_id for c in page.items], page.total) == (["slow"], 3)
    slow = page.items[0]
    assert (slow.latency_max_ms, slow.intents, slow.first_heard) == (2500.0, ("policy_question",), "niyam")


def test_percentiles_are_those_of_the_turns_since_the_moment_asked_for() -> None:
    record("call.started", started("old", started_at="2026-01-01T00:00:00+05:30"))
    record("turn", turn("old", 1, latency_ms=9999.0))
    record("call.started", started("s1"))
    for index in range(101):
        record("turn", turn("s1", index, latency_ms=float(index), tts_ms=None))
    found = api.stage_percentiles(timezone.now() - timedelta(days=1))
    assert found.turns == 101
    assert (found.latency.p50_ms, found.latency.p95_ms) == (50.0, 95.0)
    assert asdict(found.tts) == {"count": 0, "p50_ms": None, "p95_ms": None}


@pytest.mark.usefixtures("three_calls")
def test_calls_that_wait_for_attention_are_counted_once_each_kind() -> None:
    from datetime import UTC, datetime

    found = api.waiting_for_attention(datetime(2026, 1, 1, tzinfo=UTC))
    assert (found.degraded, found.no_answer_found, found.failed) == (1, 1, 0)
