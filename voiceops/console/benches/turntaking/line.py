"""Both ends of a scripted phone line: what the caller's handset plays, and what it sends."""

from __future__ import annotations

import asyncio

import numpy as np

from telephony.api import mulaw
from voiceops.console.benches.turntaking import sounds
from voiceops.console.benches.turntaking.sounds import RATE_HZ, Samples
from voiceops.console.benches.turntaking.suite import Echo
from voiceops.core.audio import pcm_duration_ms
from voiceops.core.events import WireAudio, WireEvent, WireMark
from voiceops.core.streams import DropOldest

FRAME_MS = 20
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
LONGEST_S = 240
AUDIBLE = 300
"""Sample value from which the agent counts as heard."""
GAP_MS = 400.0
"""A shorter pause of the agent does not end its sound."""


def now_ms() -> float:
    return asyncio.get_running_loop().time() * 1000


class Handset:
    """`Outbound`: plays the agent's audio in real time, answers marks, and knows what was heard.

    Times are milliseconds since `begun_ms`, the loop's time at which the call began.
    """

    sample_rate_hz = RATE_HZ

    def __init__(self, inbound: DropOldest[WireEvent], begun_ms: float) -> None:
        self._inbound = inbound
        self._begun_ms = begun_ms
        self.track: Samples = np.zeros(LONGEST_S * RATE_HZ, np.float32)
        """What the caller hears, by time."""
        self.plays_until_ms = 0.0
        self.stops: list[float] = []
        """When audio was taken back while it played."""
        self.hung_up = ""
        self._marks: list[asyncio.TimerHandle] = []

    def ms(self) -> float:
        return now_ms() - self._begun_ms

    @property
    def playing(self) -> bool:
        return self.plays_until_ms > self.ms()

    async def audio(self, pcm: bytes) -> None:
        start_ms = max(self.ms(), self.plays_until_ms)
        self.plays_until_ms = start_ms + pcm_duration_ms(pcm, RATE_HZ)
        at = round(start_ms * RATE_HZ / 1000)
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        end = min(len(self.track), at + len(samples))
        self.track[at:end] = samples[: max(0, end - at)]

    async def mark(self, name: str) -> None:
        delay_s = max(0.0, self.plays_until_ms - self.ms()) / 1000
        loop = asyncio.get_running_loop()
        self._marks.append(loop.call_later(delay_s, self._inbound.put, WireMark(name)))

    async def clear(self) -> None:
        now = self.ms()
        if self.plays_until_ms > now:
            self.stops.append(now)
            self.track[round(now * RATE_HZ / 1000) :] = 0
        self.plays_until_ms = min(self.plays_until_ms, now)
        for handle in self._marks:
            handle.cancel()

    async def hangup(self, reason: str) -> None:
        self.hung_up = reason

    def first_sound_ms(self, after_ms: float) -> float | None:
        """When the agent was first heard after a time; None while it was not."""
        start = round(after_ms * RATE_HZ / 1000)
        end = round(self.ms() * RATE_HZ / 1000)
        loud = np.flatnonzero(np.abs(self.track[start:end]) >= AUDIBLE)
        return after_ms + float(loud[0]) / RATE_HZ * 1000 if len(loud) else None

    def heard(self) -> tuple[tuple[float, float], ...]:
        """Stretches of the agent's sound as (start, end)."""
        loud = np.flatnonzero(np.abs(self.track) >= AUDIBLE).astype(np.float64) / RATE_HZ * 1000
        if not len(loud):
            return ()
        cuts = np.flatnonzero(np.diff(loud) > GAP_MS)
        starts = [loud[0], *loud[cuts + 1]]
        ends = [*loud[cuts], loud[-1]]
        return tuple((float(a), float(b)) for a, b in zip(starts, ends, strict=True))


class Microphone:
    """Sends a frame every 20 ms: what was put on its track, the noise around, and the agent's echo,
    all through mu-law."""

    def __init__(
        self,
        handset: Handset,
        inbound: DropOldest[WireEvent],
        *,
        background: Samples | None = None,
        echo: Echo | None = None,
    ) -> None:
        self._handset = handset
        self._inbound = inbound
        self._background = background
        self._echo = echo
        self._track: Samples = np.zeros(LONGEST_S * RATE_HZ, np.float32)
        self.sent_ms = 0.0

    def put(self, samples: Samples, at_ms: float) -> float:
        """Say this at a time not sent yet; when it will have been said."""
        at = round(at_ms * RATE_HZ / 1000)
        sounds.mixed(self._track, samples, at)
        return (at + len(samples)) / RATE_HZ * 1000

    async def run(self) -> None:
        """Until cancelled, or the longest call is over."""
        gain = 10 ** (self._echo.level_db / 20) if self._echo is not None else 0.0
        behind = round(self._echo.delay_ms * RATE_HZ / 1000) if self._echo is not None else 0
        while self.sent_ms + FRAME_MS <= LONGEST_S * 1000:
            await asyncio.sleep(max(0.0, self.sent_ms + FRAME_MS - self._handset.ms()) / 1000)
            at = round(self.sent_ms * RATE_HZ / 1000)
            frame = self._track[at : at + FRAME_SAMPLES].copy()
            if self._background is not None:
                frame += np.take(self._background, range(at, at + FRAME_SAMPLES), mode="wrap")
            if gain and at >= behind:
                frame += np.float32(gain) * self._handset.track[at - behind : at - behind + FRAME_SAMPLES]
            pcm = np.clip(frame, -32767, 32767).astype("<i2").tobytes()
            self._inbound.put(WireAudio(mulaw.decode(mulaw.encode(pcm)), round(self.sent_ms)))
            self.sent_ms += FRAME_MS
