"""Pacing, marks and what was really heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agents.pipeline.playout import Playout, Segment
from tests.fakes.ports import FakeLine, silence, voice
from voiceops.core.clock import LoopClock
from voiceops.core.ports import SpeechChunk

TEXT = "one two three four five six seven eight nine ten"


@asynccontextmanager
async def playing(line: FakeLine) -> AsyncIterator[Playout]:
    clock = LoopClock()
    start = clock.now_ms()
    playout = Playout(line, clock, call_ms=lambda: clock.now_ms() - start)
    task = asyncio.create_task(playout.run())
    try:
        yield playout
    finally:
        task.cancel()
        await asyncio.wait([task])


async def queue(playout: Playout, name: str, duration_ms: float, text: str = TEXT) -> Segment:
    segment = Segment(name, 1, text, "answer")
    playout.open(segment)
    await playout.put(segment, SpeechChunk(voice(duration_ms), 16_000))
    playout.finish(segment)
    return segment


async def test_audio_leaves_in_real_time() -> None:
    """Sent all at once, a barge-in could not take it back."""
    line = FakeLine()
    async with playing(line) as playout:
        start = line.now_ms()
        await queue(playout, "a", 1800)
        await asyncio.sleep(1.0)
        sent_ms = len(line.frames) * 20
        assert 1000 <= sent_ms <= 1000 + 220
        for position, (at, _) in enumerate(line.frames):
            assert at - start >= position * 20 - 200
        await playout.drained()
        assert len(line.frames) == 90 and line.now_ms() - start >= 1800


async def test_a_synthesis_that_is_faster_than_speech_has_to_wait() -> None:
    line = FakeLine()
    async with playing(line) as playout:
        start = line.now_ms()
        segment = Segment("a", 1, TEXT, "answer")
        playout.open(segment)
        for _ in range(30):
            await playout.put(segment, SpeechChunk(voice(200), 16_000))
        waited = line.now_ms() - start
        assert 6000 - 2000 - 600 <= waited <= 6000 - 2000 + 200


@pytest.mark.parametrize("after_ms", [0, 300, 1000, 2100, 4000])
async def test_a_cut_sentence_keeps_the_words_that_were_played(after_ms: int) -> None:
    line = FakeLine()
    async with playing(line) as playout:
        segment = await queue(playout, "a", 4000)
        await asyncio.sleep(after_ms / 1000)
        playout.cut()
        heard = playout.heard_text(segment)
        sent = len(line.frames)
        await asyncio.sleep(1)
        assert len(line.frames) == sent, "audio leaves after the cut"
    assert TEXT.startswith(heard)
    expected = after_ms / 4000 * 10
    assert abs(len(heard.split()) - expected) <= 1.5
    assert playout.heard_ms(segment) <= segment.sent_ms <= segment.queued_ms


async def test_marks_correct_for_a_slow_network() -> None:
    """Words still travelling when the caller cuts in were not heard."""
    line = FakeLine()
    async with playing(line) as playout:
        first = await queue(playout, "a", 1000)
        second = await queue(playout, "b", 4000)
        await asyncio.sleep(1.8)
        playout.played("a")  # 800 ms late
        await asyncio.sleep(1.2)
        playout.cut()
        assert playout.heard_text(first) == TEXT
        assert 1000 <= playout.heard_ms(second) <= 1400


async def test_a_filler_goes_before_a_clause_without_audio() -> None:
    line = FakeLine()
    async with playing(line) as playout:
        answer = Segment("a", 1, "the answer", "answer")
        playout.open(answer)
        filler = Segment("f", 1, "one moment", "filler")
        playout.open(filler)
        await playout.put(filler, SpeechChunk(voice(400), 16_000))
        playout.finish(filler)
        await asyncio.sleep(0.5)
        assert filler.sent_ms == 400 and answer.sent_ms == 0
        await playout.put(answer, SpeechChunk(voice(400), 16_000))
        playout.finish(answer)
        await playout.drained()
        assert answer.sent_ms == 400


async def test_another_rate_is_resampled_whole() -> None:
    line = FakeLine(sample_rate_hz=8000)
    async with playing(line) as playout:
        segment = Segment("a", 1, TEXT, "answer")
        playout.open(segment)
        for _ in range(10):
            await playout.put(segment, SpeechChunk(voice(100, 24_000), 24_000))
        playout.finish(segment)
        await playout.drained()
    assert abs(segment.sent_ms - 1000) <= 40
    assert {len(pcm) for _, pcm in line.frames} == {320}


async def test_silence_of_the_voice_is_no_end() -> None:
    line = FakeLine()
    async with playing(line) as playout:
        segment = Segment("a", 1, TEXT, "answer")
        playout.open(segment)
        await playout.put(segment, SpeechChunk(silence(200), 16_000))
        drained = asyncio.create_task(playout.drained())
        await asyncio.sleep(3)
        assert not drained.done()
        playout.finish(segment)
        await drained


async def test_a_sentence_that_nobody_cut_was_heard_to_its_end_though_its_mark_is_late() -> None:
    """The trace said "Shall I book" of "Shall I book it?" on lines that answer marks late."""
    line = FakeLine()
    async with playing(line) as playout:
        late = await queue(playout, "late", 400)
        await playout.drained()
        await asyncio.sleep(0.6)
        playout.played("late")
        segment = await queue(playout, "a", 1000)
        await playout.drained()
        assert playout.heard_text(segment) == TEXT
        assert playout.heard_text(late) == TEXT


async def test_latency_ends_with_sound_not_with_the_silence_before_it() -> None:
    line = FakeLine()
    async with playing(line) as playout:
        segment = Segment("a", 1, TEXT, "answer")
        playout.open(segment)
        await playout.put(segment, SpeechChunk(silence(300), 16_000))
        await playout.put(segment, SpeechChunk(voice(400), 16_000))
        playout.finish(segment)
        await playout.drained()
    assert segment.first_sent_at_ms is not None and segment.first_audible_at_ms is not None
    assert segment.first_audible_at_ms - segment.first_sent_at_ms >= 80
