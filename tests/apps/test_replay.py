"""A stored turn worked out again on the real embedded database, with a scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import agents.api
import knowledge.api
from agents.models import Agent, Conversation, IntentExample, Turn
from tests.apps.agents_data import ended, started
from tests.fakes.ports import FakeEmbedder, FakeLlm, FakeRetriever, embed, listing
from voiceops.console import replay
from voiceops.console.benches.typed_desk import typed_call
from voiceops.core.plan import CallPlan

pytestmark = pytest.mark.django_db(transaction=True)
LISTING = listing(units=6, area=1620)
SAID = "The 3BHK at Lakeview Residency is ₹1.2 crore."


@pytest.fixture
def stored() -> Iterator[None]:
    """A call of three turns, answered on fakes and stored as the media process stores it."""
    agents.api.seed_demo()
    for example in IntentExample.objects.all():
        example.embedding = embed(example.text)
        example.save()
    profile = agents.api.load_profile()
    place = {
        "name": "Lakeview Residency",
        "kind": "project",
        "slug": "lakeview-residency",
        "locality": "Whitefield",
    }
    plan = CallPlan("replay-1", profile, agents.api.load_intents(), extra={"places": [place]})
    agents.api.record("call.started", started("replay-1"))
    for turn in asyncio.run(_held(plan)):
        agents.api.record("turn", {"session_id": "replay-1", "turn": _jsonable(turn)})
    agents.api.record("call.ended", ended("replay-1"))
    yield


def _jsonable(turn: Any) -> Any:
    import orjson

    return orjson.loads(orjson.dumps(turn, default=str, option=orjson.OPT_NON_STR_KEYS))


async def _held(plan: CallPlan) -> list[Any]:
    retriever = FakeRetriever(evidence={"listings": [LISTING]}, delay_ms=1)
    llm = FakeLlm(reply=SAID, first_ms=1, token_ms=0)
    async with typed_call(plan, llm=llm, embedder=FakeEmbedder(), retriever=retriever) as desk:
        await desk.type("What is the price of a 3BHK at Lakeview Residency?")
        await desk.type("My budget is 90 lakh")
        await desk.type("What did I say my budget was?")
        return list(desk.turns)


def _replayed(turn: int, reply: str = SAID) -> replay.Replay:
    return replay.run("replay-1", turn, llm=FakeLlm(reply=reply, first_ms=1, token_ms=0))


def test_a_turn_is_worked_out_again_and_nothing_is_written(stored: None) -> None:
    """An explanation that cannot be repeated is a guess."""
    before = list(Turn.objects.order_by("pk").values()), Conversation.objects.count()
    for index, answer in ((1, SAID), (3, "You told me your budget is ₹90 lakh.")):
        found = _replayed(index)
        assert found.same and found.again["answer"] == answer == found.then["answer"]
    assert _replayed(1).model["seed"] == 0
    assert not _replayed(1, "The 3BHK at Lakeview Residency costs ₹1.2 crore.").same
    assert (list(Turn.objects.order_by("pk").values()), Conversation.objects.count()) == before


def test_a_changed_prompt_shows_its_difference(stored: None) -> None:
    knowledge.api.seed_demo(embed=lambda texts: [embed(text) for text in texts])
    Agent.objects.update(persona="You are Maya. Be brief.")
    found = _replayed(1)
    assert found.same, "the stored messages are asked again, not today's"
    assert found.changed and found.versions["prompt"]["then"] != found.versions["prompt"]["now"]
    assert "+system: You are Maya. Be brief." in found.difference
    assert LISTING.chunk in found.versions["knowledge"]
    assert "now" in replay.written(found)


def test_what_a_customer_told_is_brought_to_the_next_call(stored: None) -> None:
    facts = agents.api.earlier_facts(customer_id=7, pii_caller="+919800000001")
    assert facts["budget"]["value"] == 9_000_000 and facts["budget"]["session_id"] == "replay-1"
    assert "property_type" not in facts, "what was only asked about is no wish"
    assert agents.api.earlier_facts(customer_id=8, pii_caller="+919800000001") == {}
    assert agents.api.earlier_facts(customer_id=None, pii_caller=None) == {}


def test_an_unknown_turn_is_refused_with_what_to_do(stored: None) -> None:
    with pytest.raises(CommandError, match="copy the session id"):
        call_command("replay", "no-such-call", "1")
    with pytest.raises(CommandError, match="has no turn 99: it has 0, 1, 2, 3"):
        call_command("replay", "replay-1", "99")
