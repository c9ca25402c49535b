"""What a turn tells of its budget, its guesses, its language and its memory is kept and given back:
without it nobody could say afterwards why an answer was late, cheap or in the wrong language."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.utils import timezone

from agents import api, tasks
from agents.forms import AgentForm
from agents.models import Agent, BudgetLog, SpeculationLog, Turn
from agents.services import record
from tests.apps.agents_data import ended, make_agent, started, turn
from voiceops.core.errors import ConfigurationError
from voiceops.core.events import (
    BudgetLine,
    Decision,
    Endpoint,
    LanguageReading,
    LanguageSign,
    Partial,
    Speculation,
    TurnRecord,
)

pytestmark = pytest.mark.django_db

MEMORY = {
    "facts": {
        "budget": {"value": 12_000_000, "turn": 1, "confidence": 0.93, "said": "one crore twenty lakh"},
        "city": {"value": "Bangalore", "turn": 1, "confidence": 0.8, "said": "Bangalore"},
    },
    "changes": [{"name": "budget", "change": "corrected", "before": 10_000_000, "after": 12_000_000}],
}


def told(**fields: Any) -> TurnRecord:
    """One turn with every field of its own."""
    values: dict[str, Any] = {
        "index": 1, "latency_ms": 402.0, "stt_ms": 30.0, "retrieval_ms": 0.0, "llm_ms": 410.0,
        "tts_ms": 12.0, "language": "hi", "intent": "price_enquiry", "crm_sync": "none",
        "heard": "my budget is one crore twenty lakh", "said": "Noted.", "planned": "Noted.",
        "answer_source": "template", "started_ms": 4000.0, "ended_ms": 9000.0,
        "heard_normalised": "my budget is ₹12000000",
        "partials": (Partial(3100.0, "my budget"), Partial(3400.0, "my budget is", "stable")),
        "endpoint": Endpoint(280.0, 250.0, 0.92, "complete", "adaptive"),
        "language_reading": LanguageReading(
            (LanguageSign("acoustic", "hi", 0.61, "0.61 hi, 0.33 en"), LanguageSign("words", "en", 0.4)),
            "hi", "hi", 0.35, True, "the words are English, the sound is Hindi",
        ),
        "speculations": (
            Speculation("prefetch", "my budget is", 3410.0, "hit", 22.0, 0, 61.0),
            Speculation("generation", "my budget is one", 3600.0, "aborted", 140.0, 9, 0.0, "words changed"),
        ),
        "budget": (
            BudgetLine("endpoint", 350.0, 280.0),
            BudgetLine("retrieval", 80.0, None),
            BudgetLine("llm", 400.0, 410.0, "llm_predicted_late"),
        ),
        "memory": MEMORY,
        "decisions": (Decision("degrade", "llm_predicted_late", "1.2 s expected, 400 ms left", 5000.0),),
    }  # fmt: skip
    return TurnRecord(**{**values, **fields})


def payload(session_id: str, turn_record: TurnRecord) -> dict[str, Any]:
    return {"session_id": session_id, "at": timezone.now().isoformat(), "turn": asdict(turn_record)}


def the_turn(session_id: str = "s1", index: int = 1) -> api.TurnDetail:
    found = api.call(session_id)
    assert found is not None
    return next(item for item in found.turns if item.index == index)


def test_every_field_of_a_turn_comes_back_as_it_was_told() -> None:
    sent = told()
    for _ in range(2):  # Told twice, kept once.
        tasks.record.delay("turn", payload("s1", sent))
    kept = the_turn()
    assert kept.heard_normalised == sent.heard_normalised
    assert kept.endpoint == sent.endpoint
    assert kept.language_reading == sent.language_reading
    assert kept.speculations == sent.speculations
    assert [(line.stage, line.budget_ms, line.actual_ms, line.degraded) for line in kept.budget] == [
        (line.stage, line.budget_ms, line.actual_ms, line.degraded) for line in sent.budget
    ]
    assert [line.over_budget for line in kept.budget] == [False, False, True]
    assert kept.memory == sent.memory
    assert kept.partials[1] == {"at_ms": 3400.0, "text": "my budget is", "kind": "stable"}
    assert tuple(kept.telemetry) == api.TELEMETRY_KEYS


def test_a_turn_told_before_these_fields_existed_is_stored_and_shown() -> None:
    record("turn", turn("s1", 1))
    kept = the_turn()
    assert kept.heard and kept.endpoint is None and kept.language_reading is None
    assert (kept.speculations, kept.budget, kept.memory, kept.heard_normalised) == ((), (), {}, "")


@pytest.mark.parametrize(
    "odd",
    [
        {"endpoint": None, "language_reading": None, "budget": None, "speculations": None, "memory": None},
        {"endpoint": {"reason": "complete", "moon": "full"}, "language_reading": {"after": "hi"}},
        {"endpoint": "complete", "memory": [], "language_reading": {"signs": ["hi"], "after": "hi"}},
        {"speculations": [{"kind": "prefetch", "outcome": "hit", "started_ms": 1.0}]},
    ],
)
def test_a_turn_that_tells_less_or_more_than_it_should_is_not_lost(odd: dict[str, Any]) -> None:
    record("turn", turn("s1", 1, **odd))
    kept = the_turn()
    assert kept.heard
    assert kept.endpoint is None or kept.endpoint.reason == "complete"
    assert kept.language_reading is None or kept.language_reading.signs == ()


def test_a_second_telling_replaces_the_guesses_of_the_first() -> None:
    record("turn", payload("s1", told()))
    record("turn", payload("s1", told(speculations=(), budget=(BudgetLine("total", 900.0, 402.0),))))
    assert not SpeculationLog.objects.exists()
    assert [line.stage for line in BudgetLog.objects.all()] == ["total"]


def test_the_day_is_summed_up_by_what_was_guessed_overspent_and_degraded() -> None:
    make_agent()
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    for session_id, at in (("now", timezone.now().isoformat()), ("old", yesterday)):
        record("call.started", started(session_id, started_at=at))
        record("turn", payload(session_id, told()))
        record("turn", payload(session_id, told(index=2, decisions=(), speculations=(), budget=())))
        record("call.ended", ended(session_id))
    day = api.turn_quality(timezone.now() - timedelta(hours=1))
    assert (day.answered, day.degraded, day.degraded_share) == (2, 1, 0.5)
    generation, prefetch = day.speculation
    assert (prefetch.hits, prefetch.total, prefetch.hit_share, prefetch.saved_ms) == (1, 1, 1.0, 61.0)
    assert (generation.aborted, generation.hit_share, generation.wasted_tokens) == (1, 0.0, 9)
    assert generation.wasted_ms == 140.0
    spent = {row.stage: (row.needed, row.over, row.degraded) for row in day.spending}
    assert spent == {"endpoint": (1, 0, 0), "retrieval": (0, 0, 0), "llm": (1, 1, 1)}
    assert api.turn_quality(timezone.now() + timedelta(hours=1)).degraded_share is None


# How an agent takes turns --------------------------------------------------------------------


def test_an_agent_brings_its_turn_model_speculation_and_budget_into_a_call() -> None:
    make_agent(turn_model="adaptive", speculation=False, budget={"llm_ms": 350})
    profile = api.load_profile("property-desk")
    assert (profile.turn_model, profile.speculation, profile.budget.llm_ms) == ("adaptive", False, 350)


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ({"llm": 400}, r"'llm' is not one of .*did you mean 'llm_ms'.*milliseconds"),
        ({"stt_s": 1}, r"'stt_s' is not one of .*ends in _ms"),
        ({"llm_ms": "400"}, r"'llm_ms' must be a positive whole number of milliseconds .* not '400'"),
        ({"llm_ms": 0}, r"'llm_ms' must be a positive"),
        ({"llm_ms": True}, r"'llm_ms' must be a positive"),
        ({"tts_ms": 70_000}, r"'tts_ms' must be .* up to 60000"),
        ({"llm_ms": 950}, r"'llm_ms' is 950 ms, more than the 900 ms of the whole turn \('total_ms'\)"),
        (["llm_ms"], r"a budget is a JSON object of milliseconds"),
    ],
)
def test_a_budget_that_cannot_be_kept_names_its_key_and_unit(budget: Any, message: str) -> None:
    agent = make_agent(budget=budget)
    with pytest.raises(ConfigurationError, match=message):
        api.load_profile("property-desk")
    with pytest.raises(ValidationError, match=f"(?i){message}"):
        agent.full_clean()


def test_the_system_check_names_the_turn_models_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("agents.turn_settings", "agents.checks"):
        monkeypatch.setattr(f"{module}.turn_models", lambda: ("adaptive", "silence"))
    agent = make_agent()
    assert run_checks(tags=["agents"], databases=["default"]) == []
    Agent.objects.update(turn_model="prescient", budget={"llm": 400})
    model, budget = run_checks(tags=["agents"], databases=["default"])
    assert (model.id, budget.id) == ("agents.W001", "agents.W002")
    assert "'prescient'" in model.msg and "adaptive, silence" in str(model.hint)
    assert "'llm_ms'" in budget.msg
    agent.refresh_from_db()
    with pytest.raises(ValidationError, match="no turn model 'prescient': use one of adaptive, silence"):
        agent.full_clean()


def test_no_words_of_a_caller_are_logged_while_a_turn_is_stored(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    tasks.record.delay("turn", payload("s1", told()))
    tasks.record.delay("turn", {"session_id": "s1", "turn": {**asdict(told()), "index": "first"}})
    assert Turn.objects.count() == 1
    assert "trace refused" in caplog.text
    for word in ("crore", "Bangalore", "12000000"):
        assert word not in caplog.text


# Over REST -----------------------------------------------------------------------------------


def test_the_api_tells_everything_of_a_turn_and_documents_it(admin_client: Any) -> None:
    make_agent()
    record("call.started", started("s1"))
    record("turn", payload("s1", told()))
    record("turn", turn("s1", 2))
    first, older = admin_client.get("/api/v1/calls/s1/").json()["turns"]
    assert tuple(first["telemetry"]) == api.TELEMETRY_KEYS
    assert first["heard_normalised"] == "my budget is ₹12000000"
    assert first["endpoint"] == {
        "silence_ms": 280.0, "wait_ms": 250.0, "completeness": 0.92, "reason": "complete",
        "model": "adaptive",
    }  # fmt: skip
    reading = first["language_reading"]
    assert [sign["source"] for sign in reading["signs"]] == ["acoustic", "words"]
    assert (reading["before"], reading["after"], reading["doubt"], reading["mixed"]) == (
        "hi", "hi", 0.35, True,
    )  # fmt: skip
    assert [(item["kind"], item["outcome"]) for item in first["speculations"]] == [
        ("prefetch", "hit"), ("generation", "aborted"),
    ]  # fmt: skip
    assert [(line["stage"], line["over_budget"]) for line in first["budget"]] == [
        ("endpoint", False), ("retrieval", False), ("llm", True),
    ]  # fmt: skip
    assert first["memory"] == MEMORY
    assert (older["endpoint"], older["language_reading"], older["budget"]) == (None, None, [])
    components = admin_client.get("/api/schema/?format=json").json()["components"]["schemas"]
    assert set(first) == set(components["Turn"]["properties"])
    assert set(first["endpoint"]) == set(components["Endpoint"]["properties"])
    assert set(first["speculations"][0]) == set(components["Speculation"]["properties"])
    assert set(first["budget"][0]) == set(components["BudgetLine"]["properties"])


# In the admin --------------------------------------------------------------------------------


def _edited(agent: Agent, **changes: Any) -> Any:
    untouched = AgentForm(instance=agent)
    data = {
        name: value
        for name in untouched.fields
        if (value := untouched.get_initial_for_field(untouched.fields[name], name)) not in (None, False)
    }
    return AgentForm({**data, **changes}, instance=agent)


def test_an_operator_chooses_turn_model_and_speculation_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("agents.turn_settings", "agents.forms"):
        monkeypatch.setattr(f"{module}.turn_models", lambda: ("adaptive", "silence"))
    agent = make_agent(budget={"llm_ms": 350})
    form = _edited(agent, turn_model="silence", speculation="", budget_llm_ms="300")
    assert [name for name, _ in form.fields["turn_model"].choices] == ["adaptive", "silence"]
    assert form.is_valid(), form.errors
    form.save()
    agent.refresh_from_db()
    assert (agent.turn_model, agent.speculation, agent.budget) == ("silence", False, {"llm_ms": 300})


def test_an_operator_is_told_which_stage_would_outlast_the_turn() -> None:
    form = _edited(make_agent(), budget_llm_ms="800", budget_total_ms="600")
    assert "more than the 600 ms of the whole turn" in form.errors["budget_llm_ms"][0]
    assert not Agent.objects.exclude(budget={}).exists()
