"""The agent's audio, paced to real time, with a record of what was really played."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soxr

from agents.pipeline.segment import FRAME_MS, WORD_SLACK_MS, Purpose, Segment
from voiceops.core.audio import pcm_bytes, pcm_duration_ms
from voiceops.core.clock import Clock
from voiceops.core.ports import Outbound, SpeechChunk

__all__ = ["Playout", "Purpose", "Segment", "audible"]

AHEAD_MS = 200.0
"""How far sending may run ahead of playing: covers network jitter, small enough to take back."""
BUFFER_MS = 2000.0
"""Synthesis waits beyond this."""

RESTART_MS = 400.0
"""A sentence of which less was heard begins again."""
MOST_LAG_MS = 2000.0
"""A mark may come back so much later than what it marks was due."""
TAIL_MS = 60.0
"""Less than this left of a sentence is nothing to go on with."""


AUDIBLE = 300
"""Sample value (of 32767, about -41 dBFS) from which a frame counts as sound."""


def audible(frame: bytes) -> bool:
    return bool(np.abs(np.frombuffer(frame, "<i2").astype(np.int32)).max(initial=0) >= AUDIBLE)


@dataclass(eq=False, slots=True)
class _Queue:
    segment: Segment
    audio: bytearray = field(default_factory=bytearray)
    """All of it: what was sent stays until it was heard."""
    position: int = 0
    """Bytes that were sent."""
    resampler: Any = None
    rate_hz: int = 0

    @property
    def left(self) -> int:
        """Bytes still to be sent."""
        return len(self.audio) - self.position


class Playout:
    """One per call. `put` blocks at two seconds of audio; `run` sends until cancelled."""

    def __init__(
        self,
        outbound: Outbound,
        clock: Clock,
        *,
        call_ms: Callable[[], float],
        sent: Callable[[Segment, bytes], None] | None = None,
        started: Callable[[Segment], None] | None = None,
    ) -> None:
        """`started` hears of each segment's first frame, `sent` of every frame."""
        self._out = outbound
        self._rate = outbound.sample_rate_hz
        self._frame_bytes = pcm_bytes(FRAME_MS, self._rate)
        self._clock = clock
        self._call_ms = call_ms
        self._sent = sent
        self._started = started
        self._queue: deque[_Queue] = deque()
        self._unheard: list[_Queue] = []
        """Sent to their end and perhaps not yet heard."""
        self._marks: dict[str, Segment] = {}
        self._held = False
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._plays_until_ms = 0.0
        self._lag_ms = 0.0
        self._generation = 0
        """Counts cuts: what waits for room gives up."""
        self._epoch = 0
        """Counts cuts and holds: a frame about to be sent is not."""

    # What is heard --------------------------------------------------------------------

    @property
    def audible(self) -> bool:
        """Whether the caller hears the agent now."""
        return self._call_ms() < self._plays_until_ms + self._lag_ms

    @property
    def awaits_audio(self) -> bool:
        """Whether words of an answer are with the voice and no sound of them has come."""
        return any(queue.segment.purpose != "filler" and not queue.segment.queued_ms for queue in self._queue)

    @property
    def silent_since_ms(self) -> float | None:
        """Call time at which the agent fell silent; None while it is heard or about to be."""
        if self._held or self._buffered_ms() > 0 or self.audible:
            return None
        return self._plays_until_ms

    @property
    def held(self) -> bool:
        return self._held

    @property
    def unheard_ms(self) -> float:
        """Audio that is there and was not sent; after `hold`, what the caller has not heard."""
        return self._buffered_ms()

    def heard_text(self, segment: Segment) -> str:
        return segment.heard_text(self._call_ms(), self._lag_ms)

    def heard_ms(self, segment: Segment) -> float:
        return segment.heard_ms(self._call_ms(), self._lag_ms)

    def played(self, name: str) -> None:
        """The transport reports that everything up to this mark was played."""
        segment = self._marks.pop(name, None)
        if segment is None or segment.cut_heard_ms is not None:
            return
        segment.confirmed = True
        if segment.plays_at_ms is not None:
            late = self._call_ms() - (segment.plays_at_ms + segment.sent_ms)
            self._lag_ms = min(max(0.0, late), MOST_LAG_MS)

    # Writing --------------------------------------------------------------------------

    def open(self, segment: Segment) -> None:
        """Put a segment in line; a filler goes before clauses that have no audio yet."""
        place = len(self._queue)
        if segment.purpose == "filler":
            while place and not self._queue[place - 1].audio:
                place -= 1
        self._queue.insert(place, _Queue(segment))
        self._quiet.clear()
        self._wake.set()

    async def put(self, segment: Segment, chunk: SpeechChunk) -> None:
        """Append audio at any rate; waits while two seconds are buffered."""
        generation = self._generation
        while self._buffered_ms() > BUFFER_MS and generation == self._generation:
            self._room.clear()
            await self._room.wait()
        queue = self._find(segment)
        if queue is None:
            return
        pcm = self._resample(queue, chunk)
        queue.audio += pcm
        segment.queued_ms += pcm_duration_ms(pcm, self._rate)
        self._wake.set()

    def finish(self, segment: Segment) -> None:
        """All audio of the segment was put."""
        queue = self._find(segment)
        if queue is not None:
            if queue.resampler is not None:
                tail = queue.resampler.resample_chunk(np.zeros(0, dtype=np.int16), last=True)
                pcm = tail.astype("<i2").tobytes()
                queue.audio += pcm
                segment.queued_ms += pcm_duration_ms(pcm, self._rate)
            short = -queue.left % self._frame_bytes
            queue.audio += b"\0" * short
        segment.complete = True
        self._wake.set()

    async def drained(self) -> None:
        """Until everything queued has been played to its end."""
        while True:
            await self._quiet.wait()
            rest = self._plays_until_ms - self._call_ms()
            if rest <= 0:
                # Nothing cut it off, so all of it is heard, marks that are still under way or not.
                for queue in self._unheard:
                    queue.segment.confirmed = True
                self._unheard.clear()
                return
            await self._clock.sleep_ms(rest)

    # Stopping -------------------------------------------------------------------------

    def cut(self) -> None:
        """Drop what is queued and freeze how much of each segment was heard.

        The caller of this sends the transport's `clear` right after.
        """
        now = self._call_ms()
        for queue in (*self._unheard, *self._queue):
            self._freeze(queue.segment, now)
        self._generation += 1
        self._epoch += 1
        self._held = False
        self._queue.clear()
        self._unheard.clear()
        self._marks.clear()
        self._plays_until_ms = min(self._plays_until_ms, now)
        self._room.set()
        self._quiet.set()

    def hold(self) -> None:
        """Send nothing more until `resume` or `cut`, and take back what was not heard.

        The caller of this sends the transport's `clear` right after.
        """
        if self._held:
            return
        now = self._call_ms()
        self._held = True
        self._epoch += 1
        back = []
        for queue in self._unheard:
            segment = queue.segment
            if segment.heard_ms(now, self._lag_ms) >= segment.sent_ms - TAIL_MS:
                segment.confirmed = True
            else:
                back.append(queue)
        self._unheard.clear()
        self._marks.clear()
        self._queue.extendleft(reversed(back))
        for queue in self._queue:
            if queue.position:
                self._freeze(queue.segment, now)
                self._rewind(queue)
        self._plays_until_ms = min(self._plays_until_ms, now)
        if self._queue:
            self._quiet.clear()

    def resume(self) -> Segment | None:
        """Go on from the word that was being said. Returns the segment that was in the middle of
        its audio (its `resumed_from_ms` says where), if one was."""
        if not self._held:
            return None
        self._held = False
        for queue in self._queue:
            if queue.segment.cut_heard_ms is not None:
                queue.segment.cut_heard_ms = None
                queue.segment.plays_at_ms = None
        self._wake.set()
        first = self._queue[0] if self._queue else None
        return first.segment if first is not None and first.segment.first_sent_at_ms is not None else None

    def _rewind(self, queue: _Queue) -> None:
        """To the beginning of the word that was being said: the quietest place near it."""
        segment = queue.segment
        heard = segment.heard_ms(self._call_ms(), self._lag_ms)
        start = segment.word_start_ms(heard) if heard > RESTART_MS else 0.0
        frame = self._frame_bytes
        if start > 0:
            audio = np.frombuffer(bytes(queue.audio[: queue.position]), "<i2").astype(np.float32)
            first = int(max(0.0, start - WORD_SLACK_MS) / FRAME_MS)
            last = int(min(start + WORD_SLACK_MS, heard) / FRAME_MS)
            frames = [audio[n * frame // 2 : (n + 1) * frame // 2] for n in range(first, last + 1)]
            levels = [float(np.mean(piece**2)) for piece in frames if len(piece)]
            # Of equally quiet places the latest: nothing is said twice without need.
            quietest = len(levels) - 1 - int(np.argmin(levels[::-1])) if levels else 0
            start = (first + quietest) * FRAME_MS
        queue.position = min(queue.position, int(start / FRAME_MS) * frame)
        segment.resumed_from_ms = segment.sent_ms = queue.position / frame * FRAME_MS

    def _freeze(self, segment: Segment, now: float) -> None:
        if segment.cut_heard_ms is None and not segment.confirmed:
            segment.cut_heard_ms = segment.heard_ms(now, self._lag_ms)

    # Sending --------------------------------------------------------------------------

    async def run(self) -> None:
        """Send frames, at most `AHEAD_MS` ahead of real time, until cancelled."""
        while True:
            if not self._queue:
                self._quiet.set()
            if self._held or not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            queue = self._queue[0]
            if queue.left >= self._frame_bytes:
                await self._send(queue)
            elif queue.segment.complete:
                self._queue.popleft()
                await self._sent_whole(queue)
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _sent_whole(self, queue: _Queue) -> None:
        now = self._call_ms()
        self._unheard = [
            sent for sent in self._unheard if sent.segment.heard_ms(now, MOST_LAG_MS) < sent.segment.sent_ms
        ]
        if queue.segment.sent_ms:
            self._unheard.append(queue)
            # A mark of before a hold must not confirm what is said after it.
            name = f"{queue.segment.name}.{self._epoch}" if self._epoch else queue.segment.name
            self._marks[name] = queue.segment
            await self._out.mark(name)

    async def _send(self, queue: _Queue) -> None:
        epoch = self._epoch
        ahead = self._plays_until_ms - self._call_ms()
        if ahead > AHEAD_MS - FRAME_MS:
            await self._clock.sleep_ms(ahead - (AHEAD_MS - FRAME_MS))
            if epoch != self._epoch:
                return
        frame = bytes(queue.audio[queue.position : queue.position + self._frame_bytes])
        queue.position += self._frame_bytes
        segment = queue.segment
        now = self._call_ms()
        plays_at = max(now, self._plays_until_ms)
        self._plays_until_ms = plays_at + FRAME_MS
        first = segment.first_sent_at_ms is None
        if first:
            segment.first_sent_at_ms = now
        if segment.plays_at_ms is None:
            segment.plays_at_ms = plays_at - segment.sent_ms
        if segment.first_audible_at_ms is None and audible(frame):
            segment.first_audible_at_ms = now
        segment.sent_ms += FRAME_MS
        await self._out.audio(frame)
        if first and self._started is not None:
            self._started(segment)
        if self._sent is not None and epoch == self._epoch:
            self._sent(segment, frame)
        if self._buffered_ms() <= BUFFER_MS:
            self._room.set()

    def _buffered_ms(self) -> float:
        return sum(queue.left / 2 / self._rate * 1000 for queue in self._queue)

    def _find(self, segment: Segment) -> _Queue | None:
        return next((queue for queue in self._queue if queue.segment is segment), None)

    def _resample(self, queue: _Queue, chunk: SpeechChunk) -> bytes:
        if chunk.sample_rate_hz == self._rate:
            return chunk.pcm
        if queue.rate_hz != chunk.sample_rate_hz:
            queue.resampler = soxr.ResampleStream(
                chunk.sample_rate_hz, self._rate, 1, dtype="int16", quality="HQ"
            )
            queue.rate_hz = chunk.sample_rate_hz
        out = queue.resampler.resample_chunk(np.frombuffer(chunk.pcm, dtype="<i2"))
        return bytes(out.astype("<i2").tobytes())
