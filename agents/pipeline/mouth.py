"""Text to audio: voices in order of preference, fixed lines from memory, clause by clause."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from agents.pipeline.ahead import Ahead
from agents.pipeline.fallback import code_of
from agents.pipeline.forecast import FORECAST, Forecast
from agents.pipeline.playout import Playout, Segment
from agents.pipeline.spoken import reader
from voiceops.core.budget import Deadline
from voiceops.core.clock import Clock
from voiceops.core.errors import TtsError
from voiceops.core.plan import AgentProfile, VoiceSpec
from voiceops.core.ports import SpeechChunk, TextToSpeech

_log = logging.getLogger(__name__)

VOICE_REST_MS = 30_000.0
"""A voice that failed is not asked again for this long."""
FILLER_VOICE_MS = 500.0
"""A filler that is not in memory may take this long per voice: it is due now."""

Key = tuple[str, str, str, str]
"""provider, voice, language, spoken text"""


class LineCache:
    """Audio of fixed lines, shared by all calls of a process; the least used goes first."""

    def __init__(self, capacity_bytes: int = 64_000_000) -> None:
        self._capacity = capacity_bytes
        self._held = 0
        self._lines: OrderedDict[Key, tuple[SpeechChunk, ...]] = OrderedDict()

    def get(self, key: Key) -> tuple[SpeechChunk, ...] | None:
        found = self._lines.get(key)
        if found is not None:
            self._lines.move_to_end(key)
        return found

    def put(self, key: Key, chunks: tuple[SpeechChunk, ...]) -> None:
        if key in self._lines:
            return
        self._lines[key] = chunks
        self._held += sum(len(chunk.pcm) for chunk in chunks)
        while self._held > self._capacity and self._lines:
            _, dropped = self._lines.popitem(last=False)
            self._held -= sum(len(chunk.pcm) for chunk in dropped)


LINES = LineCache()
"""The process's cache."""


@dataclass(frozen=True, slots=True)
class Voiced:
    """How one clause got its voice."""

    provider: str
    first_audio_ms: float | None
    """From asking to the first audio; None when no voice could say it."""
    cached: bool = False


class Mouth:
    """One per call. Failing voices are passed over and reported to `failed`."""

    def __init__(
        self,
        *,
        profile: AgentProfile,
        voices: Mapping[str, TextToSpeech],
        playout: Playout,
        clock: Clock,
        failed: Callable[[int, str, str, str, str], None],
        lines: LineCache | None = None,
        ahead: Ahead | None = None,
        forecast: Forecast | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """`failed` takes (turn, provider, next provider or "", code, message); `names` are written
        names with their Hindi spelling, for Hindi voices."""
        self._profile = profile
        self._voices = voices
        self._playout = playout
        self._clock = clock
        self._failed = failed
        self._lines = lines if lines is not None else LINES
        self._ahead = ahead
        self._forecast = forecast or FORECAST
        self._spoken = reader(names or {})
        self._rests_until_ms: dict[str, float] = {}

    def chain(self, language: str) -> list[VoiceSpec]:
        """Voices to try for a language, resting ones last."""
        specs = self._profile.voices.get(language) or self._profile.voices.get(
            self._profile.default_language, ()
        )
        known = [spec for spec in specs if spec.provider in self._voices]
        now = self._clock.now_ms()
        return sorted(known, key=lambda spec: self._rests_until_ms.get(spec.provider, 0.0) > now)

    async def say(
        self,
        segment: Segment,
        language: str,
        *,
        fixed: bool = False,
        timeout_ms: float | None = None,
        first_audio: Callable[[], None] | None = None,
    ) -> Voiced:
        """Synthesise a segment into playout; `fixed` lines come from memory after the first time.

        A voice that fails is followed by the next one from the clause's start: a repeated word is
        better than a lost one. A voice asked with less than the usual time is not put to rest.
        """
        text = self._spoken(segment.text, language)
        timeout = timeout_ms if timeout_ms is not None else self._profile.budget.tts_timeout_ms
        started = self._clock.now_ms()
        self._playout.open(segment)
        try:
            chain = self.chain(language)
            for position, spec in enumerate(chain):
                key = (spec.provider, spec.voice, language, text)
                cached = self._lines.get(key) if fixed else None
                if cached is not None:
                    if first_audio is not None:
                        first_audio()
                    for chunk in cached:
                        await self._playout.put(segment, chunk)
                    return Voiced(spec.provider, self._clock.now_ms() - started, cached=True)
                first: float | None = None
                said: list[SpeechChunk] = []
                try:
                    async with aclosing(self._audio(key, spec, text, language, timeout)) as audio:
                        async for chunk in audio:
                            if first is None:
                                first = self._clock.now_ms() - started
                                if first_audio is not None:
                                    first_audio()
                            said.append(chunk)
                            await self._playout.put(segment, chunk)
                    if first is None:
                        raise TtsError("the voice gave no audio", code="bad_output")
                    if fixed:
                        self._lines.put(key, tuple(said))
                    return Voiced(spec.provider, first)
                except Exception as error:
                    if timeout >= self._profile.budget.tts_timeout_ms:
                        self._rests_until_ms[spec.provider] = self._clock.now_ms() + VOICE_REST_MS
                    following = chain[position + 1].provider if position + 1 < len(chain) else ""
                    self._failed(segment.turn, spec.provider, following, code_of(error), str(error))
            return Voiced("", None)
        finally:
            self._playout.finish(segment)

    def prepare(self, clause_text: str, language: str, *, basis: str) -> None:
        """Begin a first clause's audio ahead of its turn, unless it is in memory. `basis` is what the
        caller had said when it was planned."""
        chain = self.chain(language)
        if self._ahead is None or not chain:
            return
        spec, text = chain[0], self._spoken(clause_text, language)
        key = (spec.provider, spec.voice, language, text)
        if self._lines.get(key) is None:
            timeout = self._profile.budget.tts_timeout_ms
            self._ahead.begin(
                "first_clause", key, basis, lambda _: self._synthesize(spec, text, language, timeout)
            )

    def first_audio_ms(self, language: str) -> float:
        """What the first voice of this language will hardly exceed; the budget while unknown."""
        budget = float(self._profile.budget.tts_ms)
        for spec in self.chain(language)[:1]:
            predicted = self._forecast.predicted_ms("tts", spec.provider)
            return budget if predicted is None else predicted
        return budget

    async def warm(self, texts: list[tuple[str, str]]) -> None:
        """Put fixed lines, as (text, language), into memory; failures are left for the day
        the line is needed."""
        for written, language in texts:
            text = self._spoken(written, language)
            for spec in self.chain(language)[:1]:
                key = (spec.provider, spec.voice, language, text)
                if self._lines.get(key) is not None:
                    continue
                try:
                    timeout = self._profile.budget.tts_timeout_ms
                    chunks = [chunk async for chunk in self._synthesize(spec, text, language, timeout)]
                except Exception as error:
                    _log.info("line_not_warmed", extra={"provider": spec.provider, "error": repr(error)})
                    continue
                if chunks:
                    self._lines.put(key, tuple(chunks))

    def _audio(
        self, key: Key, spec: VoiceSpec, text: str, language: str, timeout_ms: float
    ) -> AsyncGenerator[SpeechChunk]:
        """Audio that was begun ahead, or begun now."""
        if self._ahead is None:
            return self._synthesize(spec, text, language, timeout_ms)
        return self._ahead.take(
            "first_clause", key, lambda _: self._synthesize(spec, text, language, timeout_ms)
        )

    async def _synthesize(
        self, spec: VoiceSpec, text: str, language: str, timeout_ms: float
    ) -> AsyncGenerator[SpeechChunk]:
        """Chunks, each read bound by the timeout: a stalled voice is a failed one."""
        deadline = Deadline.after_ms(timeout_ms * 4, self._clock)
        asked: float | None = self._clock.now_ms()
        stream = self._voices[spec.provider].synthesize(
            text, language=language, voice=spec.voice, deadline=deadline
        )
        try:
            while True:
                async with asyncio.timeout(timeout_ms / 1000):
                    try:
                        chunk = await anext(stream)
                    except StopAsyncIteration:
                        return
                if chunk.pcm:
                    if asked is not None:
                        self._forecast.observe("tts", spec.provider, self._clock.now_ms() - asked)
                        asked = None
                    yield chunk
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
