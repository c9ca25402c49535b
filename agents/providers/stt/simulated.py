"""A recogniser for load tests: takes a fixed time and hears a script, never the audio."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Literal

from agents.providers.settings import Settings, whole
from agents.providers.stt.agreement import Agreement
from voiceops.core.audio import PIPELINE_RATE_HZ, pcm_duration_ms
from voiceops.core.budget import Deadline
from voiceops.core.errors import SttError
from voiceops.core.events import Transcript
from voiceops.core.ports import Capabilities

UTTERANCE = "simulated utterance"
MIN_AUDIO_MS = 100
"""Less than this holds no word."""


class SimulatedStt:
    """`script`: what is heard, one line an utterance, over and over; without it `UTTERANCE`."""

    def __init__(self, *, decode_ms: int, script: Sequence[str] = ()) -> None:
        self.capabilities = Capabilities(
            name="simulated",
            engine=f"simulated STT ({decode_ms} ms)",
            languages=frozenset({"en", "hi"}),
            simulated=True,
        )
        self._decode_ms = decode_ms
        self._script = tuple(script) or (UTTERANCE,)
        self._opened = count()

    def open(self, *, language: str, hints: Sequence[str] = ()) -> SimulatedUtterance:
        line = self._script[next(self._opened) % len(self._script)]
        return SimulatedUtterance(line, language, self._decode_ms)

    async def warm(self) -> None:
        await asyncio.sleep(self._decode_ms / 1000)

    async def aclose(self) -> None:
        return None


class SimulatedUtterance:
    def __init__(self, line: str, language: str, decode_ms: int) -> None:
        self._line = line
        self._language = language
        self._decode_ms = decode_ms
        self._audio_ms = 0.0
        self._agreement = Agreement()

    def push(self, pcm: bytes) -> None:
        self._audio_ms += pcm_duration_ms(pcm, PIPELINE_RATE_HZ)

    async def partial(self, *, deadline: Deadline) -> Transcript:
        return await self._decode("partial", deadline)

    async def final(self, *, deadline: Deadline) -> Transcript:
        return await self._decode("final", deadline)

    async def aclose(self) -> None:
        return None

    async def _decode(self, kind: Literal["partial", "final"], deadline: Deadline) -> Transcript:
        if deadline.expired:
            raise SttError("the deadline had passed before the request", code="timeout")
        try:
            async with deadline.timeout():
                await asyncio.sleep(self._decode_ms / 1000)
        except TimeoutError:
            raise SttError("the simulated decode was slower than its deadline", code="timeout") from None
        heard = self._audio_ms >= MIN_AUDIO_MS
        take = self._agreement.hear if kind == "partial" else self._agreement.settle
        return Transcript(
            kind=kind,
            text=take(self._line) if heard else "",
            language=self._language,
            confidence=1.0 if heard else 0.0,
            audio_ms=self._audio_ms,
            decode_ms=float(self._decode_ms),
            engine="simulated",
            stable=self._agreement.stable,
        )


def create(settings: Settings) -> SimulatedStt:
    """Uses SIM_STT_MS and, when present, SIM_STT_SCRIPT (a sequence of lines)."""
    script = settings.get("SIM_STT_SCRIPT") or ()
    if isinstance(script, str):
        script = (script,)
    assert isinstance(script, Sequence)
    return SimulatedStt(decode_ms=whole(settings, "SIM_STT_MS", 120), script=tuple(map(str, script)))
