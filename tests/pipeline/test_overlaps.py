"""Sounds over the agent: what they may cost, and which of them take the floor."""

from __future__ import annotations

import asyncio

import pytest

from agents.pipeline.barge_in import is_meant, was_meant
from agents.providers.turn.interruptions import is_interruption
from tests.pipeline.conftest import Desk
from tests.pipeline.test_turn_taking import PRICE, TWO_BEDROOM, agent_speaks, press, voiced_gaps
from voiceops.core.events import Transcript


def heard(text: str, confidence: float = 0.9) -> Transcript:
    return Transcript("final", text, "en", confidence, 500, 100, "fake")


# A hold ends --------------------------------------------------------------------------------


@pytest.mark.parametrize("sound", ["mhm", ""])
async def test_a_noise_that_will_not_end_does_not_keep_the_agent_silent(desk: Desk, sound: str) -> None:
    """Behind babble an utterance has no end: the agent would be silent until the caller hangs up."""
    async with desk.on_call():
        await agent_speaks(desk, sound)
        began = desk.line.now_ms()
        noise = asyncio.create_task(desk.mic.speak(4500))
        await desk.until(lambda: len(desk.turns()) == 2)
        await noise
    assert desk.line.cleared[0] - began <= 150
    gaps = voiced_gaps(desk, began)
    assert gaps and max(gaps) < 2000
    (resumed,) = desk.heard_events("resumed")
    assert PRICE.endswith(resumed.data["text"]) and resumed.data["from_ms"] >= 500
    assert desk.last["said"] == PRICE and not desk.last["interrupted"]


async def test_words_that_come_after_a_hold_ran_out_stop_the_agent(desk: Desk) -> None:
    """A caller who talks on behind a slow recogniser is not talked over to the end."""
    async with desk.on_call():
        await agent_speaks(desk, "mhm")
        began = desk.line.now_ms()
        talking = asyncio.create_task(desk.mic.speak(4000))
        await desk.until(lambda: desk.heard_events("resumed"))
        _now_hears(desk, "no I meant the two bedroom")
        await desk.until(lambda: desk.heard_events("barge_in"))
        silent_ms = desk.line.now_ms() - began
        await talking
        await desk.until(lambda: len(desk.turns()) == 3)
    assert silent_ms < 3000
    assert desk.turns()[1]["interrupted"] and desk.last["heard"] == "no I meant the two bedroom"


def _now_hears(desk: Desk, text: str) -> None:
    import gc

    from tests.fakes.ports import FakeSttStream

    for stream in gc.get_objects():
        if isinstance(stream, FakeSttStream) and stream.owner is desk.stt:
            stream.text = text


# Short sounds -------------------------------------------------------------------------------


@pytest.mark.parametrize("misheard", ["Alora.", "Deng", "Tamil Tamil", "and", "Hmm."])
async def test_a_hum_heard_as_a_word_does_not_take_the_floor(desk: Desk, misheard: str) -> None:
    async with desk.on_call():
        await agent_speaks(desk, misheard)
        began = desk.line.now_ms()
        await desk.mic.speak(450)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert len(voiced_gaps(desk, began)) == 1 and desk.heard_events("resumed")
    assert desk.last["said"] == PRICE and not desk.last["interrupted"]


@pytest.mark.parametrize("words", ["sorry", "actually", "ruko", "nahi nahi", "रुकिए", "the two bedroom"])
async def test_a_short_interruption_takes_the_floor(desk: Desk, words: str) -> None:
    async with desk.on_call():
        await agent_speaks(desk, words)
        await desk.mic.speak(450)
        await desk.until(lambda: len(desk.turns()) == 3)
    assert desk.turns()[1]["interrupted"] and desk.last["heard"] == words


async def test_one_word_before_the_agent_begins_belongs_to_the_question(desk: Desk) -> None:
    """ "What is the price in – Whitefield": nobody is interrupted, and no word may be lost."""
    desk.retriever.delay_ms = 900
    async with desk.on_call():
        desk.stt.texts = ["What is the price of a 3BHK", "Whitefield"]
        await desk.mic.speak(1200)
        await desk.until(lambda: desk.heard_events("endpoint"))
        await asyncio.sleep(0.1)
        await desk.mic.speak(450)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == "What is the price of a 3BHK Whitefield"


@pytest.mark.parametrize(
    "text",
    [
        "stop", "Wait!", "no no", "hold on", "excuse me", "Sorry,", "actually", "listen", "ruko", "nahi",
        "ek minute", "suniye", "रुको", "नहीं", "एक मिनट", "सुनिए", "okay but the other one",
    ],
)  # fmt: skip
def test_words_that_stop_a_speaker(text: str) -> None:
    assert is_interruption(text)
    assert was_meant(heard(text, 0.3), 300, asked=False, unheard_ms=3000)


@pytest.mark.parametrize("text", ["Alora.", "Emma Chen", "know", "stopwatch", "", "Tamil"])
def test_words_that_stop_nobody(text: str) -> None:
    assert not is_interruption(text)


def test_what_is_asked_of_something_short_is_not_asked_of_something_long() -> None:
    two, one = heard("Emma Chen", 0.5), heard("Alora.")
    for words in (two, one):
        assert not was_meant(words, 500, asked=False, unheard_ms=3000)
        assert was_meant(words, 900, asked=False, unheard_ms=3000)
        assert was_meant(words, 500, asked=True, unheard_ms=300), "an answer to the question"
        assert was_meant(words, 500, asked=False, unheard_ms=3000, over_agent=False)
    assert was_meant(heard("Emma Chen", 0.9), 500, asked=False, unheard_ms=3000)
    assert not is_meant("Emma Chen", 400, confidence=0.5)
    assert is_meant("Emma Chen", 400, confidence=0.9)


def test_length_speaks_for_itself_only_while_no_words_can_be_known() -> None:
    assert is_meant("", 1600)
    assert not is_meant("", 1600, wordless=True)


# Records ------------------------------------------------------------------------------------


async def test_a_typed_and_a_keyed_turn_say_what_ended_them(desk: Desk) -> None:
    """A replay cannot tell a typed line from a caller who never paused."""
    async with desk.on_call():
        await desk.type(TWO_BEDROOM)
        await press(desk, "12#")
        await desk.until(lambda: len(desk.turns()) == 3)
        await desk.say(TWO_BEDROOM)
    reasons = [turn["endpoint"]["reason"] for turn in desk.turns()[1:]]
    assert reasons == ["typed", "dtmf", "complete"]
