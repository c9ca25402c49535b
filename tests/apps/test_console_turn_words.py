"""A turn in words and bars: what somebody who reads no code would no longer understand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from agents.api import TurnDetail, call
from tests.e2e.console import rows, told
from voiceops.console import live, spending, turn_words, waterfall
from voiceops.core.budget import TurnBudget
from voiceops.core.events import CallEvent, Endpoint, LanguageReading, LanguageSign
from voiceops.core.plan import AgentProfile, CallPlan
from voiceops.live import LiveBoard

THIN = "\u202f"


@pytest.fixture
def turns(db: None) -> list[TurnDetail]:
    rows.desk()
    told.call()
    found = call(told.SESSION)
    assert found is not None
    return list(found.turns)


@pytest.fixture
def signed_in(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_user("operator", password="x"))
    return client


# Budget --------------------------------------------------------------------------------------


def test_a_turn_says_who_overspent_and_what_stood_in(turns: list[TurnDetail]) -> None:
    spent = spending.of_turn(turns[1], TurnBudget())
    assert spent.tone == "bad"
    assert f"Answered in 1.04{THIN}s, 142{THIN}ms later than its 900{THIN}ms" in spent.verdict
    assert f"End of turn by 45{THIN}ms, Language model by 31{THIN}ms" in spent.verdict
    (cheaper,) = spent.cheaper
    assert cheaper.words == "The answer was built from the record instead of by the language model"
    assert cheaper.reason == "1.3 s expected, 310 ms were left"
    assert {cell.stage: cell.state for cell in spent.cells} == {
        "endpoint": "over", "stt": "within", "retrieval": "within", "llm": "over", "tts": "within",
        "total": "over",
    }  # fmt: skip
    assert all(cell.width + cell.excess_width <= 100 for cell in spent.cells)


def test_what_was_done_ahead_costs_the_caller_nothing_and_says_so(turns: list[TurnDetail]) -> None:
    spent = spending.of_turn(turns[0], TurnBudget())
    assert (spent.tone, spent.cheaper) == ("ok", ())
    states = {cell.stage: cell.state for cell in spent.cells}
    assert (states["retrieval"], states["tts"], states["llm"]) == ("done ahead", "done ahead", "within")
    unneeded = spending.of_turn(turns[2], TurnBudget())
    assert {cell.stage for cell in unneeded.cells if cell.state == "not needed"} == {"retrieval", "llm"}


def test_a_degraded_stage_is_explained_even_without_its_decision(turns: list[TurnDetail]) -> None:
    silent = replace(turns[1], decisions=())
    (cheaper,) = spending.of_turn(silent, TurnBudget()).cheaper
    assert f"Language model would have taken longer than 400{THIN}ms" in cheaper.reason


@pytest.mark.django_db
def test_a_turn_that_told_no_budget_is_measured_against_its_agents() -> None:
    rows.desk()
    rows.recorded_call()
    found = call("trace-me")
    assert found is not None
    spent = spending.of_turn(found.turns[1], TurnBudget(llm_ms=300, total_ms=2000))
    assert [cell.stage for cell in spent.cells] == ["stt", "retrieval", "llm", "tts", "total"]
    assert [cell.stage for cell in spent.cells if cell.is_over] == ["llm"]
    assert spent.tone == "ok" and "yet over their share: Language model" in spent.verdict


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("llm_timeout", "built from the record"), ("tts_failover", "Another voice"),
        ("retrieval_cached", "cache"), ("moon_phase", "Moon phase"),
    ],
)  # fmt: skip
def test_every_cheaper_way_has_words(code: str, words: str) -> None:
    assert words in spending.cheaper_way(code)


# Waterfall -----------------------------------------------------------------------------------


def test_work_done_ahead_stands_before_the_moment_the_caller_stopped(turns: list[TurnDetail]) -> None:
    drawn = waterfall.draw(turns[0], TurnBudget())
    assert drawn is not None and drawn.stopped_x is not None
    prefetch, generation, voice = drawn.lanes
    assert [lane.stage for lane in drawn.lanes] == ["retrieval", "llm", "tts"]
    assert [piece.outcome for piece in prefetch.pieces] == ["aborted", "hit"]
    assert all(piece.x < drawn.stopped_x for piece in prefetch.pieces)
    assert next(p for p in generation.pieces if p.outcome == "hit").x > drawn.stopped_x
    assert (prefetch.saved_ms, voice.note) == (52.0, "1 of 1")
    labels = [tick.label for tick in drawn.ticks]
    zero = labels.index("0 ms")
    assert drawn.ticks[zero].x == pytest.approx(drawn.stopped_x)
    assert labels[0].startswith("−") and drawn.budget_x > drawn.stopped_x
    everything = [*drawn.bars, *(piece for lane in drawn.lanes for piece in lane.pieces)]
    assert all(part.x >= 0 and part.x + part.width <= 100.9 for part in everything)


def test_a_stage_that_began_early_is_not_called_late(turns: list[TurnDetail]) -> None:
    drawn = waterfall.draw(turns[1], TurnBudget())
    assert drawn is not None
    assert {bar.name: bar.duration_ms for bar in drawn.bars}["stt"] > 150
    assert drawn.overspent == ("Endpointing", "Language model")


def test_a_turn_that_was_typed_has_no_moment_of_stopping(turns: list[TurnDetail]) -> None:
    drawn = waterfall.draw(turns[3], TurnBudget())
    assert drawn is not None and drawn.stopped_x is None and drawn.lanes == ()
    assert drawn.ticks[0].label == "0 ms"


# Words ---------------------------------------------------------------------------------------


def test_the_end_of_the_turn_is_told_in_words(turns: list[TurnDetail]) -> None:
    sure, unsure, dictated, typed = (turn_words.ending(turn) for turn in turns)
    assert sure is not None and unsure is not None and dictated is not None and typed is not None
    assert (sure.words, sure.waited) == ("The sentence was complete", f"waited 284{THIN}ms")
    assert sure.at_ms == 7200.0
    assert unsure.waited == f"waited 395{THIN}ms (asked for 250{THIN}ms)"
    assert "dictating" in dictated.words
    assert (typed.waited, typed.completeness, typed.at_ms) == ("", None, None)
    odd = turn_words.ending(replace(turns[0], endpoint=Endpoint(1.0, 1.0, 0.5, "gut_feeling", "")))
    assert odd is not None and odd.words == "Gut feeling"


def test_the_language_tells_evidence_decision_and_doubt() -> None:
    signs = (LanguageSign("acoustic", "en", 0.47), LanguageSign("words", "hi", 0.8, "kitna"))
    stayed = turn_words.language_story(LanguageReading(signs, "hi", "hi", 0.45, True, "sounds English"))
    assert stayed is not None
    assert stayed.decision == "Stayed in Hindi: both languages in one sentence are no switch"
    assert (stayed.doubt_words, stayed.suspicion) == ("45% of the way to a switch", "sounds English")
    assert [(c.source, c.language, c.strength_word) for c in stayed.chips] == [
        ("Sound", "English", "fair"), ("Words", "Hindi", "strong"),
    ]  # fmt: skip
    switched = turn_words.language_story(LanguageReading((), "en", "hi", 0.0))
    assert switched is not None and switched.has_switched
    assert (switched.decision, switched.doubt_words) == ("Switched from English to Hindi", "no doubt")
    assert turn_words.language_story(None) is None


def test_firm_words_stay_firm_and_taken_back_ones_do_not(turns: list[TurnDetail]) -> None:
    lines = turn_words.growing(turns[0])
    assert [(line.firm, line.soft) for line in lines[:3]] == [
        ("", "my budget is"), ("", "my budget is one pro"), ("my budget is", ""),
    ]  # fmt: skip
    assert (lines[3].firm, lines[3].soft) == ("my budget is", " one crore twenty")
    assert lines[-1].soft == "" and lines[-1].kind == "final"
    assert lines[0].before_stop_ms == 2300.0
    half = replace(
        turns[0], partials=({"at_ms": 1, "text": "hi", "kind": "stable"}, {"at_ms": 2, "text": "his"})
    )
    assert turn_words.growing(half)[1].firm == ""


def test_guesses_are_summed_up_by_what_they_were_worth(turns: list[TurnDetail]) -> None:
    story = turn_words.ahead_story(turns[0])
    assert story.summary == (
        f"Prepared the facts, the answer and the voice ahead: saved 376{THIN}ms. "
        f"2 guesses were thrown away (291{THIN}ms of compute and 21 tokens)."
    )
    assert story.guesses[0].before_stop_ms == 1380.0
    assert turn_words.ahead_story(turns[3]).summary == ""
    busy = replace(turns[3], context={"speculation": "off: 9 calls are live"})
    assert turn_words.ahead_story(busy).summary == "Nothing was prepared ahead (9 calls are live)."


def test_memory_tells_new_corrected_and_contradicted_facts_first(turns: list[TurnDetail]) -> None:
    facts = turn_words.remembered(turns[2].memory)
    assert [(fact.name, fact.change_words, fact.value, fact.before, fact.rival) for fact in facts] == [
        ("budget", "corrected", "₹1.5 crore", "₹1.2 crore", ""),
        ("preferred_location", "in doubt", "Whitefield", "", "Hebbal"),
        ("property_type", "", "3BHK", "", ""),
    ]  # fmt: skip
    assert (facts[0].said, facts[0].turn, facts[0].confidence) == ("एक करोड़ पचास लाख", 3, 0.91)
    assert turn_words.remembered({"facts": None, "changes": "odd"}) == ()
    assert turn_words.remembered({"facts": {"city": "Pune"}})[0].value == "Pune"


def test_the_snapshot_names_tokens_model_seed_and_versions(turns: list[TurnDetail]) -> None:
    shown = turn_words.snapshot(turns[0].context)
    assert (shown.prompt_tokens, shown.completion_tokens, len(shown.messages)) == (118, 24, 2)
    assert dict(shown.pairs)["seed"] == "7" and dict(shown.pairs)["versions: prompt"] == "3f9a1c"
    assert turn_words.snapshot({"messages": "none", "prompt_tokens": None}).messages == ()


# Pages ---------------------------------------------------------------------------------------


def test_the_panel_of_every_turn_opens_and_tells_how_to_replay_it(
    turns: list[TurnDetail], signed_in: Client
) -> None:
    for turn in turns:
        body = signed_in.get(f"/calls/{told.SESSION}/turns/{turn.index}/").content.decode()
        assert f"manage.py replay {told.SESSION} {turn.index}" in body
        assert "style=" not in body  # The policy would refuse it.
    assert "How to read a turn" in signed_in.get(f"/calls/{told.SESSION}/").content.decode()


@pytest.mark.django_db
def test_what_a_turn_tells_is_never_markup(signed_in: Client) -> None:
    evil = "<script>alert(1)</script>"
    rows.desk()
    turn = told.hinglish()
    reading = LanguageReading((LanguageSign("words", evil, 0.5, evil),), evil, evil, 0.5, False, evil)
    fields: dict[str, Any] = {
        "heard": evil, "heard_normalised": evil, "language_reading": reading,
        "endpoint": Endpoint(1.0, 2.0, 0.5, evil, evil),
        "memory": {
            "facts": {evil: {"value": evil, "said": evil}},
            "changes": [{"name": evil, "change": evil}],
        },
        "speculations": (replace(turn.speculations[0], basis=evil, reason=evil),),
        "budget": (replace(turn.budget[0], stage=evil, degraded=evil),),
    }  # fmt: skip
    rows.store([asdict(replace(turn, **fields))], session_id="evil")
    assert evil not in signed_in.get("/calls/evil/").content.decode()


# A call that is being stored -----------------------------------------------------------------


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(f"{live.STORING_KEY}just-now")
        yield client
        client.delete(f"{live.STORING_KEY}just-now")


def plan(session_id: str) -> CallPlan:
    agent = AgentProfile("desk", "Desk", "", ("en",), "en", {}, {})
    return CallPlan(session_id=session_id, agent=agent, intents=())


@pytest.mark.parametrize("kind", ["call.answered", "call.ended"])
async def test_a_call_is_known_before_its_trace_is_stored(store: redis.Redis, kind: str) -> None:
    board = LiveBoard(settings.REDIS_URL)
    assert not live.is_being_stored("just-now")
    await board._publish(plan("just-now"), "2026-01-01T00:00:00+00:00", CallEvent(kind, 0.0))
    assert live.is_being_stored("just-now")
    assert store.ttl(f"{live.STORING_KEY}just-now") > 60


def test_a_trace_that_is_on_its_way_is_waited_for_and_a_wrong_address_is_not(
    signed_in: Client, store: redis.Redis
) -> None:
    store.set(f"{live.STORING_KEY}just-now", 1)
    waiting = signed_in.get("/calls/just-now/")
    assert waiting.status_code == 202
    assert 'http-equiv="refresh"' in waiting.content.decode()
    rows.desk()
    rows.store([rows.turn(1, 900, "hi", "hello", "greeting")], session_id="just-now")
    assert signed_in.get("/calls/just-now/").status_code == 200
    assert signed_in.get("/calls/another/").status_code == 404
