"""What the pipeline relies on while somebody speaks, asked of every registered recogniser with its real
engine."""

from __future__ import annotations

from typing import Any

import pytest

from agents.pipeline.recogniser import Recogniser
from agents.providers.stt import REGISTRY
from tests.conformance.providers import speak
from voiceops.core.budget import Deadline
from voiceops.core.clock import MonotonicClock
from voiceops.core.events import Transcript
from voiceops.core.ports import SpeechToText

pytestmark = pytest.mark.models

HINTS = ("Lakeview Residency", "Whitefield", "Sarjapur", "3BHK", "EMI", "1 crore 20 lakh")
STEP_BYTES = 32 * 300
"""300 ms of 16 kHz int16."""
recognisers = pytest.mark.parametrize("recogniser", list(REGISTRY), indirect=True)


def soon() -> Deadline:
    return Deadline.after_ms(60_000)


async def streamed(recogniser: SpeechToText, pcm: bytes) -> list[Transcript]:
    """A partial every 300 ms, then the final."""
    utterance = recogniser.open(language="en", hints=HINTS)
    decodes = []
    for start in range(0, len(pcm), STEP_BYTES):
        utterance.push(pcm[start : start + STEP_BYTES])
        decodes.append(await utterance.partial(deadline=soon()))
    decodes.append(await utterance.final(deadline=soon()))
    await utterance.aclose()
    return decodes


@recognisers
async def test_stable_words_are_never_taken_back(recogniser: Any, best_voice: Any) -> None:
    """An answer that was planned on them would have been planned for nothing."""
    said = "I would like to visit Lakeview Residency on Saturday morning and then Whitefield."
    decodes = await streamed(recogniser, await speak(best_voice, said))
    stable = ""
    for decode in decodes:
        assert decode.text.startswith(stable)
        assert decode.stable.startswith(stable)
        assert decode.text.startswith(decode.stable)
        stable = decode.stable
    if recogniser.capabilities.name == "faster_whisper":
        # Most of a sentence is certain before it has ended.
        assert len(decodes[-2].stable.split()) >= 7


@recognisers
async def test_a_final_is_the_same_as_without_partials(recogniser: Any, best_voice: Any) -> None:
    """Streaming must not cost words."""
    pcm = await speak(best_voice, "Please book a visit for tomorrow morning.")
    utterance = recogniser.open(language="en", hints=HINTS)
    utterance.push(pcm)
    whole = await utterance.final(deadline=soon())
    piecewise = (await streamed(recogniser, pcm))[-1]
    if recogniser.capabilities.name == "faster_whisper":
        assert piecewise.text.lower().strip(".") == whole.text.lower().strip(".")


@recognisers
async def test_language_scores_are_probabilities_of_its_languages(recogniser: Any, best_voice: Any) -> None:
    pcm = await speak(best_voice, "Hello, I want to know the price of a flat, please.")
    final = (await streamed(recogniser, pcm))[-1]
    assert set(final.language_scores) <= recogniser.capabilities.languages
    if final.language_scores:
        assert sum(final.language_scores.values()) == pytest.approx(1.0, abs=0.01)
    if recogniser.capabilities.name == "faster_whisper":
        assert final.language_scores["en"] > 0.9


@pytest.mark.parametrize("recogniser", ["faster_whisper"], indirect=True)
async def test_amounts_reach_the_pipeline_in_both_forms(recogniser: Any, best_voice: Any) -> None:
    failures: list[str] = []
    hearing = Recogniser(
        (recogniser,), language="en", hints=HINTS, clock=MonotonicClock(), timeout_ms=60_000,
        failed=lambda *told: failures.append(str(told)),
    )  # fmt: skip
    hearing.push(await speak(best_voice, "My budget is one crore twenty lakh rupees."))
    heard = await hearing.final()
    await hearing.aclose()
    assert heard is not None and not failures
    assert "crore" in heard.text
    assert "₹1,20,00,000" in heard.normalised
