"""One utterance through the recognisers: partials while it lasts, a final that fails over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from agents.pipeline.fallback import code_of
from agents.pipeline.normalise import normalise
from agents.pipeline.second_opinion import SecondOpinion
from voiceops.core.audio import PIPELINE_RATE_HZ, SAMPLE_WIDTH_BYTES
from voiceops.core.budget import Deadline
from voiceops.core.clock import Clock
from voiceops.core.errors import SttError
from voiceops.core.events import Transcript
from voiceops.core.ports import SpeechToText, SttStream

_log = logging.getLogger(__name__)

Failed = Callable[[str, str, str], None]
"""(provider, code, message) of a recogniser that failed."""


class Recogniser:
    """Holds one utterance's audio, so that a second provider can take over with all of it."""

    def __init__(
        self,
        providers: Sequence[SpeechToText],
        *,
        language: str,
        hints: Sequence[str],
        clock: Clock,
        timeout_ms: float,
        failed: Failed,
        second: SecondOpinion | None = None,
    ) -> None:
        """`second` decodes once more what sounds like another language than `language`."""
        self._providers = tuple(providers)
        self._language = language
        self._hints = tuple(hints)
        self._clock = clock
        self._timeout_ms = timeout_ms
        self._failed = failed
        self._second = second
        self._audio = bytearray()
        self._stream: SttStream | None = None
        self._provider = -1
        self._next()

    def push(self, pcm: bytes) -> None:
        self._audio += pcm
        if self._stream is not None:
            try:
                self._stream.push(pcm)
            except Exception as error:
                self._fail(error)

    @property
    def audio_ms(self) -> float:
        return len(self._audio) / SAMPLE_WIDTH_BYTES / PIPELINE_RATE_HZ * 1000

    @property
    def provider(self) -> str:
        if self._stream is None:
            return ""
        return self._providers[self._provider].capabilities.name

    async def partial(self) -> Transcript | None:
        """Words so far, or None when the recogniser could not say."""
        if self._stream is None:
            return None
        deadline = Deadline.after_ms(self._timeout_ms, self._clock)
        try:
            async with deadline.timeout():
                return _normalised(await self._stream.partial(deadline=deadline))
        except Exception as error:
            _log.info("partial_failed", extra={"provider": self.provider, "error": repr(error)})
            return None

    async def final(self) -> Transcript | None:
        """The whole utterance; None when every recogniser failed."""
        while self._stream is not None:
            deadline = Deadline.after_ms(self._timeout_ms, self._clock)
            try:
                async with deadline.timeout():
                    heard = await self._stream.final(deadline=deadline)
            except Exception as error:
                self._fail(error)
            else:
                if self._second is not None:
                    heard = await self._second.take(heard, self._decode_in)
                return _normalised(heard)
        return None

    async def _decode_in(self, language: str) -> Transcript:
        """The whole utterance by the same recogniser, told another language."""
        provider = self._providers[self._provider]
        known = provider.capabilities.languages
        if known and language not in known:
            raise SttError(f"{provider.capabilities.name} does not know {language}", code="language")
        deadline = Deadline.after_ms(self._timeout_ms, self._clock)
        stream = provider.open(language=language, hints=self._hints)
        try:
            stream.push(bytes(self._audio))
            async with deadline.timeout():
                return await stream.final(deadline=deadline)
        finally:
            await stream.aclose()

    async def aclose(self) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                async with asyncio.timeout(1.0):
                    await stream.aclose()
            except Exception as error:
                _log.info("stt_close_failed", extra={"error": repr(error)})

    def _fail(self, error: Exception) -> None:
        self._failed(self.provider, code_of(error), str(error) or "no transcript in time")
        self._next()

    def _next(self) -> None:
        """Open the next provider and hand it everything heard so far."""
        while self._provider + 1 < len(self._providers):
            self._provider += 1
            provider = self._providers[self._provider]
            try:
                self._stream = provider.open(language=self._language, hints=self._hints)
                if self._audio:
                    self._stream.push(bytes(self._audio))
                return
            except Exception as error:
                self._failed(provider.capabilities.name, code_of(error), str(error))
        self._stream = None


def _normalised(transcript: Transcript) -> Transcript:
    """Both forms: as said, and with its numbers in digits."""
    return transcript if transcript.normalised else replace(transcript, normalised=normalise(transcript.text))
