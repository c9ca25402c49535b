"""What a call remembers, corrects, asks about and tells back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.pipeline.conftest import ASHA, NOW, Desk, plan


async def test_what_the_caller_told_is_told_back(desk: Desk) -> None:
    """A caller who has to repeat the budget hangs up."""
    async with desk.on_call():
        noted = await desk.type("My budget is 1.2 crore")
        await desk.type("Thank you")
        asked = await desk.type("What did I say my budget was?")
    assert noted["said"] == "All right, I've noted that your budget is ₹1.2 crore."
    assert asked["said"] == "You told me your budget is ₹1.2 crore."
    assert asked["intent"] == "memory_recall" and asked["answer_source"] == "template"
    citation = asked["citations"][0]
    assert citation["source"] == "memory" and citation["text"] == "My budget is 1.2 crore"
    assert desk.llm.requests == []


async def test_a_correction_supersedes_and_its_history_is_kept(desk: Desk) -> None:
    async with desk.on_call():
        first = await desk.type("I am looking for a 3BHK in Whitefield")
        second = await desk.type("No, make it two BHK")
        third = await desk.type("What size of home did I want?")
    assert "Lakeview" in first["said"] and "2BHK" in second["said"]
    assert third["said"] == "You told me you want a 2BHK."
    fact = third["memory"]["facts"]["property_type"]
    assert fact["value"] == "2BHK" and fact["said"] == "make it two BHK"
    assert [was["value"] for was in fact["earlier"]] == ["3BHK"]
    change = second["memory"]["changes"][0]
    assert (change["name"], change["change"], change["before"], change["after"]) == (
        "property_type", "corrected", "3BHK", "2BHK",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "value", "said"),
    [
        ("Yes please", "Sarjapur", "All right, I've changed that: you are looking in Sarjapur."),
        ("No", "Whitefield", "All right, we keep to that: you are looking in Whitefield."),
        ("Keep Whitefield", "Whitefield", "All right, we keep to that: you are looking in Whitefield."),
    ],
)
async def test_a_contradiction_is_asked_about(desk: Desk, reply: str, value: str, said: str) -> None:
    """Guessing which of two wishes holds would be wrong every second time."""
    async with desk.on_call():
        await desk.type("I am looking for a flat in Whitefield")
        asked = await desk.type("I want a 2BHK in Sarjapur")
        settled = await desk.type(reply)
        later = await desk.type("Which area did I want?")
    assert asked["said"].endswith("Earlier you said Whitefield; shall I look in Sarjapur instead?")
    assert settled["said"] == said
    assert settled["memory"]["facts"]["preferred_location"]["value"] == value
    assert later["said"] == f"You told me you are looking in {value}."


async def test_an_unsettled_contradiction_is_told_as_one(desk: Desk) -> None:
    async with desk.on_call():
        await desk.type("My budget is 1 crore")
        asked = await desk.type("My budget is 90 lakh")
        await desk.type("What is the price of a 3BHK in Whitefield?")
        again = await desk.type("What did I say my budget was?")
    assert asked["said"] == "Earlier you said ₹1 crore; shall I take ₹90 lakh instead?"
    assert again["said"] == "First you said ₹1 crore, and later ₹90 lakh; shall I take ₹90 lakh?"


async def test_a_question_is_no_wish(desk: Desk) -> None:
    """Asking for a price elsewhere must not change what the caller wants."""
    async with desk.on_call():
        await desk.type("I am looking for a 3BHK in Whitefield")
        await desk.type("What is the price of a 2BHK in Sarjapur?")
        turn = await desk.type("Which area did I want?")
    assert turn["said"] == "You told me you are looking in Whitefield."
    assert turn["memory"]["facts"]["property_type"]["value"] == "3BHK"


async def test_hindi_is_remembered_in_hindi(desk: Desk) -> None:
    async with desk.on_call():
        await desk.type("मेरा बजट एक करोड़ बीस लाख है")
        turn = await desk.type("मैंने अपना बजट कितना बताया था?")
    assert turn["said"] == "आपने बताया था कि आपका बजट ₹1.2 करोड़ है।"


async def test_nothing_is_made_up(desk: Desk) -> None:
    async with desk.on_call():
        turn = await desk.type("What did I say my budget was?")
    assert turn["said"] == "You haven't told me your budget yet." and not turn["citations"]


async def test_an_earlier_call_is_remembered_and_dated(desk: Desk) -> None:
    at = (NOW - timedelta(days=1)).isoformat()
    earlier = {
        "budget": {"value": 9_000_000, "said": "my budget is 90 lakh", "at": at, "session_id": "call-0"}
    }
    desk.plan = plan(customer=ASHA, extra={**desk.plan.extra, "long_term": earlier})
    async with desk.on_call():
        budget = await desk.type("What did I say my budget was?")
        name = await desk.type("What is my name?")
        await desk.type("My budget is 1 crore")
        newer = await desk.type("What did I say my budget was?")
    assert budget["said"] == "When you called yesterday, you told me your budget is ₹90 lakh."
    assert budget["citations"][0]["version"] == "call-0"
    assert name["said"] == "In our records, your name is Asha Rao."
    assert newer["said"] == "You told me your budget is ₹1 crore."


async def test_what_the_agent_told_is_told_again(desk: Desk) -> None:
    async with desk.on_call():
        price = await desk.type("What is the price of a 3BHK in Whitefield?")
        await desk.type("Thank you")
        turn = await desk.type("What did you tell me about the price?")
    assert turn["said"] == f"I said: {price['said']}"


async def test_what_was_never_heard_is_not_remembered(desk: Desk) -> None:
    """The facts of a turn that was taken back come with the turn that replaces it, once."""
    async with desk.on_call():
        await desk.say("my budget is 90 lakh")
        turn = desk.last
    assert turn["memory"]["facts"]["budget"]["turn"] == turn["index"]
    assert len(desk.heard_events("memory")) == 1


async def test_a_booking_keeps_its_yes(desk: Desk) -> None:
    """A contradiction must not be asked about where "yes" would book a visit."""
    async with desk.on_call():
        await desk.type("I am looking for a flat in Sarjapur")
        await desk.type(
            "I want a flat in Whitefield, book a site visit at Lakeview Residency tomorrow at 5 PM"
        )
        turn = await desk.type("Yes please")
    assert "Earlier you said" not in turn["said"]
    assert turn["intent"] == "site_visit_booking"
