"""The client of an inference server: gRPC statuses become the error tree, reconnects by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import grpc
import grpc.aio

from voiceops.core.budget import Deadline
from voiceops.core.errors import AtCapacity, SourceError, StageError, SttError, TtsError
from voiceops.core.ports import Priority, SpeechChunk
from voiceops.inference import wire

CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    *wire.LIMITS,
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)

_CODES: Mapping[grpc.StatusCode, tuple[str, bool]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: ("timeout", False),
    grpc.StatusCode.UNAVAILABLE: ("unavailable", False),
    grpc.StatusCode.CANCELLED: ("unavailable", False),
    grpc.StatusCode.NOT_FOUND: ("unavailable", True),
    grpc.StatusCode.UNIMPLEMENTED: ("unavailable", True),
    grpc.StatusCode.INVALID_ARGUMENT: ("invalid", True),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What an STT engine answered."""

    text: str
    """Empty when nothing was said."""
    language: str
    confidence: float
    no_speech: float
    audio_ms: float
    compute_ms: float
    """Inside the engine, without waiting and transport."""
    language_scores: Mapping[str, float] = field(default_factory=dict)
    """Acoustic identification: probability by language tag; empty when not asked for or unknown."""


class InferenceClient:
    """One gRPC channel to `target` (HOST:PORT or unix:PATH), opened at first use.

    Every method raises its stage's StageError with code `timeout`, `unavailable` (down, warming, or
    the engine is not there), `invalid` (permanent), `failed` (the engine broke) or `bad_output`;
    AtCapacity when the server's queue is full.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self._channel: grpc.aio.Channel | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def health(self, *, deadline: Deadline) -> dict[str, Any]:
        """{status, engines: {name: {status, engine, languages, sample_rate_hz, …}}}."""
        return await self._unary("Health", {}, deadline, StageError)

    async def transcribe(
        self,
        pcm: bytes,
        *,
        engine: str,
        language: str,
        hints: Sequence[str] = (),
        prefix: str = "",
        identify: bool = False,
        priority: Priority = "final",
        deadline: Deadline,
    ) -> Heard:
        """Words of one utterance: `pcm` is 16 kHz int16 mono. `prefix`: its leading words, when they
        are certain already. `identify`: which language it sounds like. Raises SttError, AtCapacity."""
        request = {
            "engine": engine,
            "pcm": pcm,
            "language": language,
            "hints": list(hints),
            "prefix": prefix,
            "identify": identify,
            "priority": priority,
        }
        answer = await self._unary("Transcribe", request, deadline, SttError)
        try:
            return Heard(**{name: answer[name] for name in Heard.__slots__})
        except KeyError as error:
            raise SttError(f"{self.target} answered without {error}", code="bad_output") from None

    async def embed(
        self,
        texts: Sequence[str],
        *,
        engine: str,
        kind: Literal["query", "passage"],
        priority: Priority = "final",
        deadline: Deadline,
    ) -> list[list[float]]:
        """Unit-length vectors, shape (len(texts), dim). Raises SourceError, AtCapacity."""
        request = embed_request(texts, engine=engine, kind=kind, priority=priority)
        answer = await self._unary("Embed", request, deadline, SourceError)
        return vectors_of(answer, len(texts), self.target)

    async def synthesize(
        self,
        text: str,
        *,
        engine: str,
        language: str,
        voice: str = "",
        priority: Priority = "final",
        deadline: Deadline,
    ) -> AsyncGenerator[SpeechChunk, None]:
        """Audio as it is made. Closing the iterator stops the engine. Raises TtsError, AtCapacity."""
        if deadline.expired:
            raise TtsError("the deadline had passed before the request", code="timeout")
        request = {
            "engine": engine,
            "text": text,
            "language": language,
            "voice": voice,
            "priority": priority,
        }
        method = self._open().unary_stream(wire.path("Synthesize"), request_serializer=wire.pack)
        call = method(request, timeout=deadline.remaining_ms() / 1000)
        samples = 0
        try:
            async for data in call:
                chunk = _chunk(data, self.target)
                samples += len(chunk.pcm)
                if chunk.pcm:
                    yield chunk
        except grpc.aio.AioRpcError as error:
            raise_from(error, TtsError, self.target)
        finally:
            call.cancel()
        if not samples:
            raise TtsError(f"{engine} at {self.target} made no sound", code="bad_output")

    async def aclose(self) -> None:
        channel, self._channel, self._loop = self._channel, None, None
        if channel is not None:
            await channel.close(None)

    def _open(self) -> grpc.aio.Channel:
        loop = asyncio.get_running_loop()
        if self._channel is None or self._loop is not loop:
            self._channel = grpc.aio.insecure_channel(self.target, options=CHANNEL_OPTIONS)
            self._loop = loop
        return self._channel

    async def _unary(
        self, method: str, request: dict[str, Any], deadline: Deadline, failure: type[StageError]
    ) -> dict[str, Any]:
        if deadline.expired:
            raise failure("the deadline had passed before the request", code="timeout")
        call = self._open().unary_unary(wire.path(method), request_serializer=wire.pack)
        try:
            data = await call(request, timeout=deadline.remaining_ms() / 1000)
        except grpc.aio.AioRpcError as error:
            raise_from(error, failure, self.target)
        try:
            return wire.unpack(data)
        except ValueError as error:
            raise failure(f"{self.target} answered nonsense: {error}", code="bad_output") from error


def embed_request(texts: Sequence[str], *, engine: str, kind: str, priority: str) -> dict[str, Any]:
    return {"engine": engine, "texts": list(texts), "kind": kind, "priority": priority}


def vectors_of(answer: Mapping[str, Any], count: int, target: str) -> list[list[float]]:
    """The rows of an Embed answer. Raises SourceError(code="bad_output") when they are not `count`."""
    import numpy as np

    try:
        flat = np.frombuffer(answer["vectors"], dtype="<f4")
        rows = flat.reshape(count, int(answer["dim"]))
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{target} answered without usable vectors", code="bad_output") from error
    result: list[list[float]] = rows.tolist()
    return result


def raise_from(error: grpc.RpcError, failure: type[StageError], target: str) -> NoReturn:
    """Raise the platform's error for a gRPC status."""
    status = error.code()
    details = error.details() or status.name
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        raise AtCapacity(f"{target}: {details}") from error
    code, permanent = _CODES.get(status, ("failed", False))
    raise failure(f"{target}: {details}", code=code, permanent=permanent) from error


def _chunk(data: bytes, target: str) -> SpeechChunk:
    try:
        message = wire.unpack(data)
        return SpeechChunk(pcm=message["pcm"], sample_rate_hz=message["sample_rate_hz"])
    except (KeyError, ValueError) as error:
        raise TtsError(f"{target} answered nonsense: {error}", code="bad_output") from error
