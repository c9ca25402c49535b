"""A voice for load tests: a soft tone as long as the words would be, after a fixed delay."""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import AsyncGenerator

from agents.providers.settings import Settings, whole
from voiceops.core.budget import Deadline
from voiceops.core.errors import TtsError
from voiceops.core.ports import Capabilities, SpeechChunk

RATE_HZ = 16_000
MS_PER_CHARACTER = 60
CHUNK_MS = 200
TONE_HZ = 200
"""A whole number of periods fits a chunk, so that chunks join without clicks."""


def _tone() -> bytes:
    samples = RATE_HZ * CHUNK_MS // 1000
    return array(
        "h", (round(1500 * math.sin(2 * math.pi * TONE_HZ * i / RATE_HZ)) for i in range(samples))
    ).tobytes()


class SimulatedTts:
    def __init__(self, *, first_audio_ms: int) -> None:
        self.capabilities = Capabilities(
            name="simulated",
            engine=f"simulated TTS ({first_audio_ms} ms)",
            languages=frozenset({"en", "hi"}),
            simulated=True,
            sample_rate_hz=RATE_HZ,
        )
        self._first_audio_ms = first_audio_ms
        self._chunk = _tone()

    async def synthesize(
        self, text: str, *, language: str, voice: str = "", deadline: Deadline
    ) -> AsyncGenerator[SpeechChunk, None]:
        """All audio follows the first chunk at once, 60 ms a character. Raises TtsError."""
        if not text.strip():
            raise TtsError("text is empty: nothing to say", code="invalid", permanent=True)
        if deadline.expired:
            raise TtsError("the deadline had passed before the request", code="timeout")
        try:
            async with deadline.timeout():
                await asyncio.sleep(self._first_audio_ms / 1000)
        except TimeoutError:
            raise TtsError("the simulated voice was slower than its deadline", code="timeout") from None
        left = len(text) * MS_PER_CHARACTER * RATE_HZ // 1000 * 2
        while left > 0:
            yield SpeechChunk(self._chunk[:left], RATE_HZ)
            left -= len(self._chunk)

    async def warm(self) -> None:
        await asyncio.sleep(self._first_audio_ms / 1000)

    async def aclose(self) -> None:
        return None


def create(settings: Settings) -> SimulatedTts:
    """Uses SIM_TTS_FIRST_AUDIO_MS."""
    return SimulatedTts(first_audio_ms=whole(settings, "SIM_TTS_FIRST_AUDIO_MS", 120))
