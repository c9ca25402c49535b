"""A call from end to end on fakes: what the caller hears, and what is kept of it."""

from __future__ import annotations

from tests.pipeline.conftest import ASHA, QUOTE, Desk, plan

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
    assert turn["stt_ms"] and turn["retrieval_ms"] and turn["llm_ms"] and turn["tts_ms"]
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
