"""The gRPC methods of one inference server: checks a request, runs it in its engine's lane,
answers with a status that says what happened.

UNAVAILABLE warming, NOT_FOUND engine not here, INVALID_ARGUMENT never works, DEADLINE_EXCEEDED
expired while waiting, RESOURCE_EXHAUSTED queue full, INTERNAL the engine failed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeAlias

import grpc
import grpc.aio
import numpy as np

from voiceops.core.errors import AtCapacity
from voiceops.inference import wire
from voiceops.inference.engines.base import InvalidRequest, float32
from voiceops.inference.house import EngineHouse, NotReady, UnknownEngine, priority_of
from voiceops.inference.lane import Cancellation, Expired
from voiceops.inference.silence import Trimmer

log = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 16_000
MAX_AUDIO_S = 300
MAX_TEXT_CHARACTERS = 4000
MAX_TEXTS = 512

Message: TypeAlias = dict[str, Any]
Context: TypeAlias = Any
"""`grpc.aio.ServicerContext`, which carries no types."""


class Servicer:
    def __init__(self, house: EngineHouse) -> None:
        self._house = house

    def handler(self) -> grpc.GenericRpcHandler:
        """What `grpc.aio.Server.add_generic_rpc_handlers` takes."""
        unary: dict[str, Callable[[bytes, Context], Awaitable[Message]]] = {
            "Health": self.health,
            "Transcribe": self.transcribe,
            "Embed": self.embed,
        }
        methods = {
            name: grpc.unary_unary_rpc_method_handler(method, response_serializer=wire.pack)
            for name, method in unary.items()
        }
        methods["Synthesize"] = grpc.unary_stream_rpc_method_handler(
            self.synthesize, response_serializer=wire.pack
        )
        return grpc.method_handlers_generic_handler(wire.SERVICE, methods)

    async def health(self, data: bytes, context: Context) -> Message:
        return self._house.health()

    async def transcribe(self, data: bytes, context: Context) -> Message:
        async with _answering(context):
            request = wire.unpack(data)
            engine, lane = self._house.engine(_text(request, "engine"), "transcribe")
            pcm = _pcm(request)
            language = _text(request, "language")
            hints = _texts(request, "hints")
            prefix = _text(request, "prefix") if request.get("prefix") else ""
            identify = bool(request.get("identify"))

            def work(cancelled: Cancellation) -> Message:
                started = time.perf_counter()
                heard = engine.transcribe(
                    float32(pcm),
                    language=language,
                    hints=hints,
                    prefix=prefix,
                    identify=identify,
                    cancelled=cancelled,
                )
                return {
                    "text": heard.text,
                    "language": language,
                    "confidence": heard.confidence,
                    "no_speech": heard.no_speech,
                    "audio_ms": len(pcm) / 2 / SAMPLE_RATE_HZ * 1000,
                    "compute_ms": (time.perf_counter() - started) * 1000,
                    "language_scores": dict(heard.language_scores),
                }

            return await lane.run(work, priority=priority_of(request), remaining_s=_remaining_s(context))

    async def embed(self, data: bytes, context: Context) -> Message:
        async with _answering(context):
            request = wire.unpack(data)
            engine, lane = self._house.engine(_text(request, "engine"), "embed")
            texts = _texts(request, "texts")
            kind = request.get("kind")
            if kind not in ("query", "passage"):
                raise ValueError(f"kind {kind!r}: use query or passage")

            def work(cancelled: Cancellation) -> Message:
                started = time.perf_counter()
                rows = []
                for text in texts:
                    if cancelled():
                        break
                    rows.append(engine.embed([text], kind=kind)[0])
                vectors = np.stack(rows).astype("<f4").tobytes() if rows else b""
                return {
                    "vectors": vectors,
                    "dim": engine.dim,
                    "compute_ms": (time.perf_counter() - started) * 1000,
                }

            return await lane.run(work, priority=priority_of(request), remaining_s=_remaining_s(context))

    async def synthesize(self, data: bytes, context: Context) -> AsyncIterator[Message]:
        async with _answering(context):
            request = wire.unpack(data)
            engine, lane = self._house.engine(_text(request, "engine"), "synthesize")
            text = _text(request, "text").strip()
            if not text:
                raise ValueError("text is empty: nothing to say")
            language = _text(request, "language")
            voice = str(request.get("voice") or "")
            rate_hz: int = engine.info.sample_rate_hz
            loop = asyncio.get_running_loop()
            pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

            def work(cancelled: Cancellation) -> None:
                def emit(pcm: bytes) -> None:
                    loop.call_soon_threadsafe(pieces.put_nowait, pcm)

                speech = Trimmer(emit, rate_hz=rate_hz)
                engine.synthesize(text, language=language, voice=voice, emit=speech.push, cancelled=cancelled)
                speech.close()

            async def run() -> None:
                try:
                    await lane.run(work, priority=priority_of(request), remaining_s=_remaining_s(context))
                finally:
                    pieces.put_nowait(None)

            running = asyncio.create_task(run(), name="synthesize")
            try:
                while (pcm := await pieces.get()) is not None:
                    yield {"pcm": pcm, "sample_rate_hz": rate_hz}
                await running
            finally:
                running.cancel()


@asynccontextmanager
async def _answering(context: Context) -> AsyncIterator[None]:
    """Turns what can go wrong into gRPC statuses."""
    try:
        yield
    except Expired as error:
        await _abort(context, grpc.StatusCode.DEADLINE_EXCEEDED, str(error))
    except AtCapacity as error:
        await _abort(context, grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
    except NotReady as error:
        await _abort(context, grpc.StatusCode.UNAVAILABLE, str(error))
    except UnknownEngine as error:
        await _abort(context, grpc.StatusCode.NOT_FOUND, str(error))
    except (InvalidRequest, ValueError) as error:
        await _abort(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except (asyncio.CancelledError, GeneratorExit, grpc.aio.AbortError):
        raise
    except Exception as error:
        log.exception("engine failed")
        await _abort(context, grpc.StatusCode.INTERNAL, f"the engine failed: {error}")


async def _abort(context: Context, code: grpc.StatusCode, message: str) -> NoReturn:
    await context.abort(code, message)
    raise AssertionError("abort returned")


def _remaining_s(context: Context) -> float | None:
    remaining: float | None = context.time_remaining()
    return remaining


def _text(request: Mapping[str, Any], key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str):
        raise ValueError(f"{key} is missing or not text")
    if len(value) > MAX_TEXT_CHARACTERS:
        raise ValueError(f"{key} is longer than {MAX_TEXT_CHARACTERS} characters: send less at once")
    return value


def _texts(request: Mapping[str, Any], key: str) -> list[str]:
    values = request.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} is missing or not a list of texts")
    if len(values) > MAX_TEXTS:
        raise ValueError(f"{key} holds more than {MAX_TEXTS} texts: send fewer at once")
    return values


def _pcm(request: Mapping[str, Any]) -> bytes:
    pcm = request.get("pcm")
    if not isinstance(pcm, bytes):
        raise ValueError("pcm is missing or not bytes")
    if len(pcm) % 2:
        raise ValueError("pcm holds half a sample: send int16")
    if len(pcm) > MAX_AUDIO_S * SAMPLE_RATE_HZ * 2:
        raise ValueError(f"pcm is longer than {MAX_AUDIO_S} s: send one utterance")
    return pcm
