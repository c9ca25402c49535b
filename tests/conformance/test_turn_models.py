"""What the pipeline relies on, asked of every registered turn model.

A new one is tested by its registry line alone.
"""

from __future__ import annotations

import pytest

from agents.pipeline.endpointing import Endpointing
from agents.providers.turn import REGISTRY
from voiceops.core.errors import ConfigurationError
from voiceops.core.ports import Pause

SENTENCES = [
    "",
    "hmm",
    "What is the price?",
    "I am looking for",
    "मुझे घर चाहिए",
    "98800",
    "𝄞 \n ?!",
    "a" * 3000,
]
models = pytest.mark.parametrize("name", list(REGISTRY))


@models
async def test_it_says_what_it_is(name: str) -> None:
    model = REGISTRY.load(name)({})
    await model.warm()
    assert model.capabilities.name == name and model.capabilities.engine
    assert {"en", "hi"} <= model.capabilities.languages
    await model.aclose()


@models
@pytest.mark.parametrize("text", SENTENCES)
def test_every_silence_ends_and_none_at_once(name: str, text: str) -> None:
    """A judge that waits for ever keeps the caller waiting; one that does not wait cuts in."""
    judge = REGISTRY.load(name)({}).open()
    for gap in (0.0, 300.0, 5000.0):
        judge.went_on(gap)
        for known in (True, False):
            judged = judge.judge(Pause(300.0, 900.0, text, "en", known))
            assert 150 <= judged.wait_ms <= 3000
            assert 0 <= judged.completeness <= 1
            assert judged.reason in ("complete", "incomplete", "dictation", "backchannel", "plain")


@models
def test_the_decode_on_suspicion_comes_before_the_end(name: str) -> None:
    """Words that are decoded only once the turn is over are heard as silence."""
    judge = REGISTRY.load(name)({}).open()
    assert 60 <= judge.speculate_ms < judge.judge(Pause(0.0, 900.0, "yes", "en", True)).wait_ms


@models
def test_calls_do_not_learn_from_each_other(name: str) -> None:
    model = REGISTRY.load(name)({})
    pause = Pause(300.0, 900.0, "the two bedroom", "en", True)
    before = model.open().judge(pause)
    slow = model.open()
    for _ in range(10):
        slow.went_on(900.0)
    assert model.open().judge(pause) == before


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="adaptive, silence"):
        Endpointing.of("telepathy")
