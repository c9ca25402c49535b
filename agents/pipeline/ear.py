"""Audio in, utterances out: VAD windows, transcripts while the caller speaks, end of turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import numpy as np
import soxr

from agents.pipeline.barge_in import is_meant, is_voice, threshold
from agents.pipeline.echo import EchoGuard
from agents.pipeline.endpointing import Endpointing
from agents.pipeline.foreground import Foreground
from agents.pipeline.hearing import Hearing, Utterance
from agents.pipeline.recogniser import Recogniser
from agents.pipeline.upsample import Doubler
from voiceops.core.audio import PIPELINE_RATE_HZ
from voiceops.core.budget import Deadline
from voiceops.core.clock import Clock
from voiceops.core.events import Endpoint, Transcript
from voiceops.core.ports import VadStream

T = TypeVar("T")

START_MS = 90.0
"""Voiced time that opens an utterance: three Silero windows of 32 ms, as its own VADIterator."""
PRE_ROLL_MS = 300.0
MAX_UTTERANCE_MS = 30_000.0
"""Whisper's window; a longer monologue is cut into turns."""
VAD_TIMEOUT_MS = 250.0
VAD_RETRY_MS = 5000.0
ENERGY_GATE_RMS = 500.0
"""int16 RMS that counts as speech while the VAD is down."""


class EarEvents(Protocol):
    """Who is told what the ear hears. None of these may block."""

    def speech_started(self, at_ms: float) -> None: ...

    def speech_stopped(self, at_ms: float) -> None: ...

    def barge_in(self, at_ms: float) -> None: ...

    def partial(self, transcript: Transcript) -> None: ...

    def candidate(self, transcript: Transcript) -> None: ...

    def end_of_turn(self, utterance: Utterance) -> None: ...

    def vad_failed(self, message: str) -> None: ...


class Ear:
    """Feed it PCM as it arrives; it tells `events` what was said.

    Decodes run in `scope` (the call's TaskGroup), never in the audio path: a slow recogniser
    delays words, not frames.
    """

    def __init__(
        self,
        *,
        vad: VadStream,
        open_recogniser: Callable[[], Recogniser],
        events: EarEvents,
        scope: asyncio.TaskGroup,
        clock: Clock,
        call_ms: Callable[[], float],
        agent_audible: Callable[[], bool],
        language: Callable[[], str],
        window_samples: int = 512,
        endpointing: Endpointing | None = None,
    ) -> None:
        self._vad = vad
        self._open = open_recogniser
        self._events = events
        self._scope = scope
        self._clock = clock
        self._call_ms = call_ms
        self._agent_audible = agent_audible
        self._language = language
        self._window_bytes = window_samples * 2
        self._window_ms = window_samples / PIPELINE_RATE_HZ * 1000
        self._endpointing = endpointing or Endpointing.of("adaptive")
        self._echo = EchoGuard()
        self._foreground = Foreground(self._window_ms)
        self._doubler = Doubler()
        self._resampler: Any = None
        self._in_rate = 0
        self._pending = bytearray()
        self._pre_roll: deque[bytes] = deque(maxlen=int(PRE_ROLL_MS / self._window_ms))
        self._run_up_ms = 0.0
        self._heard: Hearing | None = None
        self._overlapping = False
        """The utterance began while the agent was audible."""
        self._vad_again_at_ms = 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def caller_speaking(self) -> bool:
        return self._heard is not None

    async def hear(self, pcm: bytes, sample_rate_hz: int, at_ms: float) -> None:
        """Take one frame of any length, int16 mono, whose last sample was heard at call time
        `at_ms`."""
        self._pending += self._resample(pcm, sample_rate_hz)
        while len(self._pending) >= self._window_bytes:
            window = bytes(self._pending[: self._window_bytes])
            del self._pending[: self._window_bytes]
            behind = len(self._pending) / 2 / PIPELINE_RATE_HZ * 1000
            await self._window(window, at_ms - behind)

    def agent_sent(self, pcm: bytes, duration_ms: float, at_ms: float) -> None:
        """A frame of the agent's voice that plays from call time `at_ms`: what an echo is told by."""
        self._echo.sent(pcm, duration_ms, at_ms)

    def agent_cut(self, at_ms: float) -> None:
        """What the agent would have said after this was taken back."""
        self._echo.cut(at_ms)

    def cut_off(self) -> None:
        """No audio comes any more: what was being said ends here."""
        if (heard := self._heard) is not None:
            self._finish(heard, self._endpointing.forced("cut_off", heard.silence_ms))

    def was_cut_in(self, gap_ms: float) -> None:
        """The end of a turn was decided too soon: the caller went on after `gap_ms`."""
        self._endpointing.went_on(gap_ms)

    async def aclose(self) -> None:
        """Nobody listens any more: decodes that still run are of no use."""
        self._heard = None
        for task in tuple(self._tasks):
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = self._scope.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _resample(self, pcm: bytes, rate_hz: int) -> bytes:
        if rate_hz == PIPELINE_RATE_HZ:
            return pcm
        if rate_hz * 2 == PIPELINE_RATE_HZ:
            return self._doubler.feed(pcm)
        if rate_hz != self._in_rate:
            self._resampler = soxr.ResampleStream(rate_hz, PIPELINE_RATE_HZ, 1, dtype="int16", quality="MQ")
            self._in_rate = rate_hz
        out = self._resampler.resample_chunk(np.frombuffer(pcm, dtype="<i2"))
        return bytes(out.astype("<i2").tobytes())

    async def _probability(self, window: bytes, rms: float) -> float:
        by_energy = 1.0 if rms >= ENERGY_GATE_RMS else 0.0
        if self._vad_again_at_ms > self._clock.now_ms():
            return by_energy
        deadline = Deadline.after_ms(VAD_TIMEOUT_MS, self._clock)
        try:
            async with deadline.timeout():
                return await self._vad.probability(window)
        except Exception as error:
            # Asking again for every window would put the ear behind the caller.
            self._vad_again_at_ms = self._clock.now_ms() + VAD_RETRY_MS
            self._events.vad_failed(str(error) or "no answer in time")
            return by_energy

    async def _window(self, window: bytes, now: float) -> None:
        samples = np.frombuffer(window, dtype="<i2").astype(np.float32)
        rms = float(np.sqrt(np.mean(samples * samples)))
        probability = await self._probability(window, rms)
        self._echo.heard(samples, now, self._window_ms)
        audible = self._agent_audible() or self._echo.active(now)
        voice = is_voice(probability, rms, agent_audible=audible)
        if self._heard is not None:
            voice = voice or self._still_voiced(probability, audible)
        if voice and self._echo.explains(now):
            voice = False
        if not voice:
            self._foreground.nobody(rms)
        elif self._heard is None:
            voice = self._foreground.stands_out(rms)
        else:
            voice = self._foreground.is_caller(rms)
        if self._heard is None:
            self._listen(window, voice, now)
        else:
            self._follow(self._heard, window, voice, now)

    def _still_voiced(self, probability: float, audible: bool) -> bool:
        """Hysteresis as Silero's own iterator: speech ends 0.15 below where it starts."""
        return probability >= threshold(agent_audible=audible) - 0.15

    def _listen(self, window: bytes, voice: bool, now: float) -> None:
        self._pre_roll.append(window)
        self._run_up_ms = self._run_up_ms + self._window_ms if voice else 0.0
        if self._run_up_ms < START_MS:
            return
        recogniser = self._open()
        for early in self._pre_roll:
            recogniser.push(early)
        self._heard = Hearing(
            recogniser, spawn=self._spawn, call_ms=self._call_ms, partial=self._events.partial,
            candidate=self._events.candidate,
            started_ms=now - self._run_up_ms, speech_ms=self._run_up_ms, last_voiced_ms=now,
        )  # fmt: skip
        self._foreground.opens()
        self._overlapping = self._agent_audible()
        self._pre_roll.clear()
        self._run_up_ms = 0.0
        self._events.speech_started(self._heard.started_ms)

    def _follow(self, heard: Hearing, window: bytes, voice: bool, now: float) -> None:
        if voice:
            self._endpointing.went_on(heard.silence_ms)
            if heard.silence_ms >= self._endpointing.speculate_ms:
                self._events.speech_started(now)
            heard.voiced(window, self._window_ms, now)
            if not heard.barged_in and is_meant(
                heard.text, heard.speech_ms, confidence=heard.text_confidence,
                over_agent=self._overlapping, wordless=heard.wordless,
            ):  # fmt: skip
                heard.barged_in = True
                self._events.barge_in(now)
        else:
            heard.silent(window, self._window_ms)
            if not heard.is_decided and heard.silence_ms >= self._endpointing.speculate_ms:
                self._events.speech_stopped(heard.last_voiced_ms)
                heard.decode_final()
        endpoint = None
        if heard.audio_ms >= MAX_UTTERANCE_MS:
            endpoint = self._endpointing.forced("too_long", heard.silence_ms)
        elif not voice:
            endpoint = self._endpointing.decide(
                silence_ms=heard.silence_ms, speech_ms=heard.speech_ms, text=heard.latest,
                words_known=heard.words_known, language=self._language(), overlapping=self._overlapping,
                confidence=heard.confidence,
            )  # fmt: skip
        if endpoint is not None:
            self._finish(heard, endpoint)

    def _finish(self, heard: Hearing, endpoint: Endpoint) -> None:
        self._heard = None
        self._vad.reset()
        utterance = heard.finish()
        utterance.endpoint, utterance.over_agent = endpoint, self._overlapping
        self._events.end_of_turn(utterance)
