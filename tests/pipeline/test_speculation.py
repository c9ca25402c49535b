"""What is planned while the caller still speaks: it must save time, and must never be heard wrongly."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.ports import FOREVER_S, FakeStt, FakeSttStream
from tests.pipeline.conftest import ASHA, Desk, plan
from voiceops.core.budget import Deadline
from voiceops.core.errors import LlmError
from voiceops.core.events import Transcript

QUESTION = "What is the price of a 3BHK in Whitefield?"
PRICE = "The 3BHK at Lakeview Residency costs ₹1.2 crore."


class GrowingStt(FakeStt):
    """Hears three words with each partial, all of them stable; `finals_heard` replaces finals."""

    finals_heard: tuple[str, ...] = ()

    def open(self, *, language: str, hints: Any = ()) -> FakeSttStream:
        stream = super().open(language=language, hints=hints)
        return _Growing(stream.owner, stream.text, stream.language, stream.index)


class _Growing(FakeSttStream):
    decoded = 0

    async def partial(self, *, deadline: Deadline) -> Transcript:
        transcript = await super().partial(deadline=deadline)
        self.decoded += 1
        words = " ".join(self.text.split()[: 3 * self.decoded])
        return replace(transcript, text=words, stable=words)

    async def final(self, *, deadline: Deadline) -> Transcript:
        transcript = await super().final(deadline=deadline)
        owner = self.owner
        assert isinstance(owner, GrowingStt)
        if owner.finals_heard:
            first, *rest = owner.finals_heard
            owner.finals_heard = (first,) if not rest else tuple(rest)
            return replace(transcript, text=first)
        return transcript


@pytest.fixture
def eager(desk: Desk) -> Desk:
    desk.stt = GrowingStt()
    desk.llm.reply = PRICE
    return desk


def told(turn: dict[str, Any], kind: str) -> list[str]:
    return [row["outcome"] for row in turn["speculations"] if row["kind"] == kind]


async def test_an_answer_planned_in_the_pause_starts_at_once(eager: Desk) -> None:
    """Without it the caller waits for the model and the voice after the end of turn."""
    async with eager.on_call():
        turn = await eager.say(QUESTION)
    lines = {line["stage"]: line for line in turn["budget"]}
    assert turn["said"] == PRICE and turn["answer_source"] == "llm"
    assert "hit" in told(turn, "prefetch")
    assert told(turn, "generation") == ["hit"]
    assert len(eager.llm.requests) == 1 and eager.llm.requests[0].priority == "speculative"
    assert lines["llm"]["actual_ms"] < 400 and lines["retrieval"]["actual_ms"] == 0
    hit = next(row for row in turn["speculations"] if row["kind"] == "generation")
    assert hit["saved_ms"] > 0 and hit["tokens"] > 5 and hit["compute_ms"] >= hit["saved_ms"]


async def test_the_first_clause_is_voiced_before_the_turn_is_over(eager: Desk) -> None:
    """A commit that still has to synthesise adds the voice's delay to every answer."""
    eager.llm.first_ms, eager.llm.token_ms, eager.tts.first_ms = 10, 1, 60
    async with eager.on_call():
        turn = await eager.say(QUESTION)
        said = eager.tts.said.count(eager.tts.said[-1])
    assert told(turn, "first_clause") == ["hit"]
    assert turn["tts_ms"] < 30
    assert said == 1, "the clause was synthesised once"


async def test_the_answer_is_planned_while_the_last_words_are_recognised(eager: Desk) -> None:
    """On a small machine the last decode takes longer than the pause: the voice need not wait for it."""
    eager.llm.first_ms, eager.llm.token_ms, eager.tts.first_ms = 10, 1, 150
    eager.stt.final_ms = 400
    async with eager.on_call():
        turn = await eager.say(QUESTION)
    assert told(turn, "first_clause") == ["hit"]
    assert turn["tts_ms"] < 30


async def test_the_same_answer_comes_with_and_without(eager: Desk) -> None:
    """Planning ahead may change when something is said, never what."""
    async with eager.on_call():
        planned = await eager.say(QUESTION)
    calm = Desk()
    calm.llm.reply = PRICE
    calm.plan = plan(agent=replace(calm.plan.agent, speculation=False))
    async with calm.on_call():
        waited = await calm.say(QUESTION)
    assert planned["said"] == waited["said"] and planned["citations"] == waited["citations"]
    assert not waited["speculations"] and planned["latency_ms"] < waited["latency_ms"]


async def test_work_begun_early_is_joined_not_repeated(eager: Desk) -> None:
    """A second request for the same sentence would cost the model twice."""
    eager.llm.first_ms = 350
    async with eager.on_call():
        turn = await eager.say(QUESTION)
    assert len(eager.llm.requests) == 1
    assert told(turn, "generation") == ["hit"] and turn["said"] == PRICE


async def test_a_wrong_guess_is_waste_and_is_never_heard(eager: Desk) -> None:
    """The final words differ from those at the first silence: the plan belongs to another question."""
    assert isinstance(eager.stt, GrowingStt)
    eager.stt.finals_heard = (QUESTION, "What is the price of a 2BHK in Sarjapur?")
    eager.llm.reply = lambda request: (
        PRICE if "Lakeview" in request.messages[-1]["content"] else "The 2BHK at Orchid Grove costs ₹72 lakh."
    )
    async with eager.on_call():
        speaking = asyncio.create_task(eager.say(QUESTION, 1500))
        await eager.until(lambda: eager.stt.finals)
        await asyncio.sleep(0.13)
        await eager.mic.speak(600)
        turn = await speaking
    assert "Orchid Grove" in turn["said"] and "Lakeview" not in turn["said"]
    assert "hit" not in told(turn, "first_clause")[:-1]
    assert set(told(turn, "generation")) & {"waste", "aborted"}


async def test_a_caller_who_goes_on_stops_the_model_at_its_server(eager: Desk) -> None:
    """A guess nobody will claim must not keep the model from the next one."""
    eager.llm.hangs_after = 3
    async with eager.on_call():
        eager.stt.texts = [*eager.stt.texts[: eager.stt.opened], QUESTION]
        await eager.mic.speak(1500)
        await eager.until(lambda: eager.stt.finals)
        await asyncio.sleep(0.13)
        assert eager.llm.open_streams == 1
        await eager.mic.speak(400)
        assert eager.llm.open_streams == 0
        aborted = [e for e in eager.heard_events("speculation") if e.data["outcome"] == "aborted"]
        assert any(e.data["kind"] == "generation" and e.data["compute_ms"] > 0 for e in aborted)


async def test_a_draft_promises_nothing_and_tells_nobody(eager: Desk) -> None:
    """A booking made on a guess would stand in the CRM although the caller said something else."""
    eager.plan = plan(customer=ASHA)
    async with eager.on_call():
        await eager.say("I would like to book a site visit at Lakeview Residency")
        await eager.say("Tomorrow at 11 am please")
        eager.stt.texts = [*eager.stt.texts[: eager.stt.opened], "Yes please book it now"]
        count = len(eager.turns())
        await eager.mic.speak(900)
        await eager.until(lambda: eager.heard_events("speech.stopped"))
        intents = len(eager.heard_events("intent"))
        await asyncio.sleep(0.15)
        assert not eager.facts.facts and len(eager.heard_events("intent")) == intents
        await eager.until(lambda: len(eager.turns()) > count)
    assert len(eager.facts.facts) == 1, "the real turn books, once"


async def test_too_many_calls_stop_the_guessing(eager: Desk) -> None:
    """Under load what is certain goes before what is likely."""
    from agents.pipeline.load import LoadGate

    gate = LoadGate(most_calls=1)
    gate.calls = 1
    eager.gate = gate
    async with eager.on_call():
        turn = await eager.say(QUESTION)
    assert not turn["speculations"]
    assert "2 live calls" in turn["context"]["speculation"]
    assert eager.llm.requests[0].priority == "final"


async def test_a_refused_guess_is_asked_again_for_real_and_closes_the_gate(eager: Desk) -> None:
    """A full server refuses guesses first; the real question must still get its answer."""

    class Busy(type(eager.llm)):  # type: ignore[misc]
        async def stream(self, request: Any, *, deadline: Deadline) -> Any:
            if request.priority == "speculative":
                raise LlmError("no room", code="at_capacity")
            async for delta in super().stream(request, deadline=deadline):
                yield delta

    eager.llm = Busy(reply=PRICE)
    async with eager.on_call():
        turn = await eager.say(QUESTION)
        second = await eager.say(QUESTION)
    assert turn["said"] == PRICE
    assert "at capacity" in second["context"]["speculation"] and not second["speculations"]


async def test_an_agent_may_do_without(eager: Desk) -> None:
    eager.plan = plan(agent=replace(eager.plan.agent, speculation=False))
    async with eager.on_call():
        turn = await eager.say(QUESTION)
    assert not turn["speculations"] and not eager.heard_events("speculation")


async def test_hanging_up_in_the_middle_of_a_plan_leaves_nothing_running(eager: Desk) -> None:
    eager.llm.first_ms = FOREVER_S * 1000
    async with eager.on_call():
        eager.stt.texts = [*eager.stt.texts[: eager.stt.opened], QUESTION]
        await eager.mic.speak(1500)
        await eager.until(lambda: eager.llm.open_streams)
    assert eager.llm.open_streams == 0
