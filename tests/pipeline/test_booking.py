"""Booking a site visit by talking: nothing is "booked" before it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.fakes.ports import free_slot, store_error
from tests.pipeline.conftest import ASHA, NOW, Desk, plan, slots_on
from voiceops.core.facts import Evidence, Query


@pytest.fixture
def known(desk: Desk) -> Desk:
    desk.plan = plan(customer=ASHA)
    return desk


def slots(*available: Evidence) -> Callable[[Query], list[Evidence]]:
    """Like the real source: by project and date, when they are asked for."""

    def find(query: Query) -> list[Evidence]:
        return [
            item
            for item in available
            if query.slots.get("date") in (None, item.values["starts_at"].date().isoformat())
        ]

    return find


async def test_a_known_customer_books_in_two_sentences(known: Desk) -> None:
    async with known.on_call():
        asked = await known.type("Book a visit to Lakeview Residency tomorrow at five")
        assert asked["said"].endswith("Lakeview Residency on Tuesday, 24 November at 5 PM. Shall I book it?")
        assert not known.facts.facts
        booked = await known.type("yes please")
    assert "is booked for Tuesday, 24 November at 5 PM" in booked["said"]
    fact = next(iter(known.facts.facts.values()))
    assert dict(fact.payload) == {
        "slot_id": 117, "pii_name": "Asha Rao", "pii_phone": "+919800000001", "customer_id": 7,
    }  # fmt: skip
    assert booked["crm_sync"] == "queued" and booked["fact_ids"] == (fact.fact_id,)
    assert asked["crm_sync"] == "none"
    assert booked["answer_source"] == "flow" and booked["intent"] == "site_visit_booking"
    assert known.summary is not None and known.summary.outcome == "booked"


async def test_a_stranger_is_asked_for_everything(desk: Desk) -> None:
    async with desk.on_call():
        assert "Which project" in (await desk.type("I want to book a site visit"))["said"]
        assert "Which day" in (await desk.type("Lakeview Residency"))["said"]
        offer = await desk.type("tomorrow")
        assert "11 AM or 5 PM" in offer["said"]
        assert "Shall I book it" in (await desk.type("the second one"))["said"]
        assert "your name" in (await desk.type("yes"))["said"]
        assert "mobile number" in (await desk.type("my name is Ravi Kumar"))["said"]
        assert "all ten digits" in (await desk.type("nine eight seven"))["said"]
        done = await desk.type("nine eight seven six five four three two one zero")
    assert "is booked for Tuesday, 24 November at 5 PM" in done["said"]
    payload = next(iter(desk.facts.facts.values())).payload
    assert payload["pii_name"] == "Ravi Kumar" and payload["pii_phone"] == "+919876543210"
    assert payload["customer_id"] is None


async def test_personal_data_stays_out_of_the_tool_arguments(known: Desk) -> None:
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        turn = await known.type("yes")
    assert turn["tools"][0]["arguments"] == {"slot_id": 117, "customer_id": 7}
    assert turn["tools"][0]["outcome"] == "ok"


async def test_booked_is_said_only_after_the_receipt(known: Desk) -> None:
    """A caller who was told "booked" will stand in front of a closed gate."""
    known.facts.delay_ms = 1500
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        task = asyncio.create_task(known.type("yes"))
        await asyncio.sleep(1.4)
        assert not any("is booked" in text for text in known.spoken())
        assert "is booked" in (await task)["said"]


async def test_a_slot_taken_meanwhile_is_admitted_and_another_offered(known: Desk) -> None:
    known.retriever.evidence["slots"] = slots(*slots_on(11, 16, 17), *slots_on(10, day=2))
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        known.facts.taken.add(117)
        refused = await known.type("yes")
        assert "just taken" in refused["said"] and "5 PM" not in refused["said"]
        assert "is booked" not in refused["said"] and refused["crm_sync"] == "none"
        assert [d["code"] for d in refused["decisions"]] == ["slot_taken"]
        await known.type("tomorrow at four then")
        done = await known.type("yes")
    assert "is booked for Tuesday, 24 November at 4 PM" in done["said"]
    assert [fact.payload["slot_id"] for fact in known.facts.facts.values()] == [116]


async def test_an_unreachable_store_books_nothing_and_says_so(known: Desk) -> None:
    known.facts.error = store_error()
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        turn = await known.type("yes")
    assert "nothing is booked" in turn["said"] and "call you back" not in turn["said"]
    assert turn["crm_sync"] == "none"
    assert known.summary is not None and known.summary.outcome != "booked"


async def test_a_silent_store_is_not_called_booked_nor_unbooked(known: Desk) -> None:
    """It may have been written: both claims could be false."""
    known.facts.hangs = True
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        turn = await known.type("yes")
    assert "is booked for" not in turn["said"] and "nothing is booked" not in turn["said"]
    assert turn["tools"][0]["outcome"] == "timed_out"


async def test_a_barge_in_does_not_tear_the_promise(known: Desk) -> None:
    """The visit would be booked and nobody told, or booked twice."""
    known.facts.delay_ms = 1200
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        asyncio.get_running_loop().call_later(0.6, lambda: None)
        task = asyncio.create_task(known.type("yes"))
        await asyncio.sleep(0.6)
        turn = await known.type("hello, are you there?")
        await asyncio.wait([task])
        await asyncio.sleep(3)
    assert any("is booked for Tuesday" in turn["said"] for turn in known.turns()), turn
    assert len(known.facts.facts) == 1


async def test_changing_the_day_in_the_middle(known: Desk) -> None:
    known.retriever.evidence["slots"] = slots(*slots_on(11, 17), *slots_on(12, day=5))
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        changed = await known.type("no, make it Saturday at twelve o'clock")
        assert "Saturday, 28 November at 12 PM" in changed["said"]
        done = await known.type("yes")
    assert "booked for Saturday, 28 November at 12 PM" in done["said"]


async def test_asking_a_price_in_the_middle_and_coming_back(known: Desk) -> None:
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        aside = await known.type("How much does the three bedroom flat cost?")
        assert "₹1.2 crore" in aside["said"] and "Shall I book it?" in aside["said"]
        assert aside["intent"] == "price_enquiry"
        done = await known.type("yes")
    assert "is booked" in done["said"]


async def test_cancelling_books_nothing(known: Desk) -> None:
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        turn = await known.type("forget it")
        assert "won't book" in turn["said"]
        await known.type("yes")
    assert not known.facts.facts


async def test_no_to_the_offer_asks_for_another_time(known: Desk) -> None:
    async with known.on_call():
        await known.type("Book a visit to Lakeview Residency tomorrow at five")
        turn = await known.type("no")
    assert "Which day and time" in turn["said"] and not known.facts.facts


async def test_a_time_that_is_not_free_is_said_and_others_offered(known: Desk) -> None:
    async with known.on_call():
        turn = await known.type("Book a visit to Lakeview Residency tomorrow at three")
    assert "Nothing is free" in turn["said"] and "3 PM" in turn["said"]
    assert "11 AM or 5 PM" in turn["said"]


async def test_a_day_without_slots_offers_the_next_ones(known: Desk) -> None:
    known.retriever.evidence["slots"] = slots(*slots_on(11, day=3))
    async with known.on_call():
        turn = await known.type("Book a visit to Lakeview Residency tomorrow")
        assert "Thursday, 26 November at 11 AM" in turn["said"]
        done = await known.type("that works")
    assert "is booked for Thursday" in done["said"]


async def test_no_slots_at_all(known: Desk) -> None:
    known.retriever.evidence["slots"] = []
    async with known.on_call():
        turn = await known.type("Book a visit to Lakeview Residency tomorrow")
    assert "no visits are free" in turn["said"]


async def test_slots_that_have_passed_are_not_offered(known: Desk) -> None:
    known.retriever.evidence["slots"] = [free_slot(1, NOW - timedelta(hours=1)), *slots_on(17)]
    async with known.on_call():
        turn = await known.type("Book a visit to Lakeview Residency today")
    assert "5 PM" in turn["said"] and "9 AM" not in turn["said"]


async def test_slots_out_of_reach_are_admitted(known: Desk) -> None:
    known.retriever.status["slots"] = "timed_out"
    async with known.on_call():
        turn = await known.type("Book a visit to Lakeview Residency tomorrow")
    assert "can't reach our records" in turn["said"]


async def test_the_project_is_taken_from_what_was_talked_about(known: Desk) -> None:
    """Asking again what was just discussed makes the agent look forgetful."""
    async with known.on_call():
        await known.type("What is the price of a 3BHK in Whitefield?")
        turn = await known.type("Can I come and see the flat tomorrow?")
    assert "Lakeview Residency" in turn["said"] and "11 AM or 5 PM" in turn["said"]


async def test_booking_in_hindi(known: Desk) -> None:
    async with known.on_call():
        asked = await known.type("मुझे कल शाम पाँच बजे Lakeview Residency की साइट विज़िट बुक करनी है")
        assert "मंगलवार, 24 नवंबर को शाम 5 बजे" in asked["said"]
        done = await known.type("हाँ, कर दो")
    assert "बुक हो गई है" in done["said"] and len(known.facts.facts) == 1
