"""The memory bench on fakes: its conversation, its questions and its counting, in virtual time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import pytest

from tests.fakes.ports import FakeEmbedder, FakeLlm, FakeRetriever, llm_error
from tests.pipeline.conftest import LISTINGS, PLACES, plan
from tests.pipeline.test_answers import POLICY
from voiceops.console.benches import memory as bench
from voiceops.console.benches.memory_script import script

AREAS = [*PLACES, {"name": "Hebbal", "kind": "locality"}, {"name": "Electronic City", "kind": "locality"}]

INTENTS = tuple(intent for intent in plan().intents if intent.kind != "flow")
"""The fake embedder takes much chatter for a booking."""


async def _count(messages: Sequence[Mapping[str, str]]) -> int:
    return sum(len(message["content"].split()) for message in messages)


def test_the_same_seed_tells_the_same_conversation() -> None:
    assert script(200, 3) == script(200, 3)
    assert script(200, 3) != script(200, 4)
    assert len(script(500).lines) == 500


@pytest.mark.parametrize("seed", [2, 3])
async def test_facts_outlive_a_long_conversation_and_prompts_stay_small(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A call must know at its end what was said at its beginning, and pay no more for it."""
    caplog.set_level(logging.WARNING)
    llm = FakeLlm(reply="I do not know.")
    retriever = FakeRetriever(evidence={"listings": LISTINGS, "policies": [POLICY]})
    found = await bench.converse(
        plan(extra={"places": AREAS}, intents=INTENTS), script(110, seed), llm=llm, embedder=FakeEmbedder(),
        retriever=retriever, count=_count, context_tokens=1000, say=lambda message: None,
    )  # fmt: skip
    assert found["recall_wrong"] == []
    assert found["recall_share"] == 1.0 and found["recall_asked"] == 20
    assert found["ratio"] <= 1.05
    assert set(found["prompt_tokens"]) == {"10", "100", "110"} and found["prompts_compared"] >= 2
    assert found["full_history"]["prompt_tokens"]["110"] > 5 * found["prompt_tokens_turn_110"]
    assert found["last_turns"]["recall_share"] < 0.5
    assert "session memory" in bench.as_text(found)


async def test_a_history_that_does_not_fit_the_model_is_said_and_not_asked() -> None:
    """The figure beside ours must not be that of a model that was never asked."""
    llm = FakeLlm(reply="I do not know.")
    rival = bench.Rival(plan(), llm, _count, context_tokens=600)
    history = [("What is the price of a flat?", "It is one crore and twenty lakh rupees.")] * 100
    asked = script(110).asked[:2]
    whole = await rival.answers(asked, history)
    assert not whole["fits"] and whole["recall_share"] is None and "do not fit" in whole["error"]
    assert llm.requests == []
    turns = await rival.fitting(history, asked[0].question)
    shorter = await rival.answers(asked, history[-turns:])
    assert 0 < turns < 100 and shorter["fits"] and shorter["recall_asked"] == len(llm.requests) == 2
    assert await _count(bench._chat(plan(), history[-turns - 1 :], asked[0].question)) > 500


async def test_a_model_that_is_down_knows_nothing_and_is_named() -> None:
    rival = bench.Rival(plan(), FakeLlm(error=llm_error()), _count, context_tokens=None)
    found = await rival.answers(script(110).asked[:3], [("Hello", "Hello")])
    assert found["recall_share"] == 0.0 and found["answered"] == 0 and "unavailable" in found["error"]
