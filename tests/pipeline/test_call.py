"""A call from end to end on fakes: what the caller hears, and what is kept of it."""

from __future__ import annotations

import asyncio

from tests.pipeline.conftest import ASHA, QUOTE, Desk, plan
from voiceops.core.events import WireText

PRICE = "The 3BHK at Lakeview Residency in Whitefield is priced at ₹1.2 crore."


async def test_typed_price_question_is_answered_from_the_record(desk: Desk) -> None:
    desk.llm.reply = PRICE
    async with desk.on_call():
        turn = await desk.type("What is the price of a 3BHK in Whitefield?")
    assert turn["said"] == PRICE
    assert turn["intent"] == "price_enquiry"
    assert turn["answer_source"] == "llm"
    assert turn["citations"][0]["chunk"] == "listing:lakeview-residency-3bhk"
    assert desk.tts.said[-1].endswith("one crore twenty lakh rupees.")
    assert desk.summary is not None and desk.summary.outcome == "answered"


async def test_spoken_question_takes_the_same_path(desk: Desk) -> None:
    desk.llm.reply = PRICE
    async with desk.on_call():
        turn = await desk.say("What is the price of a 3BHK in Whitefield?")
    assert turn["said"] == PRICE
    assert turn["stt_ms"]
    assert all(turn[key] is not None for key in ("retrieval_ms", "llm_ms", "tts_ms"))
    names = {span["name"] for span in turn["spans"]}
    assert {"endpointing", "stt", "intent", "retrieval", "llm", "grounding", "tts", "playout"} <= names


async def test_earlier_quote_comes_from_the_customers_record(desk: Desk) -> None:
    desk.plan = plan(customer=ASHA)
    desk.retriever.evidence["history"] = [QUOTE]
    desk.llm.reply = "The EMI was 4 units."
    async with desk.on_call():
        turn = await desk.type("What was the EMI amount you quoted me yesterday?")
    assert "₹86,400" in turn["said"] and "yesterday" in turn["said"]
    assert turn["answer_source"] == "template"


async def test_hanging_up_stops_all_work_at_once(desk: Desk) -> None:
    """Engines that work on for a caller who has gone are missing to those who wait."""
    desk.stt.hangs = True
    async with desk.on_call():
        await desk.mic.speak(1200)
        await asyncio.sleep(1)
        started = desk.line.now_ms()
    assert desk.line.now_ms() - started < 500
    assert desk.stt.running == 0


async def test_hanging_up_during_an_answer_aborts_the_model(desk: Desk) -> None:
    desk.llm.reply = PRICE
    desk.llm.first_ms = 1500
    async with desk.on_call():
        desk.inbound.put(WireText("What is the price of a 3BHK in Whitefield?"))
        await desk.until(lambda: desk.llm.open_streams)
    assert desk.llm.open_streams == 0
    assert desk.last["interrupted"] and desk.last["heard"] and desk.last["said"] == ""


async def test_the_edge_going_away_ends_the_call(desk: Desk) -> None:
    """A socket that closes without a word leaves no call behind."""
    async with desk.on_call():
        desk.inbound.close()
        await desk.until(lambda: desk.line.hung_up)
    assert desk.summary is not None and desk.summary.ended_reason == "transport_closed"


async def test_cancelling_the_call_cleans_up(desk: Desk) -> None:
    """Shutting a media process down must not leave work or half a trace behind."""
    before = asyncio.all_tasks()
    async with desk.on_call():
        for task in asyncio.all_tasks() - before:
            if getattr(task.get_coro(), "__qualname__", "") == "Call.run":
                task.cancel()
        await desk.until(lambda: desk.trace.of("call.ended"))


async def test_mumbled_turns_do_not_break_the_numbering(desk: Desk) -> None:
    async with desk.on_call():
        desk.stt.texts = ["", "hello"]
        await desk.mic.speak(150)
        await asyncio.sleep(2)
        await desk.say("hello")
        await desk.type("thanks")
    assert [turn["index"] for turn in desk.turns()] == [0, 1, 2]
