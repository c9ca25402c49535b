"""Turn-taking on a whole call in virtual time: who speaks when both might."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from agents.pipeline.endpointing import Endpointing
from tests.fakes.ports import FakeStt, FakeSttStream, stt_error, voice
from tests.pipeline.conftest import Desk, plan
from voiceops.core.audio import pcm_bytes
from voiceops.core.events import Transcript, WireDtmf, WireText

PRICE = "The 3BHK at Lakeview Residency in Whitefield is priced at ₹1.2 crore."
QUESTION = "What is the price of a 3BHK in Whitefield?"
TWO_BEDROOM = "What is the price of the 2BHK in Whitefield?"


class Dictated(FakeStt):
    """Knows as many words as were spoken: a word each 300 ms."""

    def open(self, *, language: str, hints: Any = ()) -> FakeSttStream:
        stream = super().open(language=language, hints=hints)
        return _DictatedStream(self, stream.text, language, stream.index)


class _DictatedStream(FakeSttStream):
    said = 0

    def push(self, pcm: bytes) -> None:
        super().push(pcm)
        if float(np.abs(np.frombuffer(pcm, "<i2")).max(initial=0)) > 1000:
            self.said += len(pcm) // 32

    async def _decode(self, kind: Any, delay_ms: float) -> Transcript:
        transcript = await super()._decode(kind, delay_ms)
        words = self.text.split()
        return replace(transcript, text=" ".join(words[: max(1, round(self.said / 300))]))


async def agent_speaks(desk: Desk, *heard: str, first: str = QUESTION) -> None:
    """A question is asked, and its answer is under way."""
    desk.llm.reply = PRICE
    desk.stt.texts = [first, *heard]
    await desk.mic.speak(1200)
    await desk.until(lambda: desk.spoken()[-1] == PRICE)
    await asyncio.sleep(1.2)


def voiced_gaps(desk: Desk, since_ms: float) -> list[float]:
    """Gaps of more than 100 ms in what was sent after that time."""
    times = [at for at, _ in desk.line.frames if at >= since_ms]
    return [after - before for before, after in pairwise(times) if after - before > 100]


# The end of a turn --------------------------------------------------------------------------


async def test_a_whole_sentence_is_answered_within_350_ms_of_silence(desk: Desk) -> None:
    async with desk.on_call():
        await desk.say(QUESTION)
    endpoint = desk.heard_events("endpoint")[-1].data
    assert endpoint["reason"] == "complete" and endpoint["model"] == "adaptive"
    assert 240 <= endpoint["silence_ms"] <= 350


async def test_a_sentence_that_hangs_in_the_air_is_waited_for(desk: Desk) -> None:
    """ "I want to know the price of …": a question about nothing would be answered."""
    desk.stt = Dictated(texts=["I want the price of the 2BHK in Whitefield"])
    async with desk.on_call():
        await desk.mic.speak(1500)  # I want the price of
        await asyncio.sleep(0.9)
        assert len(desk.turns()) == 1 and desk.stt.opened == 1
        await desk.mic.speak(1200)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == "I want the price of the 2BHK in Whitefield"
    assert desk.stt.opened == 1


async def test_no_end_is_guessed_before_the_words_are_there(desk: Desk) -> None:
    """A slow recogniser would have every pause taken for the end of a sentence."""
    desk.stt.final_ms = 700
    async with desk.on_call():
        turn = await desk.say(QUESTION)
    endpoint = desk.heard_events("endpoint")[-1].data
    assert 700 <= endpoint["silence_ms"] <= 950
    assert turn["heard"] == QUESTION


async def test_dictating_a_phone_number_is_one_turn(desk: Desk) -> None:
    """Every pause between groups of digits would book a visit with half a number."""
    desk.stt = Dictated(texts=["my number is 9 8 8 0 0 1 2 3 4 5"])
    async with desk.on_call():
        for _ in range(3):
            await desk.mic.speak(1200)
            await asyncio.sleep(1.0)
        assert len(desk.turns()) == 1, "the number was cut off"
        await desk.mic.speak(300)
        whole = desk.line.now_ms()
        await desk.until(lambda: desk.heard_events("endpoint"))
        assert desk.line.now_ms() - whole < 450, "ten digits are complete"
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == "my number is 9 8 8 0 0 1 2 3 4 5"


def test_somebody_who_pauses_long_is_given_longer() -> None:
    endpointing = Endpointing.of("adaptive")
    half = {"text": "the two bedroom", "words_known": True, "language": "en", "speech_ms": 900.0}
    before = [endpointing.decide(silence_ms=at, **half) for at in range(0, 1000, 32)]
    for _ in range(4):
        endpointing.went_on(700)
    taught = [endpointing.decide(silence_ms=at, **half) for at in range(0, 1000, 32)]
    first = next(e.silence_ms for e in before if e)
    assert first + 150 <= next(e.silence_ms for e in taught if e)


async def test_an_end_too_soon_teaches_patience(desk: Desk) -> None:
    """A caller who was cut in on once would be cut in on at every pause."""
    desk.retriever.delay_ms = 900
    taught: list[float] = []
    async with desk.on_call():
        desk.stt.texts = ["I want the price in Whitefield", "of the 2BHK please"]
        listening = next(iter(_objects(desk, "Listening")))
        listening.ear._endpointing.went_on = taught.append
        await desk.mic.speak(1200)
        await asyncio.sleep(0.6)
        await desk.mic.speak(900)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == "I want the price in Whitefield of the 2BHK please"
    assert any(550 <= gap <= 700 for gap in taught)


def _objects(desk: Desk, name: str) -> list[Any]:
    import gc

    return [thing for thing in gc.get_objects() if type(thing).__name__ == name and thing._post]


async def test_an_unknown_turn_model_is_said_and_the_call_goes_on(desk: Desk) -> None:
    profile = replace(desk.plan.agent, turn_model="telepathy")
    desk.plan = plan(agent=profile)
    async with desk.on_call():
        await desk.say(TWO_BEDROOM)
    error = desk.heard_events("error")[0].data
    assert error["code"] == "unknown_turn_model" and "adaptive, silence" in error["message"]
    assert "turn_model_unknown" in desk.codes()
    assert desk.heard_events("endpoint")[-1].data["model"] == "silence"
    assert "₹85 lakh" in desk.last["said"]


# Over the agent -----------------------------------------------------------------------------


@pytest.mark.parametrize("sound", ["", "hmm", "Mhm.", "okay", "haan", "अच्छा", "yeah yeah"])
async def test_the_sentence_goes_on_after_a_sound_that_was_no_interruption(desk: Desk, sound: str) -> None:
    """A cough or an "mhm" that ends the answer makes every listener sorry to have breathed."""
    async with desk.on_call():
        await agent_speaks(desk, sound)
        began = desk.line.now_ms()
        await desk.mic.speak(350)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.line.cleared[0] - began <= 150, "the agent spoke over the caller"
    (gap,) = voiced_gaps(desk, began)
    assert gap < 2000
    (resumed,) = desk.heard_events("resumed")
    assert PRICE.endswith(resumed.data["text"]) and resumed.data["from_ms"] >= 800
    assert [e.data["text"] for e in desk.heard_events("backchannel")] == ([sound] if sound else [])
    assert desk.last["said"] == PRICE and not desk.last["interrupted"]
    sent_ms = sum(1 for at, _ in desk.line.frames if at > began - 5000) * 20
    assert sent_ms >= len(PRICE) * 50, "words of the sentence were lost"


async def test_a_resumed_sentence_says_no_word_twice_and_leaves_none_out(desk: Desk) -> None:
    async with desk.on_call():
        await agent_speaks(desk, "hmm")
        await desk.mic.speak(200)
        await desk.until(lambda: len(desk.turns()) == 2)
    from_ms = desk.heard_events("resumed")[0].data["from_ms"]
    after_ms = sum(20 for at, _ in desk.line.frames if at > desk.line.cleared[0])
    whole_ms = next(len(text) for text in desk.tts.said if "crore" in text) * 60
    assert abs(from_ms + after_ms - whole_ms) <= 40


@pytest.mark.parametrize("words", ["no", "stop", "wait a minute", "what about the two bedroom"])
async def test_words_that_mean_something_stop_the_agent(desk: Desk, words: str) -> None:
    async with desk.on_call():
        await agent_speaks(desk, words)
        began = desk.line.now_ms()
        await desk.mic.speak(420)
        await desk.until(lambda: len(desk.turns()) == 3)
    interrupted = desk.turns()[1]
    assert desk.line.cleared[0] - began <= 150
    assert interrupted["interrupted"] and interrupted["said"] != PRICE
    assert PRICE.startswith(interrupted["said"]) and interrupted["said"]
    assert desk.last["heard"] == words
    assert not desk.heard_events("resumed")


async def test_memory_holds_only_what_was_heard_though_more_was_sent(desk: Desk) -> None:
    async with desk.on_call():
        await agent_speaks(desk, "stop")
        await desk.mic.speak(420)
        await desk.until(lambda: len(desk.turns()) == 3)
    heard_ms = desk.heard_events("barge_in")[0].data["heard_ms"]
    said = desk.turns()[1]["said"]
    assert abs(len(said) * 60 - heard_ms) < 500
    assert desk.heard_events("barge_in")[0].data["heard_text"] == said


async def test_okay_at_the_end_of_a_question_answers_it(desk: Desk) -> None:
    """ "Shall I book it?" – "Okay": taken for a murmur, the agent would wait for ever."""
    async with desk.on_call():
        desk.stt.texts = ["I want to visit Lakeview Residency tomorrow at 11", "okay"]
        await desk.mic.speak(1200)
        await desk.until(lambda: desk.spoken()[-1].endswith("?"))
        question = next(text for text in desk.tts.said if text.endswith("Shall I book it?"))
        await asyncio.sleep(len(question) * 0.06 - 0.5)
        await desk.mic.speak(300)
        await desk.until(lambda: len(desk.turns()) == 3)
    assert desk.turns()[1]["planned"].endswith("Shall I book it?")
    assert desk.last["heard"] == "okay" and "name" in desk.last["said"]


async def test_going_on_over_the_first_syllable_of_the_answer_is_one_question(desk: Desk) -> None:
    """Half a question answered and the other half taken for a new one is two wrong answers."""
    async with desk.on_call():
        desk.llm.reply = PRICE
        desk.stt.texts = ["What is the price in Whitefield", "of the 3BHK please"]
        await desk.mic.speak(1200)
        await desk.until(lambda: desk.spoken()[-1] != desk.spoken()[0])
        await asyncio.sleep(0.02)
        await desk.mic.speak(900)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == "What is the price in Whitefield of the 3BHK please"
    assert desk.last["said"] == PRICE and not desk.heard_events("barge_in")


async def test_words_that_come_too_late_still_take_the_floor(desk: Desk) -> None:
    """A slow recogniser must not make the agent deaf to "stop"."""
    async with desk.on_call():
        await agent_speaks(desk, "stop, I meant something else")
        desk.stt.final_ms = desk.stt.partial_ms = 2600
        await desk.mic.speak(420)
        await desk.until(lambda: desk.heard_events("resumed"))
        await desk.until(lambda: len(desk.turns()) == 3)
    assert desk.turns()[1]["interrupted"] and desk.last["heard"].startswith("stop")


async def test_a_dead_recogniser_does_not_keep_the_agent_silent(desk: Desk) -> None:
    async with desk.on_call():
        await agent_speaks(desk)
        desk.stt.error = stt_error()
        await desk.mic.speak(300)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["said"] == PRICE


async def test_the_agent_does_not_begin_while_the_caller_speaks(desk: Desk) -> None:
    """Both at once: the caller wins."""
    desk.retriever.delay_ms = 500
    async with desk.on_call():
        desk.llm.reply = PRICE
        desk.stt.texts = [QUESTION, "hmm"]
        await desk.mic.speak(1200)
        await desk.until(lambda: desk.heard_events("endpoint"))
        began = desk.line.now_ms()
        await desk.mic.speak(1200)
        ended = desk.line.now_ms()
        await desk.until(lambda: len(desk.turns()) == 2)
    over = [at for at, _ in desk.line.frames if began + 150 < at < ended]
    assert not over, "the agent began while the caller spoke"
    assert desk.last["said"] == PRICE and desk.last["heard"] == QUESTION


# Echo ---------------------------------------------------------------------------------------


def syllables(duration_ms: float, level: int, seed: int) -> bytes:
    """A tone whose loudness rises and falls as speech does."""
    rng = np.random.default_rng(seed)
    count = pcm_bytes(duration_ms, 16_000) // 2
    steps = rng.uniform(0.15, 1.0, size=count // 1600 + 2)
    shape = np.interp(np.arange(count) / 1600, np.arange(len(steps)), steps)
    tone = shape * level * np.sin(2 * np.pi * 200 * np.arange(count) / 16_000)
    return bytes(tone.astype("<i2").tobytes())


class Speakerphone:
    """What the agent says comes back after `delay_ms`, `level_db` below."""

    def __init__(self, desk: Desk, delay_ms: float, level_db: float) -> None:
        self._desk, self._gain = desk, 10 ** (level_db / 20)
        self._samples: dict[int, float] = {}
        self._echo = np.zeros(16_000 * 120, np.float32)
        self._delay = int(delay_ms * 16)
        self._start = 0.0
        self._until = 0
        self._read = 0

    def plug_in(self) -> None:
        """Between the line and the microphone."""
        line, mic = self._desk.line, self._desk.mic
        self._start = line.now_ms()
        sent, cleared = line.audio, line.clear

        async def audio(pcm: bytes) -> None:
            await sent(pcm)
            at = max(int((line.now_ms() - self._start) * 16), self._until)
            samples = np.frombuffer(pcm, "<i2").astype(np.float32) * self._gain
            self._echo[at + self._delay : at + self._delay + len(samples)] += samples
            self._until = at + len(samples)

        async def clear() -> None:
            await cleared()
            now = int((line.now_ms() - self._start) * 16)
            self._echo[now + self._delay :] = 0
            self._until = now

        line.audio, line.clear = audio, clear  # type: ignore[method-assign]
        put = self._desk.inbound.put

        def mixed(event: Any) -> None:
            pcm = getattr(event, "pcm", None)
            if pcm is not None:
                at = int((line.now_ms() - self._start) * 16)
                mix = np.frombuffer(pcm, "<i2") + self._echo[at : at + len(pcm) // 2]
                event = replace(event, pcm=np.clip(mix, -32767, 32767).astype("<i2").tobytes())
            put(event)

        self._desk.inbound.put = mixed  # type: ignore[method-assign]
        assert mic is not None


def lively(desk: Desk) -> Callable[[], None]:
    """Give the agent a voice whose loudness moves; FakeVad hears anything above a whisper."""
    import tests.fakes.ports as fakes

    def tone(duration_ms: float, rate_hz: int = 16_000, level: int = 6000) -> bytes:
        return syllables(duration_ms, 9000, seed=len(desk.tts.said))

    fakes.FakeTts.synthesize.__globals__["voice"] = tone

    async def probability(pcm: bytes) -> float:
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        return 0.95 if float(np.sqrt(np.mean(samples**2))) > 120 else 0.02

    desk.vad.probability = probability  # type: ignore[method-assign]
    return lambda: fakes.FakeTts.synthesize.__globals__.update(voice=voice)


@pytest.mark.parametrize("delay_ms", [20, 120, 260, 420])
@pytest.mark.parametrize("level_db", [-6, -14, -22])
async def test_an_echo_of_the_agent_is_no_interruption(desk: Desk, delay_ms: int, level_db: int) -> None:
    """On a speakerphone the agent would interrupt itself after every word."""
    mute = lively(desk)
    try:
        desk.llm.reply = PRICE
        async with desk.on_call(greeted=False):
            Speakerphone(desk, delay_ms, level_db).plug_in()
            await desk.until(lambda: desk.turns())
            await desk.type(QUESTION)
            await asyncio.sleep(1.0)
    finally:
        mute()
    assert desk.last["said"] == PRICE
    assert not desk.line.cleared and not desk.heard_events("speech.started")


@pytest.mark.parametrize("delay_ms", [20, 120, 260, 420])
async def test_a_caller_is_heard_through_the_echo(desk: Desk, delay_ms: int) -> None:
    """An agent that takes every sound for its echo cannot be interrupted."""
    mute = lively(desk)
    try:
        desk.llm.reply = PRICE
        async with desk.on_call(greeted=False):
            Speakerphone(desk, delay_ms, -14).plug_in()
            await desk.until(lambda: desk.turns())
            desk.stt.texts = ["no, the two bedroom"]
            asking = asyncio.create_task(desk.type(QUESTION))
            await desk.until(lambda: desk.spoken()[-1] == PRICE)
            await asyncio.sleep(1.5)
            began = desk.line.now_ms()
            await desk.mic.speak(900, level=9000)
            await desk.until(lambda: len(desk.turns()) == 3)
            await asking
    finally:
        mute()
    assert desk.turns()[1]["interrupted"]
    assert desk.line.cleared[0] - began <= 350


# Keys ---------------------------------------------------------------------------------------


async def press(desk: Desk, keys: str, gap_s: float = 0.3) -> None:
    for key in keys:
        desk.inbound.put(WireDtmf(key))
        await asyncio.sleep(gap_s)


async def test_a_key_stops_the_agent_and_zero_asks_for_a_person(desk: Desk) -> None:
    async with desk.on_call():
        await agent_speaks(desk)
        began = desk.line.now_ms()
        await press(desk, "0")
        assert desk.line.cleared[0] - began <= 40
        await desk.until(lambda: len(desk.turns()) == 3)
    assert desk.turns()[1]["interrupted"]
    assert desk.last["heard"] == "pressed 0: I want to talk to a person"
    assert desk.last["intent"] == "handover_request"


@pytest.mark.parametrize(("keys", "heard"), [("123#", "pressed 1 2 3"), ("12*45", "pressed 4 5")])
async def test_keys_are_one_utterance(desk: Desk, keys: str, heard: str) -> None:
    """Each digit for itself would be five questions."""
    async with desk.on_call():
        await press(desk, keys)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == heard
    assert desk.heard_events("endpoint")[-1].data["reason"] == "dtmf"
    assert [event.data["digit"] for event in desk.heard_events("dtmf")] == list(keys)


async def test_a_phone_number_may_be_keyed_when_it_is_asked_for(desk: Desk) -> None:
    async with desk.on_call():
        for text in ("I want to visit Lakeview Residency tomorrow at 11", "yes", "Asha Rao"):
            await desk.type(text)
        assert "mobile number" in desk.last["said"]
        await press(desk, "9880012345")
        await desk.until(lambda: len(desk.turns()) == 5)
    (fact,) = desk.facts.facts.values()
    assert fact.payload["pii_phone"] == "+919880012345"


async def test_keys_that_were_taken_back_are_no_turn(desk: Desk) -> None:
    async with desk.on_call():
        await press(desk, "12*")
        await asyncio.sleep(4)
        assert len(desk.turns()) == 1
        await desk.type(TWO_BEDROOM)
    assert [turn["index"] for turn in desk.turns()] == [0, 1]


async def test_a_typed_reply_to_an_answer_just_begun_is_no_part_of_the_question(desk: Desk) -> None:
    """Somebody who types reads faster than the agent speaks: the booking's next answer must not be
    taken for more of the last one."""
    async with desk.on_call(microphone=False):
        desk.inbound.put(WireText("I want to book a site visit at Lakeview Residency tomorrow"))
        while not any(e.data["purpose"] == "answer" for e in desk.heard_events("agent.speaking")):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.06)
        desk.inbound.put(WireText("the first one"))
        await asyncio.sleep(5)
    heard = [event.data["heard"] for event in desk.heard_events("turn.closed") if event.data.get("heard")]
    assert heard == ["I want to book a site visit at Lakeview Residency tomorrow", "the first one"]
