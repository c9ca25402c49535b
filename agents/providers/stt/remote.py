"""A recogniser behind an inference server: buffers one utterance, decodes all of it on request."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from voiceops.core.audio import PIPELINE_RATE_HZ, pcm_bytes
from voiceops.core.budget import Deadline
from voiceops.core.errors import AtCapacity, SttError
from voiceops.core.events import Transcript
from voiceops.core.ports import Capabilities
from voiceops.inference.client import InferenceClient

WARM_TIMEOUT_MS = 15_000
MAX_UTTERANCE_MS = 60_000
"""Older audio of an utterance that never ends is forgotten, so that a line with music cannot
grow a decode without limit."""


class RemoteRecogniser:
    """`SpeechToText` through `engine` of the inference server at `target`."""

    def __init__(self, target: str, *, engine: str, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self._engine = engine
        self._client = InferenceClient(target)

    def open(self, *, language: str, hints: Sequence[str] = ()) -> RemoteUtterance:
        return RemoteUtterance(
            self._client, self._engine, self.capabilities.name, language=language, hints=tuple(hints)
        )

    async def warm(self) -> None:
        deadline = Deadline.after_ms(WARM_TIMEOUT_MS)
        silence = bytes(pcm_bytes(500, PIPELINE_RATE_HZ))
        try:
            await self._client.transcribe(silence, engine=self._engine, language="en", deadline=deadline)
        except AtCapacity as error:
            raise SttError(str(error), code="at_capacity") from error
        health = await self._client.health(deadline=deadline)
        described = health["engines"][self._engine]
        self.capabilities = replace(
            self.capabilities, engine=described["engine"], languages=frozenset(described["languages"])
        )

    async def aclose(self) -> None:
        await self._client.aclose()


class RemoteUtterance:
    """`SttStream`: every decode sees the whole utterance so far."""

    def __init__(
        self, client: InferenceClient, engine: str, name: str, *, language: str, hints: Sequence[str]
    ) -> None:
        self._client = client
        self._engine = engine
        self._name = name
        self._language = language
        self._hints = hints
        self._pcm = bytearray()

    def push(self, pcm: bytes) -> None:
        self._pcm += pcm
        excess = len(self._pcm) - pcm_bytes(MAX_UTTERANCE_MS, PIPELINE_RATE_HZ)
        if excess > 0:
            del self._pcm[:excess]

    async def partial(self, *, deadline: Deadline) -> Transcript:
        return await self._decode("partial", deadline)

    async def final(self, *, deadline: Deadline) -> Transcript:
        return await self._decode("final", deadline)

    async def aclose(self) -> None:
        self._pcm.clear()

    async def _decode(self, kind: Literal["partial", "final"], deadline: Deadline) -> Transcript:
        started = time.perf_counter()
        try:
            heard = await self._client.transcribe(
                bytes(self._pcm),
                engine=self._engine,
                language=self._language,
                hints=self._hints,
                priority=kind,
                deadline=deadline,
            )
        except AtCapacity as error:
            raise SttError(str(error), code="at_capacity") from error
        return Transcript(
            kind=kind,
            text=heard.text,
            language=heard.language,
            confidence=heard.confidence,
            audio_ms=heard.audio_ms,
            decode_ms=(time.perf_counter() - started) * 1000,
            engine=self._name,
        )
