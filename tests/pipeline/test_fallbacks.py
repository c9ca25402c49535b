"""When parts fail: never two seconds without a word, never an untrue one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.fakes.ports import FakeStt, llm_error, store_error, tts_error
from tests.pipeline.conftest import Desk, plan
from voiceops.core.budget import TurnBudget
from voiceops.core.errors import SourceError
from voiceops.core.ports import Capabilities

PRICE = "The 3BHK at Lakeview Residency in Whitefield is priced at ₹1.2 crore."
QUESTION = "What is the price of a 3BHK in Whitefield?"


def longest_silence_ms(desk: Desk, since_ms: float, until_ms: float) -> float:
    """The longest time between `since` and `until` in which no agent audio was playing."""
    longest, heard_until = 0.0, since_ms
    for at, _ in desk.line.frames:
        if at < since_ms or at > until_ms:
            continue
        longest = max(longest, at - heard_until)
        heard_until = max(heard_until, at) + 20
    return max(longest, until_ms - heard_until)


@pytest.mark.parametrize("stuck", ["stt", "retriever", "llm", "embedder", "everything"])
async def test_never_two_seconds_without_a_word(desk: Desk, stuck: str) -> None:
    """Silence on a phone line means "they hung up"."""
    desk.stt.texts = [QUESTION]
    if stuck in ("stt", "everything"):
        desk.stt.hangs = True
        desk.spare_stt = FakeStt(texts=[QUESTION], name="spare", hangs=stuck == "everything")
    if stuck in ("retriever", "everything"):
        desk.retriever.hangs = True
    if stuck in ("llm", "everything"):
        desk.llm.first_ms = 1e9
    if stuck in ("embedder", "everything"):
        desk.embedder.error = SourceError("down", code="unavailable")
    async with desk.on_call():
        await desk.mic.speak(1500)
        spoke = desk.mic.stopped_speaking_ms
        await desk.until(lambda: len(desk.turns()) == 2)
        quiet = longest_silence_ms(desk, spoke, desk.line.frames[-1][0])
    assert quiet < 2000
    assert desk.last["said"]


async def test_fillers_change(desk: Desk) -> None:
    """The same filler three times sounds like a broken record."""
    desk.llm.first_ms = 1e9
    desk.retriever.delay_ms = 700
    desk.stt.final_ms = 3900
    desk.plan = plan(agent=replace(desk.plan.agent, speculation=False))  # nothing is ready at 3.9 s
    async with desk.on_call():
        turn = await desk.say(QUESTION)
    fillers = [e.data["text"] for e in desk.heard_events("agent.speaking") if e.data["purpose"] == "filler"]
    assert len(fillers) >= 2 and len(set(fillers[:3])) == len(fillers[:3])
    assert "₹1.2 crore" in turn["said"]


async def test_filler_is_spoken_even_when_the_answers_voice_hangs(desk: Desk) -> None:
    """The filler waits in memory, so a stuck voice cannot hold it up."""
    desk.llm.reply = PRICE
    async with desk.on_call():
        await asyncio.sleep(1)  # fixed lines are warm
        desk.tts.hangs = True
        turn = await desk.say(QUESTION)
    assert turn["filler"] == "One moment, please."
    assert turn["said"] == PRICE
    assert "tts_failover" in desk.codes()


async def test_fillers_speak_the_callers_language(desk: Desk) -> None:
    desk.retriever.hangs = True
    async with desk.on_call():
        await desk.type("व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?")
        desk.stt.final_ms = 1500
        turn = await desk.say("व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?")
    assert turn["filler"] == "एक पल रुकिए।"


@pytest.mark.parametrize("failure", ["timeout", "error", "stalls"])
async def test_model_failure_still_gives_the_price(desk: Desk, failure: str) -> None:
    """The record is there: a dead model is no reason to know nothing."""
    desk.llm.reply = PRICE
    if failure == "timeout":
        desk.llm.first_ms = 1e9
    elif failure == "error":
        desk.llm.error = llm_error()
    else:
        desk.llm.hangs_after = 3
    async with desk.on_call():
        turn = await desk.type(QUESTION)
        again = await desk.type("What is the price of the 2BHK in Whitefield?")
    assert "₹1.2 crore" in turn["said"] and turn["answer_source"] == "template"
    code = "llm_unavailable" if failure == "error" else "llm_timeout"
    assert code in [decision["code"] for decision in turn["decisions"]]
    assert desk.llm.open_streams == 0, "the server still generates for nobody"
    assert again["latency_ms"] < 500, "the caller waits for the dead model again"
    assert desk.summary is not None and desk.summary.is_degraded


async def test_voice_failure_is_taken_over_by_the_next_voice(desk: Desk) -> None:
    desk.tts.error = tts_error()
    desk.llm.reply = PRICE
    async with desk.on_call():
        turn = await desk.type(QUESTION)
    assert turn["said"] == PRICE
    assert desk.spare.said[-1].endswith("one crore twenty lakh rupees.")
    assert len(desk.tts.said) <= 5, "every clause waits for the dead voice again"
    assert "tts_failover" in desk.codes()


async def test_a_voice_that_dies_mid_sentence_loses_no_word(desk: Desk) -> None:
    desk.llm.reply = PRICE
    async with desk.on_call():
        desk.tts.dies_after_chunks = 2
        turn = await desk.type(QUESTION)
    assert turn["said"] == PRICE and "tts_failover" in desk.codes()


async def test_without_any_voice_the_answer_is_still_shown(desk: Desk) -> None:
    """Someone who typed can read it; the trace must not claim it was heard."""
    desk.tts.error = desk.spare.error = tts_error()
    desk.llm.reply = PRICE
    async with desk.on_call():
        turn = await desk.type(QUESTION)
    assert turn["said"] == "" and turn["planned"] == PRICE and turn["latency_ms"] is None
    assert PRICE in desk.spoken()
    assert "tts_down" in desk.codes()


async def test_silent_sources_are_admitted(desk: Desk) -> None:
    desk.retriever.hangs = True
    async with desk.on_call():
        turn = await desk.type(QUESTION)
    assert "can't reach our records" in turn["said"]
    assert "knowledge_timed_out" in desk.codes()
    assert turn["retrievals"][0]["outcome"] == "timed_out"
    assert desk.summary is not None and desk.summary.outcome == "no_answer_found"


async def test_a_source_that_was_asked_before_is_answered_from_the_copy(desk: Desk) -> None:
    """And the caller is told that it is a copy."""
    desk.llm.reply = PRICE
    async with desk.on_call():
        await desk.type(QUESTION)
        desk.retriever.hangs = True
        turn = await desk.type(QUESTION)
    assert "₹1.2 crore" in turn["said"] and "last saved copy" in turn["said"]
    assert turn["retrievals"][0]["outcome"] == "stale"
    assert "knowledge_cached" in desk.codes()


async def test_broken_retriever_is_no_broken_call(desk: Desk) -> None:
    desk.retriever.error = RuntimeError("bug")
    async with desk.on_call():
        turn = await desk.type(QUESTION)
    assert "can't reach our records" in turn["said"]


async def test_an_unforeseen_error_apologises_asks_for_a_colleague_and_goes_on(desk: Desk) -> None:
    """A bug in one answer must not cost the caller the call."""

    def broken(_: object) -> list[object]:
        return [object()]

    desk.retriever.evidence["listings"] = broken  # type: ignore[assignment]
    async with desk.on_call():
        turn = await desk.type(QUESTION)
        hello = await desk.type("Hello")
    assert "something went wrong on my side" in turn["said"]
    assert [fact.kind for fact in desk.facts.facts.values()] == ["handover_requested"]
    assert "turn_failed" in desk.codes() and turn["crm_sync"] == "queued"
    assert hello["said"].startswith("Hello!")


async def test_asking_for_a_person_is_written_down_before_it_is_promised(desk: Desk) -> None:
    async with desk.on_call():
        turn = await desk.type("I want to talk to a human")
    assert "asking one of our advisers to call you back" in turn["said"]
    assert turn["fact_ids"] and turn["crm_sync"] == "queued"
    assert [d["kind"] for d in turn["decisions"]] == ["escalation"]
    assert desk.summary is not None and desk.summary.outcome == "handover"


async def test_a_call_back_that_could_not_be_saved_is_not_promised(desk: Desk) -> None:
    """Nobody would ever call back."""
    desk.facts.error = store_error()
    async with desk.on_call():
        turn = await desk.type("I want to talk to a human")
    assert "call you back" not in turn["said"]
    assert turn["crm_sync"] == "none" and turn["tools"][0]["outcome"] == "failed"


async def test_a_listener_that_raises_is_nobody_elses_problem(desk: Desk) -> None:
    desk.events = _Grumpy()
    desk.llm.reply = PRICE
    async with desk.on_call():
        turn = await desk.type(QUESTION)
    assert turn["said"] == PRICE


class _Grumpy(list):  # type: ignore[type-arg]
    def append(self, item: object) -> None:
        raise ValueError("no")


async def test_hindi_is_answered_by_template_and_the_trace_says_why(desk: Desk) -> None:
    """The embedded model speaks only English: it would answer a Hindi caller in English."""
    desk.llm.reply = PRICE
    async with desk.on_call():
        turn = await desk.type("व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?")
    assert turn["said"] == "Whitefield के Lakeview Residency में 3BHK की क़ीमत ₹1.2 करोड़ है।"
    assert turn["language"] == "hi" and turn["answer_source"] == "template"
    assert "llm_language" in desk.codes() and not desk.llm.requests
    assert desk.tts.said[-1].endswith("एक करोड़ बीस लाख रुपये है।") and desk.tts.languages[-1] == "hi"


async def test_a_model_that_speaks_hindi_is_asked(desk: Desk) -> None:
    desk.llm.capabilities = Capabilities("fake", "fake", frozenset({"en", "hi"}))
    desk.llm.reply = "3BHK की क़ीमत ₹1.2 करोड़ है।"
    desk.plan = plan(agent=replace(desk.plan.agent, default_language="hi"))
    async with desk.on_call():
        await desk.type("व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?")
    assert len(desk.llm.requests) == 1


async def test_fixed_lines_are_synthesised_once_for_all_calls() -> None:
    """Each greeting would cost a synthesis while the caller waits."""
    first = Desk()
    async with first.on_call():
        await first.type("Hello")
        said = len(first.tts.said)
        await first.type("Hello")
    assert len(first.tts.said) == said


async def test_the_prompt_prefix_is_warmed_before_the_first_question(desk: Desk) -> None:
    """A cold prefix costs the first caller a second."""
    async with desk.on_call():
        await desk.until(lambda: desk.llm.warmed)
        desk.llm.reply = PRICE
        await desk.type(QUESTION)
    assert desk.llm.requests[0].messages[0] == desk.llm.warmed[0][0]
    assert desk.last["context"]["prompt_tokens"] == 50
    assert desk.last["context"]["messages"] == list(desk.llm.requests[0].messages)
    assert len(desk.llm.requests[0].messages[1]["content"]) < 320


async def test_an_answer_that_is_already_with_the_voice_is_not_delayed_by_a_filler(desk: Desk) -> None:
    """A filler right before the answer only makes the caller wait longer."""
    desk.llm.first_ms = 60_000
    desk.tts.first_ms = 200
    desk.plan = plan(agent=replace(desk.plan.agent, budget=TurnBudget()))
    async with desk.on_call():
        turn = await desk.say(QUESTION)
    assert not turn["filler"]
    assert turn["answer_source"] == "template" and "₹1.2 crore" in turn["said"]
    assert turn["latency_ms"] < 2000
