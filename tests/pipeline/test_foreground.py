"""People behind the caller: a voice detector hears them, and the end of a turn must be found all the same."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from agents.pipeline.foreground import Foreground
from tests.fakes.ports import voice
from tests.pipeline.conftest import Desk
from voiceops.core.events import WireAudio

QUESTION = "What is the price of the 2BHK in Whitefield?"


def sensitive(desk: Desk) -> None:
    """A detector as Silero: any voice is a voice, however far behind."""

    async def probability(pcm: bytes) -> float:
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        return 0.95 if float(np.sqrt(np.mean(samples**2))) > 100 else 0.02

    desk.vad.probability = probability  # type: ignore[method-assign]


def crowd(desk: Desk, level: int) -> None:
    """Somebody behind talks through the whole call, louder and softer by 4 dB."""
    put = desk.inbound.put
    rng = np.random.default_rng(7)
    behind = np.frombuffer(voice(20, level=level), "<i2").astype(np.float32)

    def mixed(event: object) -> None:
        if isinstance(event, WireAudio):
            own = np.frombuffer(event.pcm, "<i2").astype(np.float32)
            both = own + behind[: len(own)] * 10 ** (rng.uniform(-4, 4) / 20)
            event = WireAudio(np.clip(both, -32767, 32767).astype("<i2").tobytes())
        put(event)  # type: ignore[arg-type]

    desk.inbound.put = mixed  # type: ignore[method-assign]


@pytest.mark.parametrize("below_db", [11, 14, 20, 26])
async def test_a_question_in_front_of_people_who_talk_is_answered(desk: Desk, below_db: float) -> None:
    """Where the people behind count as the caller, no turn ever ends."""
    desk.stt.texts = [QUESTION]
    async with desk.on_call():
        sensitive(desk)
        await desk.mic.speak(600)  # the crowd is there from the caller's words on
        crowd(desk, int(6000 * 10 ** (-below_db / 20)))
        await desk.mic.speak(900)
        ended = desk.line.now_ms()
        await desk.until(lambda: desk.heard_events("endpoint"), timeout_s=6)
        answered = desk.line.now_ms()
        await desk.until(lambda: len(desk.turns()) == 2)
        await asyncio.sleep(2)
    decided = desk.heard_events("endpoint")
    assert desk.last["heard"] == QUESTION and "₹85 lakh" in desk.last["said"]
    assert len(decided) == 1
    assert answered - ended <= 1500
    assert len(desk.turns()) == 2, "the people behind were answered"


@pytest.mark.parametrize("soft_db", [4, 6, 12, 20])
async def test_a_sentence_that_ends_softly_is_heard_to_its_end(desk: Desk, soft_db: float) -> None:
    """Voices fall at the end of a sentence: its last word is not the people behind."""
    desk.stt.texts = [QUESTION]
    async with desk.on_call():
        sensitive(desk)
        await desk.mic.speak(1200)
        soft = 250 if soft_db > 7 else 900
        await desk.mic.speak(soft, level=int(6000 * 10 ** (-soft_db / 20)))
        heard_ms = desk.stt.pushed_ms[0]
        assert not desk.heard_events("speech.stopped"), "the agent stopped listening before the last word"
        await desk.until(lambda: len(desk.turns()) == 2)
    assert heard_ms >= 1200 + soft
    assert desk.stt.opened == 1


def levels(*stretches: tuple[float, float]) -> list[bool]:
    """Whether the windows of (milliseconds, dB) are taken for the caller's, all being voice."""
    told = Foreground(32.0)
    told.opens()
    return [told.is_caller(3000 * 10 ** (db / 20)) for ms, db in stretches for _ in range(round(ms / 32))]


def test_one_loud_word_does_not_silence_the_rest() -> None:
    """ "NO, I said the two bedroom": said calmly after the first word."""
    assert all(levels((320, 6), (2000, 0)))


def test_soft_consonants_between_vowels_are_speech() -> None:
    assert all(levels(*[(128, 0), (96, -20)] * 10))


def test_who_stays_behind_is_not_the_caller_after_a_while() -> None:
    taken = levels((1500, 0), (1500, -12))
    assert all(taken[:47]) and not any(taken[-25:])
    assert 8 <= sum(taken[47:]) <= 14


def test_the_caller_speaks_up_in_front_of_the_crowd_and_nobody_else() -> None:
    """After a turn the people behind must not open the next one; the caller must."""
    told = Foreground(32.0)
    told.opens()
    for ms, db in ((1500, 0.0), (1500, -12.0)):
        for _ in range(round(ms / 32)):
            told.is_caller(3000 * 10 ** (db / 20))
    assert not any(told.stands_out(3000 * 10 ** (-12 / 20)) for _ in range(100))
    assert told.stands_out(3000)


def test_a_quiet_line_forgets_the_crowd() -> None:
    """The caller goes into another room and speaks softly there."""
    told = Foreground(32.0)
    told.opens()
    for db in (*[0.0] * 47, *[-12.0] * 47):
        told.is_caller(3000 * 10 ** (db / 20))
    assert not told.stands_out(900)
    for _ in range(round(4000 / 32)):
        told.nobody(10)
    assert told.stands_out(400)
