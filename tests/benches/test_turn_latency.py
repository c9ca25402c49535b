"""A published latency must be what a caller would have waited: the stopwatch is tested on audio
whose silences are known to the millisecond."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import numpy as np
import pytest

from telephony.carrier import CarrierCall, Exchange, Patience, Utterance, _Line, _talk
from telephony.transports import mulaw
from tests.fakes.virtual_time import VirtualTimeLoop
from voiceops.console.benches.callers import TAIL_FRAMES, check_end, on_the_line
from voiceops.console.benches.measures import percentile, spread
from voiceops.console.trial import TrialFailed

RATE_HZ = 8000
FRAME_MS = 20


def tone(duration_ms: int, level: int = 8000) -> bytes:
    count = RATE_HZ * duration_ms // 1000
    return (np.sin(np.arange(count) * 0.4) * level).astype("<i2").tobytes()


def silence(duration_ms: int) -> bytes:
    return bytes(2 * RATE_HZ * duration_ms // 1000)


class Agent:
    """The far end of a socket. Once `after_ms` have passed since the caller's last sound it sends
    each (milliseconds until it, PCM, mark) of `answer`."""

    def __init__(
        self, answer: Sequence[tuple[int, bytes, str]], *, after_ms: int, during: bool = False
    ) -> None:
        self.answer = answer
        self.after_ms = after_ms
        self.during = during
        """Starts from the caller's first sound instead: it talks over the caller."""
        self.messages: asyncio.Queue[str] = asyncio.Queue()
        self.speaking: asyncio.Task[None] | None = None
        self.loop = asyncio.get_running_loop()

    async def send(self, message: str) -> None:
        body = json.loads(message)
        if body["event"] != "media":
            return
        codes = base64.b64decode(body["media"]["payload"])
        pcm = np.frombuffer(mulaw.decode(codes), "<i2").astype(int)
        if np.abs(pcm).max() < 512:
            return
        if self.speaking is not None and self.during:
            return
        if self.speaking is not None:
            self.speaking.cancel()
        self.speaking = asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        await asyncio.sleep(self.after_ms / 1000)
        for pause_ms, pcm, mark in self.answer:
            await asyncio.sleep(pause_ms / 1000)
            codes = mulaw.encode(pcm)
            for at in range(0, len(codes), 160):
                payload = base64.b64encode(codes[at : at + 160]).decode()
                self.messages.put_nowait(json.dumps({"event": "media", "media": {"payload": payload}}))
                await asyncio.sleep(FRAME_MS / 1000)
            if mark:
                self.messages.put_nowait(json.dumps({"event": "mark", "mark": {"name": mark}}))

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            yield await self.messages.get()


def exchanges_of(
    utterances: Sequence[Utterance], answer: Sequence[tuple[int, bytes, str]], **agent: Any
) -> list[Exchange]:
    """What the carrier measures against such an agent, in virtual time."""

    async def call() -> list[Exchange]:
        far_end = Agent(answer, **agent)
        found = CarrierCall("CA0")
        line = _Line(cast(Any, far_end), found, "MZ0")
        hearing = asyncio.create_task(line.hear())
        await _talk(line, utterances, Patience(greeting_ms=100, answer_ms=3000, settle_ms=1200))
        hearing.cancel()
        await asyncio.wait({hearing})
        return found.exchanges

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(call())


@pytest.mark.parametrize("after_ms", [100, 410, 1500])
def test_latency_runs_from_the_last_speech_frame_to_the_first_sound(after_ms: int) -> None:
    (exchange,) = exchanges_of([Utterance.of(tone(400))], [(0, tone(300), "a1")], after_ms=after_ms)
    assert exchange.heard_latency_ms == pytest.approx(after_ms, abs=1)


def test_silence_before_the_first_word_of_an_answer_counts_as_waiting() -> None:
    (exchange,) = exchanges_of([Utterance.of(tone(400))], [(0, silence(160) + tone(300), "a1")], after_ms=200)
    assert exchange.heard_latency_ms == pytest.approx(360, abs=1)


def test_silence_behind_the_callers_last_word_is_waiting_too() -> None:
    (exchange,) = exchanges_of([Utterance.of(tone(400) + silence(240))], [(0, tone(300), "a1")], after_ms=500)
    assert exchange.heard_latency_ms == pytest.approx(500, abs=1), "the clock started after the silence"


def test_a_filler_is_not_the_answer() -> None:
    filled = [(0, tone(400), "filler"), (300, tone(600), "answer")]
    (exchange,) = exchanges_of([Utterance.of(tone(400))], filled, after_ms=200)
    assert exchange.heard_latency_ms == pytest.approx(200, abs=1)
    assert exchange.latency_after_ms(1) == pytest.approx(200 + 400 + 300, abs=1)
    assert exchange.latency_after_ms(2) is None, "nothing came after the answer"


def test_an_agent_that_speaks_while_the_caller_does_is_not_taken_for_fast() -> None:
    over, clean = (
        exchanges_of([Utterance.of(tone(800))], [(0, tone(1500), "a1")], after_ms=300, during=during)[0]
        for during in (True, False)
    )
    assert over.talked_over and not clean.talked_over


def test_the_callers_audio_is_cut_to_where_its_sound_ends() -> None:
    spoken = silence(300) + tone(620, level=900) + silence(450)
    utterance = on_the_line(spoken, label="hello")
    length_ms = len(utterance.frames) * FRAME_MS
    assert 620 <= length_ms <= 620 + 2 * TAIL_FRAMES * FRAME_MS
    assert len(utterance.frames) - 1 - utterance.last_sound_frame <= TAIL_FRAMES
    loud = np.abs(np.frombuffer(mulaw.decode(utterance.codes), "<i2").astype(int)).max()
    assert loud > 3000, "a quiet synthetic voice is raised to a telephone's level"


def test_audio_that_goes_on_after_the_last_sound_is_refused() -> None:
    with pytest.raises(TrialFailed, match="goes on for 300 ms"):
        check_end(Utterance.of(tone(200) + silence(300), label="trails off"))
    with pytest.raises(TrialFailed, match="no sound"):
        on_the_line(silence(500), label="nothing")


def test_percentiles_are_nearest_ranks() -> None:
    hundred = [float(value) for value in range(100, 0, -1)]
    assert [percentile(hundred, p) for p in (50, 95, 99, 100)] == [50, 95, 99, 100]
    # Of few values, a high percentile is the worst one that was seen, never an invention between two.
    assert percentile([10.0, 2000.0], 95) == 2000.0
    assert percentile([10.0, 20.0, 30.0], 50) == 20.0
    assert percentile([7.0], 99) == 7.0
    assert percentile([], 50) is None


def test_a_figure_says_of_how_many_values_it_is() -> None:
    assert spread("latency", [3.0, None, 1.0], (50, 99)) == {
        "latency_p50_ms": 1.0, "latency_p99_ms": 3.0, "latency_n": 2,
    }  # fmt: skip
