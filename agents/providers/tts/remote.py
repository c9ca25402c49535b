"""A voice behind an inference server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from voiceops.core.budget import Deadline
from voiceops.core.errors import AtCapacity, TtsError
from voiceops.core.ports import Capabilities, SpeechChunk
from voiceops.inference.client import InferenceClient

WARM_TIMEOUT_MS = 15_000


class RemoteVoice:
    """`TextToSpeech` through `engine` of the inference server at `target`."""

    def __init__(self, target: str, *, engine: str, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._engine = engine
        self._client = InferenceClient(target)

    async def synthesize(
        self, text: str, *, language: str, voice: str = "", deadline: Deadline
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Audio of one clause as it is made. Raises TtsError with code timeout, unavailable,
        at_capacity, invalid, failed or bad_output."""
        chunks = self._client.synthesize(
            text, engine=self._engine, language=language, voice=voice, deadline=deadline
        )
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    yield chunk
        except AtCapacity as error:
            raise TtsError(str(error), code="at_capacity") from error

    async def warm(self) -> None:
        deadline = Deadline.after_ms(WARM_TIMEOUT_MS)
        language = min(self.capabilities.languages)
        async with aclosing(self.synthesize("Ready.", language=language, deadline=deadline)) as chunks:
            async for _ in chunks:
                pass
        health = await self._client.health(deadline=deadline)
        described = health["engines"][self._engine]
        self.capabilities = replace(
            self.capabilities,
            engine=described["engine"],
            languages=frozenset(described["languages"]),
            sample_rate_hz=described["sample_rate_hz"],
        )

    async def aclose(self) -> None:
        await self._client.aclose()
