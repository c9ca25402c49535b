"""A recogniser behind an inference server: buffers one utterance, decodes all of it on request.

What successive decodes agree on is sent along, so that the server decodes only what follows it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from agents.providers.stt.agreement import Agreement
from agents.providers.stt.vocabulary import vocabulary
from voiceops.core.audio import PIPELINE_RATE_HZ, pcm_bytes, pcm_duration_ms
from voiceops.core.budget import Deadline
from voiceops.core.errors import AtCapacity, SttError
from voiceops.core.events import Transcript
from voiceops.core.ports import Capabilities
from voiceops.inference.client import InferenceClient

WARM_TIMEOUT_MS = 15_000
IDENTIFY_MS = 1000.0
"""Less speech does not tell its language."""
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
    """`SttStream`: every decode sees the whole utterance so far, and none takes back a stable word."""

    def __init__(
        self, client: InferenceClient, engine: str, name: str, *, language: str, hints: Sequence[str]
    ) -> None:
        self._client = client
        self._engine = engine
        self._name = name
        self._language = language
        self._hints = hints
        self._vocabulary = vocabulary(tuple(hints))
        self._pcm = bytearray()
        self._agreement = Agreement()
        self._language_scores: Mapping[str, float] = {}
        self._identified_ms = 0.0
        self._forgetful = False
        """The beginning of the audio is gone, so the words that stood there cannot be forced."""

    def push(self, pcm: bytes) -> None:
        self._pcm += pcm
        excess = len(self._pcm) - pcm_bytes(MAX_UTTERANCE_MS, PIPELINE_RATE_HZ)
        if excess > 0:
            del self._pcm[:excess]
            self._forgetful = True

    async def partial(self, *, deadline: Deadline) -> Transcript:
        return await self._decode("partial", deadline)

    async def final(self, *, deadline: Deadline) -> Transcript:
        return await self._decode("final", deadline)

    async def aclose(self) -> None:
        self._pcm.clear()

    async def _decode(self, kind: Literal["partial", "final"], deadline: Deadline) -> Transcript:
        started = time.perf_counter()
        pcm = bytes(self._pcm)
        audio_ms = pcm_duration_ms(pcm, PIPELINE_RATE_HZ)
        # Asked at a partial when there is one: the final is what somebody waits for.
        identify = audio_ms >= max(IDENTIFY_MS, 2 * self._identified_ms)
        try:
            heard = await self._client.transcribe(
                pcm,
                engine=self._engine,
                language=self._language,
                hints=self._hints,
                prefix="" if self._forgetful else self._agreement.stable,
                identify=identify,
                priority=kind,
                deadline=deadline,
            )
        except AtCapacity as error:
            raise SttError(str(error), code="at_capacity") from error
        if heard.language_scores:
            self._language_scores, self._identified_ms = heard.language_scores, audio_ms
        return Transcript(
            kind=kind,
            text=self._words(kind, heard.text),
            language=heard.language,
            confidence=heard.confidence,
            audio_ms=heard.audio_ms,
            decode_ms=(time.perf_counter() - started) * 1000,
            engine=self._name,
            stable=self._agreement.stable,
            language_scores=self._language_scores,
        )

    def _words(self, kind: Literal["partial", "final"], text: str) -> str:
        text = self._vocabulary.repair(text)
        return self._agreement.hear(text) if kind == "partial" else self._agreement.settle(text)
