"""What is said to a question: only what is on record, for the home the caller means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.ports import listing
from tests.pipeline.conftest import ASHA, NOW, QUOTE, Desk, plan
from voiceops.core.facts import Evidence


def passage(
    text: str, title: str = "Cancellation policy", source: str = "policies", score: float = 0.9
) -> Evidence:
    return Evidence(source, "chunk:17", "2", title, text, {"title": title}, score)


POLICY = passage(
    "Bookings may be changed at our office. If you cancel within 15 days, the booking amount is refunded "
    "in full. After that, 10% of it is kept. Refunds take 30 days."
)


@pytest.mark.parametrize(
    "invented",
    [
        "The price is 4 units.",
        "The 3BHK at Lakeview Residency costs ₹1.5 crore.",
        "Yes, it is a lovely home with a swimming pool for ₹1.2 crore.",
        "The 3BHK at Prestige Towers is priced at ₹1.2 crore.",
        "I'm sorry, as an AI I cannot say.",
        "",
    ],
)
async def test_what_the_record_does_not_say_is_never_spoken(desk: Desk, invented: str) -> None:
    """A wrong price on the phone is a promise that nobody made."""
    desk.llm.reply = invented
    async with desk.on_call():
        turn = await desk.type("What is the price of a 3BHK in Whitefield?")
    assert turn["said"] == "The 3BHK at Lakeview Residency in Whitefield is priced at ₹1.2 crore."
    assert turn["answer_source"] == "template"
    rebuilt = next(d for d in turn["decisions"] if d["code"] == "answer_rebuilt")
    assert rebuilt["kind"] == "grounding" and rebuilt["reason"]
    assert not any("pool" in text or "1.5" in text for text in desk.tts.said)


async def test_a_true_beginning_is_kept_and_the_invention_after_it_left_out(desk: Desk) -> None:
    desk.llm.reply = "The 3BHK at Lakeview Residency is ₹1.2 crore. It comes with a private helipad."
    async with desk.on_call():
        turn = await desk.type("What is the price of a 3BHK in Whitefield?")
    assert turn["said"] == "The 3BHK at Lakeview Residency is ₹1.2 crore."
    assert turn["answer_source"] == "llm" and "answer_cut" in desk.codes()


async def test_the_question_decides_which_home_is_meant(desk: Desk) -> None:
    async with desk.on_call():
        first = await desk.type("What is the price of a 3BHK in Whitefield?")
        second = await desk.type("And the two bedroom?")
        third = await desk.type("What about Sarjapur?")
    assert "₹1.2 crore" in first["said"]
    assert "₹85 lakh" in second["said"] and second["intent"] == "price_enquiry"
    assert "Orchid Grove" in third["said"] and "₹72 lakh" in third["said"]


async def test_the_model_is_asked_a_question_that_stands_alone(desk: Desk) -> None:
    """A small model repeats "And the two bedroom?" instead of answering it."""
    desk.llm.reply = "The 2BHK at Lakeview Residency is ₹85 lakh."
    async with desk.on_call():
        await desk.type("What is the price of a 3BHK in Whitefield?")
        turn = await desk.type("And the two bedroom?")
    assert (
        "What is the price of the 2BHK at Lakeview Residency?" in desk.llm.requests[-1].messages[1]["content"]
    )
    assert turn["answer_source"] == "llm" and turn["heard"] == "And the two bedroom?"


async def test_without_a_home_the_agent_asks(desk: Desk) -> None:
    """Guessing one of four prices would be wrong three times."""
    async with desk.on_call():
        turn = await desk.type("How much is it?")
        answer = await desk.type("3BHK in Whitefield")
    assert "Which project or area" in turn["said"] and "₹" not in turn["said"]
    assert "₹1.2 crore" in answer["said"]


async def test_several_homes_are_listed_shortly(desk: Desk) -> None:
    desk.retriever.evidence["listings"] = [
        listing(f"Project {name}", "Whitefield", price_inr=9_000_000 + n * 100_000)
        for n, name in enumerate("ABCDE")
    ]
    async with desk.on_call():
        turn = await desk.type("What is the price of a 3BHK in Whitefield?")
    assert turn["said"].count("₹") == 3
    assert len(turn["citations"]) == 3


async def test_a_home_that_does_not_exist_is_not_priced(desk: Desk) -> None:
    """The nearest record's price is the wrong price."""
    async with desk.on_call():
        turn = await desk.type("What is the price of a 4BHK in Whitefield?")
        nowhere = await desk.type("What is the price of a 3BHK in Indiranagar?")
    assert "nothing on record for 4BHK Whitefield" in turn["said"]
    assert "2BHK at Lakeview Residency" in turn["said"]
    assert "nothing on record for 3BHK Indiranagar" in nowhere["said"] and "₹" not in nowhere["said"]


async def test_policy_is_answered_in_its_own_words(desk: Desk) -> None:
    desk.retriever.evidence["policies"] = [POLICY]
    desk.llm.reply = "You get a full refund within 60 days."
    async with desk.on_call():
        turn = await desk.type("What is your cancellation policy? Do I get a refund of the booking amount?")
    assert "within 15 days" in turn["said"] and "60" not in turn["said"]
    assert turn["citations"][0]["version"] == "2"


async def test_nothing_on_record_is_said_not_guessed(desk: Desk) -> None:
    desk.llm.reply = "Pets are welcome."
    async with desk.on_call():
        turn = await desk.type("Are pets allowed?")
    assert "rather not guess" in turn["said"] and not desk.llm.requests
    assert turn["retrievals"][0]["outcome"] == "empty"
    assert desk.summary is not None and desk.summary.outcome == "no_answer_found"


async def test_an_unrelated_passage_is_no_answer(desk: Desk) -> None:
    desk.retriever.evidence["policies"] = [passage("Lifts are serviced monthly.", "Maintenance", score=0.8)]
    async with desk.on_call():
        turn = await desk.type("Are pets allowed?")
    assert "rather not guess" in turn["said"] and "Lifts" not in turn["said"]


async def test_a_missing_source_is_mentioned(desk: Desk) -> None:
    desk.retriever.evidence["documents"] = [
        passage("Small pets are allowed in all homes.", "Pets", "documents")
    ]
    desk.retriever.status["policies"] = "timed_out"
    async with desk.on_call():
        turn = await desk.type("Are pets allowed?")
    assert turn["said"].startswith("Small pets are allowed") and "couldn't reach all" in turn["said"]


async def test_possession_comes_from_the_listing_when_no_article_has_it(desk: Desk) -> None:
    async with desk.on_call():
        await desk.type("What is the price of a 3BHK in Whitefield?")
        turn = await desk.type("When is possession?")
    assert "December 2027" in turn["said"]


async def test_a_stranger_gets_no_quote_of_anybody(desk: Desk) -> None:
    """One customer's EMI told to another is a leak."""
    desk.retriever.evidence["history"] = [QUOTE]
    async with desk.on_call():
        turn = await desk.type("What was the EMI amount you quoted me yesterday?")
    assert "86,400" not in turn["said"] and not turn["retrievals"]


async def test_yesterdays_quote_is_yesterdays(desk: Desk) -> None:
    """The latest quote is not always the one that is meant."""
    today = replace(QUOTE, chunk="q:2", values={**QUOTE.values, "emi_inr": 50_000, "quoted_at": NOW})
    desk.plan = plan(customer=ASHA)
    desk.retriever.evidence["history"] = [today, QUOTE]
    async with desk.on_call():
        turn = await desk.type("What was the EMI amount you quoted me yesterday?")
        latest = await desk.type("What is my EMI?")
    assert "₹86,400" in turn["said"] and "₹50,000" in latest["said"]


async def test_a_customer_without_quotes_hears_so(desk: Desk) -> None:
    desk.plan = plan(customer=ASHA)
    async with desk.on_call():
        turn = await desk.type("What was the EMI amount you quoted me yesterday?")
    assert "don't see an earlier quote" in turn["said"]
    assert desk.retriever.queries[-1][0].customer_id == 7


async def test_small_talk_needs_no_knowledge(desk: Desk) -> None:
    async with desk.on_call():
        hello = await desk.type("hi")
        thanks = await desk.type("thank you")
    assert hello["intent"] == "greeting" and thanks["intent"] == "thanks"
    assert not desk.retriever.queries and not desk.llm.requests


async def test_what_is_not_understood_is_not_answered(desk: Desk) -> None:
    async with desk.on_call():
        turn = await desk.type("zxcv qwerty blorp")
    assert turn["intent"] == "unknown" and "not sure I understood" in turn["said"]


async def test_romanised_hindi_is_answered_in_hindi_and_english_again_in_english(desk: Desk) -> None:
    async with desk.on_call():
        hindi = await desk.type("Whitefield mein 3BHK ka price kya hai?")
        okay = await desk.type("okay")
        odd = await desk.type("What is the price of the 2BHK in Whitefield please?")
        english = await desk.type("And what is the price of the 2BHK there?")
    assert hindi["language"] == "hi" and "₹1.2 करोड़" in hindi["said"]
    assert okay["language"] == "hi" and odd["language"] == "hi"
    assert english["language"] == "en" and "₹85 lakh" in english["said"]


async def test_the_trace_of_a_call_is_complete_and_is_json(desk: Desk) -> None:
    """What is not written down cannot be explained to the customer afterwards."""
    import json

    desk.plan = plan(customer=ASHA, pii_caller="+919800000001")
    desk.retriever.evidence["history"] = [QUOTE]
    desk.llm.reply = "The EMI was ₹86,400 a month."
    async with desk.on_call():
        await desk.type("What was the EMI amount you quoted me yesterday?")
    kinds = [kind for kind, _ in desk.trace.rows]
    assert kinds == ["call.started", "turn", "turn", "call.ended"]
    json.dumps([payload for _, payload in desk.trace.rows], default=_refuse)
    started, ended = desk.trace.of("call.started")[0], desk.trace.of("call.ended")[0]
    assert started["engines"]["llm"] == "fake llm" and started["customer_name"] == "Asha Rao"
    assert set(ended) >= {"outcome", "ended_reason", "retain_until", "recording_ms", "dropped_traces"}
    assert ended["retain_until"] == "2027-02-21"
    kinds_heard = {event.kind for event in desk.events}
    assert {
        "call.answered", "turn.started", "intent", "retrieval", "llm.first_token", "llm.done", "clause",
        "tts.first_audio", "agent.speaking", "turn.closed", "transcript.final", "call.ended",
    } <= kinds_heard  # fmt: skip


def _refuse(value: object) -> object:
    raise TypeError(f"{value!r} is no JSON")


async def test_a_policy_is_answered_by_its_rule_before_its_particulars(desk: Desk) -> None:
    """Asked for the cancellation policy, the agent spoke of bank accounts."""
    rule = replace(passage("A booking cancelled within 15 days is refunded in full."), score=0.852)
    particular = replace(passage("Refunds after a cancellation are paid to the bank account."), score=0.858)
    desk.retriever.evidence["policies"] = [
        replace(particular, values={"document": "cancellation", "ordinal": 1}),
        replace(rule, values={"document": "cancellation", "ordinal": 0}),
    ]
    desk.llm.reply = ""
    async with desk.on_call():
        turn = await desk.say("What is your cancellation policy?")
    assert turn["said"] == "A booking cancelled within 15 days is refunded in full."
