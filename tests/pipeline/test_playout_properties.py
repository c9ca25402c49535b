"""What is taken for heard, whatever holds, resumes and cuts come in whatever order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.pipeline.playout import Playout, Segment
from tests.fakes.ports import FakeLine
from tests.fakes.virtual_time import VirtualTimeLoop
from voiceops.core.clock import LoopClock
from voiceops.core.ports import SpeechChunk

TEXT = "one two three four five six seven eight nine ten"
FRAME_MS = 20.0

Action = tuple[str, int]
ACTIONS = st.one_of(
    st.tuples(st.just("say"), st.integers(1, 2600)),
    st.tuples(st.just("wait"), st.integers(1, 1500)),
    st.tuples(st.sampled_from(["hold", "resume", "cut"]), st.just(0)),
)


def spoken(duration_ms: float, seed: int) -> bytes:
    """Words and the gaps between them."""
    count = int(duration_ms * 16)
    loudness = np.abs(np.sin(np.arange(count) / 3200 + seed)) * 8000
    return bytes((loudness * np.sin(np.arange(count) / 12)).astype("<i2").tobytes())


class Desk:
    """A playout, its line, and what was ever said."""

    def __init__(self, late_ms: int) -> None:
        self.line = FakeLine()
        self.clock = LoopClock()
        start = self.clock.now_ms()
        self.playout = Playout(self.line, self.clock, call_ms=lambda: self.clock.now_ms() - start)
        self.line.answer_mark = lambda name: self._later(late_ms, name)
        self.segments: list[Segment] = []
        self.cut: dict[str, float] = {}
        """What was heard of each segment, when it was cut."""
        self.voice = asyncio.Lock()
        """One clause is synthesised after the other."""
        self.tasks = [asyncio.create_task(self.playout.run())]

    def _later(self, late_ms: int, name: str) -> None:
        asyncio.get_running_loop().call_later(late_ms / 1000, self.playout.played, name)

    def say(self, duration_ms: int) -> None:
        self.tasks.append(asyncio.create_task(self._synthesize(duration_ms)))

    async def _synthesize(self, duration_ms: int) -> None:
        async with self.voice:
            segment = Segment(f"s{len(self.segments)}", 1, TEXT, "answer")
            self.segments.append(segment)
            self.playout.open(segment)
            for at in range(0, duration_ms, 400):
                part = spoken(min(400, duration_ms - at), at)
                await self.playout.put(segment, SpeechChunk(part, 16_000))
                await asyncio.sleep(0.05)
            self.playout.finish(segment)

    async def do(self, action: Action) -> None:
        match action:
            case "say", duration_ms:
                self.say(duration_ms)
                await asyncio.sleep(0)
            case "wait", duration_ms:
                await asyncio.sleep(duration_ms / 1000)
            case "hold", _:
                self.playout.hold()
                await self.line.clear()
            case "resume", _:
                self.playout.resume()
            case "cut", _:
                self.playout.cut()
                await self.line.clear()
                self.cut |= {
                    s.name: self.playout.heard_ms(s) for s in self.segments if s.name not in self.cut
                }

    def check(self) -> None:
        played_ms = FRAME_MS * len(self.line.frames)
        total = 0.0
        for segment in self.segments:
            heard = self.playout.heard_ms(segment)
            total += heard
            # The last frame is filled up with silence.
            assert 0 <= heard < segment.queued_ms + FRAME_MS, "more was heard than was synthesised"
            assert segment.sent_ms < segment.queued_ms + FRAME_MS
            assert TEXT.startswith(self.playout.heard_text(segment))
            if not heard:
                assert not self.playout.heard_text(segment)
            if segment.name in self.cut:
                assert heard == self.cut[segment.name], "what was cut off was heard later on"
        assert total <= played_ms, "more was heard than was sent"

    async def aclose(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


async def conversation(actions: Sequence[Action], late_ms: int) -> None:
    desk = Desk(late_ms)
    try:
        for action in actions:
            await desk.do(action)
            desk.check()
            if desk.playout.held:
                sent = len(desk.line.frames)
                await asyncio.sleep(0.1)
                assert len(desk.line.frames) == sent, "audio leaves during a hold"
        desk.playout.resume()
        await asyncio.wait_for(asyncio.gather(*desk.tasks[1:]), 120)
        await asyncio.wait_for(desk.playout.drained(), 120)
        desk.check()
        for segment in desk.segments:
            if segment.name not in desk.cut:
                heard = desk.playout.heard_ms(segment)
                assert heard >= segment.queued_ms - 60, "words that nobody cut off were lost"
    finally:
        await desk.aclose()


@given(actions=st.lists(ACTIONS, max_size=14), late_ms=st.sampled_from([0, 120, 700]))
@example(actions=[("say", 900), ("wait", 500), ("hold", 0), ("wait", 300), ("resume", 0)], late_ms=0)
@example(
    actions=[("say", 900), ("wait", 880), ("hold", 0), ("resume", 0), ("hold", 0), ("cut", 0)], late_ms=120
)
@settings(max_examples=150, deadline=None)
def test_no_more_is_heard_than_was_synthesised_and_nothing_uncut_is_lost(
    actions: list[Action], late_ms: int
) -> None:
    """Memory would hold words the caller never heard, or the caller miss words the agent believes said."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(conversation(actions, late_ms))
