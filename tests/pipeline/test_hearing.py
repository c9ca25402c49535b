"""The utterance in progress, in virtual time: words while somebody speaks, and at once at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Literal

from agents.pipeline.hearing import Hearing
from agents.pipeline.recogniser import Recogniser
from agents.providers.stt.agreement import Agreement
from tests.fakes.ports import voice
from voiceops.core.budget import Deadline
from voiceops.core.clock import LoopClock
from voiceops.core.events import Transcript
from voiceops.core.ports import Capabilities

WINDOW_MS = 32.0
WINDOW = voice(WINDOW_MS)
SENTENCE = "what is the price of a three bedroom flat in Whitefield today please"
BUDGET = "my budget is one crore twenty lakh rupees"
WORDS_PER_S = 3


class Stream:
    """Hears three words a second of `sentence`, as a recogniser behind a server does."""

    def __init__(self, decode_ms: float, sentence: str) -> None:
        self.decode_ms = decode_ms
        self.words = sentence.split()
        self.audio_ms = 0.0
        self.running = self.most_running = 0
        self.began_ms: list[float] = []
        self.finals = 0
        self._agreement = Agreement()

    def push(self, pcm: bytes) -> None:
        self.audio_ms += len(pcm) / 32

    async def partial(self, *, deadline: Deadline) -> Transcript:
        return await self._decode("partial")

    async def final(self, *, deadline: Deadline) -> Transcript:
        self.finals += 1
        return await self._decode("final")

    async def aclose(self) -> None:
        pass

    async def _decode(self, kind: Literal["partial", "final"]) -> Transcript:
        self.began_ms.append(asyncio.get_running_loop().time() * 1000)
        words = " ".join(self.words[: round(self.audio_ms / 1000 * WORDS_PER_S)])
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        try:
            await asyncio.sleep(self.decode_ms / 1000)
        finally:
            self.running -= 1
        text = self._agreement.hear(words) if kind == "partial" else self._agreement.settle(words)
        return Transcript(
            kind, text, "en", 0.9, self.audio_ms, self.decode_ms, "fake", self._agreement.stable
        )


class Provider:
    capabilities = Capabilities("fake", "fake")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    def open(self, *, language: str, hints: Sequence[str] = ()) -> Stream:
        return self.stream


class Heard:
    """A hearing and what it told."""

    def __init__(self, scope: asyncio.TaskGroup, stream: Stream) -> None:
        self.stream = stream
        self.partials: list[Transcript] = []
        self.candidates: list[Transcript] = []
        recogniser = Recogniser(
            (Provider(self.stream),), language="en", hints=(), clock=LoopClock(), timeout_ms=4000,
            failed=lambda *_: None,
        )  # fmt: skip
        self.hearing = Hearing(
            recogniser, spawn=scope.create_task, call_ms=self.now_ms, partial=self.partials.append,
            candidate=self.candidates.append, started_ms=0.0, speech_ms=0.0, last_voiced_ms=0.0,
        )  # fmt: skip

    def now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    async def speak(self, duration_ms: float) -> None:
        for _ in range(round(duration_ms / WINDOW_MS)):
            await asyncio.sleep(WINDOW_MS / 1000)
            self.hearing.voiced(WINDOW, WINDOW_MS, self.now_ms())

    async def pause(self, duration_ms: float, *, suspect_ms: float = 96.0) -> None:
        for _ in range(round(duration_ms / WINDOW_MS)):
            await asyncio.sleep(WINDOW_MS / 1000)
            self.hearing.silent(bytes(len(WINDOW)), WINDOW_MS)
            if not self.hearing.is_decided and self.hearing.silence_ms >= suspect_ms:
                self.hearing.decode_final()


@asynccontextmanager
async def hearing(decode_ms: float = 100.0, sentence: str = SENTENCE) -> AsyncIterator[Heard]:
    async with asyncio.TaskGroup() as scope:
        yield Heard(scope, Stream(decode_ms, sentence))


async def test_words_come_every_300_ms_of_speech() -> None:
    """What is understood while the caller speaks need not be waited for afterwards."""
    async with hearing() as heard:
        await heard.speak(3000)
        began = list(heard.stream.began_ms)
        await heard.hearing.finish().words
    gaps = [after - before for before, after in pairwise(began)]
    assert len(began) >= 9 and max(gaps) <= 300 + WINDOW_MS


async def test_a_slow_recogniser_gets_one_decode_at_a_time() -> None:
    """A queue of decodes would fall behind the caller more with every word."""
    async with hearing(decode_ms=900) as heard:
        await heard.speak(4000)
        await heard.hearing.finish().words
    assert heard.stream.most_running == 1
    assert 4 <= len(heard.stream.began_ms) <= 6


async def test_stable_words_are_told_when_they_grow_and_never_taken_back() -> None:
    async with hearing() as heard:
        await heard.speak(2500)
        await heard.pause(300)
        words = await heard.hearing.finish().words
    stable = [t.stable for t in heard.partials if t.kind == "stable"]
    assert len(stable) >= 3
    assert all(after.startswith(before) for before, after in pairwise(stable))
    assert len(set(stable)) == len(stable)
    assert words is not None and words.text.startswith(stable[-1])


async def test_the_words_are_told_before_the_end_is_certain() -> None:
    """The answer is planned from them while the agent still waits whether the caller goes on."""
    async with hearing(decode_ms=60) as heard:
        await heard.speak(1600)
        stopped = heard.now_ms()
        await heard.pause(192)
        assert [t.kind for t in heard.candidates] == ["final"]
        utterance = heard.hearing.finish()
        words = await utterance.words
    assert words == heard.candidates[0]
    assert utterance.words_ready_ms - stopped <= 96 + 60 + WINDOW_MS
    assert heard.stream.finals == 1, "what was decided already is decoded once"


async def test_a_decode_that_the_caller_speaks_over_is_kept_as_a_partial() -> None:
    """It was paid for: its words count towards what is stable, and it is no answer's basis."""
    async with hearing(decode_ms=200) as heard:
        await heard.speak(1600)
        await heard.pause(128)
        told = len(heard.partials)
        await heard.speak(192)
        assert not heard.candidates
        assert len(heard.partials) > told and heard.partials[told].kind == "partial"
        await heard.speak(600)
        await heard.pause(400)
        words = await heard.hearing.finish().words
    assert heard.stream.most_running == 1
    assert words is not None and SENTENCE.startswith(words.text)
    assert len(heard.candidates) == 1 and heard.stream.finals == 2


async def test_a_final_decode_does_not_wait_for_a_partial() -> None:
    async with hearing(decode_ms=1000) as heard:
        await heard.speak(600)
        assert heard.stream.running == 1
        await heard.pause(128)
        assert heard.stream.running == 1 and heard.stream.finals == 1
        await heard.hearing.finish().words


async def test_numbers_are_told_in_digits_too() -> None:
    async with hearing(sentence=BUDGET) as heard:
        await heard.speak(2800)
        words = await heard.hearing.finish().words
    assert words is not None and words.text == BUDGET
    assert words.normalised == "my budget is ₹1,20,00,000"
