"""The memory bench on fakes: its conversation, its questions and its counting, in virtual time."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import pytest

from tests.fakes.ports import FakeEmbedder, FakeLlm, FakeRetriever
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
        retriever=retriever, count=_count, say=lambda message: None,
    )  # fmt: skip
    assert found["facts_wrong"] == []
    assert found["facts_right_share"] == 1.0 and found["facts_asked"] == 20
    assert found["prompt_tokens_ratio"] <= 1.05
    assert set(found["prompt_tokens"]) == {"10", "100"}
    assert found["full_history"]["prompt_tokens"]["100"] > 5 * found["prompt_tokens"]["100"]
    assert found["last_turns"]["facts_right_share"] < 0.5
    assert "session memory" in bench.as_text(found)
