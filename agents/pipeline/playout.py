"""The agent's audio, paced to real time, with a record of what was really played."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import soxr

from voiceops.core.audio import pcm_bytes, pcm_duration_ms
from voiceops.core.clock import Clock
from voiceops.core.ports import Outbound, SpeechChunk

FRAME_MS = 20.0
AHEAD_MS = 200.0
"""How far sending may run ahead of playing: covers network jitter, small enough to take back."""
BUFFER_MS = 2000.0
"""Synthesis waits beyond this."""
CHARACTER_MS = 65.0
"""Speaking time of one character, until the real length is known: Hibari takes 50 to 67."""

Purpose = Literal["answer", "filler", "greeting", "fallback"]


AUDIBLE = 300
"""Sample value (of 32767, about -41 dBFS) from which a frame counts as sound."""


def audible(frame: bytes) -> bool:
    return bool(np.abs(np.frombuffer(frame, "<i2").astype(np.int32)).max(initial=0) >= AUDIBLE)


@dataclass(eq=False, slots=True)
class Segment:
    """One clause on its way to the caller. Times are on the call's clock, in milliseconds."""

    name: str
    turn: int
    text: str
    """As written: what captions show."""
    purpose: Purpose
    queued_ms: float = 0.0
    sent_ms: float = 0.0
    complete: bool = False
    """No more audio will come."""
    first_sent_at_ms: float | None = None
    first_audible_at_ms: float | None = None
    """When its first frame with sound in it was sent."""
    plays_at_ms: float | None = None
    """When its first frame reaches the caller's ear, as far as pacing can tell."""
    confirmed: bool = False
    """The transport's mark came back: all of it was heard."""
    cut_heard_ms: float | None = None
    """Set when it was cut off: how much of it was heard."""

    @property
    def length_ms(self) -> float:
        """Real length when all audio is known, else an estimate from the text."""
        if self.complete:
            return self.queued_ms
        return max(self.queued_ms, len(self.text) * CHARACTER_MS)

    def heard_ms(self, now_ms: float, lag_ms: float = 0.0) -> float:
        if self.cut_heard_ms is not None:
            return self.cut_heard_ms
        if self.confirmed:
            return self.sent_ms
        if self.plays_at_ms is None:
            return 0.0
        return min(self.sent_ms, max(0.0, now_ms - lag_ms - self.plays_at_ms))

    def heard_text(self, now_ms: float, lag_ms: float = 0.0) -> str:
        """The words that were played, by their share of the duration."""
        heard = self.heard_ms(now_ms, lag_ms)
        if heard <= 0:
            return ""
        length = self.length_ms
        if self.complete and heard >= length - FRAME_MS:
            return self.text
        # A word counts once most of it was played; word lengths stand for their durations.
        words = self.text.split()
        total = sum(len(word) + 1 for word in words)
        position, said = 0.0, []
        for word in words:
            position += len(word) + 1
            if position / total * length > heard + 0.3 * (len(word) / total * length):
                break
            said.append(word)
        return " ".join(said)


@dataclass(eq=False, slots=True)
class _Queue:
    segment: Segment
    audio: bytearray = field(default_factory=bytearray)
    resampler: Any = None
    rate_hz: int = 0


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
        self._by_name: dict[str, Segment] = {}
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._plays_until_ms = 0.0
        self._lag_ms = 0.0
        self._generation = 0

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
        if self._buffered_ms() > 0 or self.audible:
            return None
        return self._plays_until_ms

    def heard_text(self, segment: Segment) -> str:
        return segment.heard_text(self._call_ms(), self._lag_ms)

    def heard_ms(self, segment: Segment) -> float:
        return segment.heard_ms(self._call_ms(), self._lag_ms)

    def played(self, name: str) -> None:
        """The transport reports that everything up to this mark was played."""
        segment = self._by_name.pop(name, None)
        if segment is None or segment.cut_heard_ms is not None:
            return
        segment.confirmed = True
        if segment.plays_at_ms is not None:
            late = self._call_ms() - (segment.plays_at_ms + segment.sent_ms)
            self._lag_ms = min(max(0.0, late), 2000.0)

    # Writing --------------------------------------------------------------------------

    def open(self, segment: Segment) -> None:
        """Put a segment in line; a filler goes before clauses that have no audio yet."""
        place = len(self._queue)
        if segment.purpose == "filler":
            while place and not self._queue[place - 1].audio and not self._queue[place - 1].segment.sent_ms:
                place -= 1
        self._queue.insert(place, _Queue(segment))
        self._by_name[segment.name] = segment
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
            short = -len(queue.audio) % self._frame_bytes
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
                for segment in self._by_name.values():
                    segment.confirmed = segment.complete
                return
            await self._clock.sleep_ms(rest)

    def cut(self) -> None:
        """Drop what is queued and freeze how much of each segment was heard.

        The caller of this sends the transport's `clear` right after.
        """
        now = self._call_ms()
        for queue in self._queue:
            self._freeze(queue.segment, now)
        for segment in self._by_name.values():
            self._freeze(segment, now)
        self._generation += 1
        self._queue.clear()
        self._by_name.clear()
        self._plays_until_ms = min(self._plays_until_ms, now)
        self._room.set()
        self._quiet.set()

    def _freeze(self, segment: Segment, now: float) -> None:
        if segment.cut_heard_ms is None and not segment.confirmed:
            segment.cut_heard_ms = segment.heard_ms(now, self._lag_ms)

    # Sending --------------------------------------------------------------------------

    async def run(self) -> None:
        """Send frames, at most `AHEAD_MS` ahead of real time, until cancelled."""
        while True:
            if not self._queue:
                self._quiet.set()
                self._wake.clear()
                await self._wake.wait()
                continue
            queue = self._queue[0]
            if len(queue.audio) >= self._frame_bytes:
                await self._send(queue)
            elif queue.segment.complete:
                self._queue.popleft()
                if queue.segment.sent_ms:
                    await self._out.mark(queue.segment.name)
            else:
                self._wake.clear()
                await self._wake.wait()

    async def _send(self, queue: _Queue) -> None:
        generation = self._generation
        ahead = self._plays_until_ms - self._call_ms()
        if ahead > AHEAD_MS - FRAME_MS:
            await self._clock.sleep_ms(ahead - (AHEAD_MS - FRAME_MS))
            if generation != self._generation:
                return
        frame = bytes(queue.audio[: self._frame_bytes])
        del queue.audio[: self._frame_bytes]
        segment = queue.segment
        now = self._call_ms()
        plays_at = max(now, self._plays_until_ms)
        self._plays_until_ms = plays_at + FRAME_MS
        first = segment.first_sent_at_ms is None
        if first:
            segment.first_sent_at_ms, segment.plays_at_ms = now, plays_at
        if segment.first_audible_at_ms is None and audible(frame):
            segment.first_audible_at_ms = now
        segment.sent_ms += FRAME_MS
        await self._out.audio(frame)
        if first and self._started is not None:
            self._started(segment)
        if self._sent is not None:
            self._sent(segment, frame)
        if self._buffered_ms() <= BUFFER_MS:
            self._room.set()

    def _buffered_ms(self) -> float:
        return sum(len(queue.audio) / 2 / self._rate * 1000 for queue in self._queue)

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
