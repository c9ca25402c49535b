"""The real models inside virtual time: what they compute takes as long there as it took here."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import grpc.aio
import numpy as np
from numpy.typing import NDArray

from agents.providers.stt.remote import RemoteRecogniser
from voiceops.core.budget import Deadline
from voiceops.core.errors import StageError, TtsError
from voiceops.core.ports import Capabilities, Priority, SpeechChunk
from voiceops.inference import engines, wire
from voiceops.inference.client import InferenceClient
from voiceops.inference.engines.base import EngineInfo, Recognised
from voiceops.inference.engines.hibari import HibariVoice
from voiceops.inference.engines.whisper import Whisper
from voiceops.inference.lane import RANK, Cancellation, Expired
from voiceops.inference.servicer import Servicer
from voiceops.inference.silence import Trimmer
from voiceops.launch.weights import model_path

T = TypeVar("T")

VOICE_CHUNK_MS = 200
VOICE_FIRST_MS = 40.0
"""Charged for the first audio of an agent's line: Hibari takes 14 to 58 ms."""


class Ledger:
    """How many decodes there were and what they took."""

    def __init__(self, fixed_ms: float | None) -> None:
        self.fixed_ms = fixed_ms
        self.decodes = 0
        self.charged_ms: list[float] = []

    def charge(self, measured_ms: float) -> float:
        charged = measured_ms if self.fixed_ms is None else self.fixed_ms
        self.charged_ms.append(charged)
        return charged


class KeptWhisper:
    """Whisper that remembers what it heard in audio it was given before; only used with a fixed
    charge, for then a decode that is remembered costs the same as one that is made."""

    def __init__(self, whisper: Whisper, folder: Path | None) -> None:
        self._whisper = whisper
        self.info: EngineInfo = whisper.info
        self._file = None
        self._kept: dict[str, dict[str, Any]] = {}
        if folder is not None:
            code = b"".join(sorted(p.read_bytes() for p in Path(engines.__file__).parent.glob("*.py")))
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"decodes-{hashlib.sha256(code).hexdigest()[:12]}.jsonl"
            if path.is_file():
                self._kept = {row["key"]: row["heard"] for row in map(json.loads, path.open())}
            self._file = path.open("a")

    def transcribe(self, audio: NDArray[np.float32], **asked: Any) -> Recognised:
        if self._file is None:
            return self._whisper.transcribe(audio, **asked)
        what = repr(sorted((k, v) for k, v in asked.items() if not callable(v))).encode()
        key = hashlib.sha256(audio.tobytes() + what).hexdigest()
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = asdict(self._whisper.transcribe(audio, **asked))
            self._file.write(json.dumps({"key": key, "heard": kept}) + "\n")
            self._file.flush()
        return Recognised(**kept)


class VirtualLane:
    """One worker, most urgent work first, in the time of the running loop. Work runs at once and its
    cost is slept; a result that nobody waits for any more keeps the worker busy all the same."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._busy = False
        self._sequence = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    async def run(
        self,
        work: Callable[[Cancellation], T],
        *,
        priority: Priority = "final",
        remaining_s: float | None = None,
    ) -> T:
        loop = asyncio.get_running_loop()
        until_s = float("inf") if remaining_s is None else loop.time() + remaining_s
        if self._busy:
            turn: asyncio.Future[None] = loop.create_future()
            heapq.heappush(self._waiting, (RANK[priority], next(self._sequence), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._next()
                raise
        self._busy = True
        if loop.time() >= until_s:
            self._next()
            raise Expired("waited past its deadline")
        started = time.perf_counter()
        try:
            result = work(Cancellation())
        except BaseException:
            self._next()
            raise
        self._ledger.decodes += 1
        charged_s = self._ledger.charge((time.perf_counter() - started) * 1000) / 1000
        loop.call_later(charged_s, self._next)
        await asyncio.sleep(charged_s)
        return result

    def _next(self) -> None:
        self._busy = False
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._busy = True
                turn.set_result(None)
                return


class _House:
    """What the servicer asks for an engine and its lane."""

    def __init__(self, whisper: KeptWhisper, ledger: Ledger) -> None:
        self._whisper = whisper
        self._lane = VirtualLane(ledger)

    def engine(self, name: str, kind: str) -> tuple[Any, VirtualLane]:
        return self._whisper, self._lane


class _Context:
    """A gRPC call that is none."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self.details = ""

    def time_remaining(self) -> float:
        return self._deadline.remaining_ms() / 1000

    async def abort(self, code: Any, details: str) -> None:
        self.details = f"{code.name}: {details}"
        raise grpc.aio.AbortError(details)


class _Client(InferenceClient):
    """The inference server's own request handling, without a socket."""

    def __init__(self, whisper: KeptWhisper, ledger: Ledger) -> None:
        super().__init__("in-process")
        house: Any = _House(whisper, ledger)
        self._methods = {"Transcribe": Servicer(house).transcribe}

    async def _unary(
        self, method: str, request: dict[str, Any], deadline: Deadline, failure: type[StageError]
    ) -> dict[str, Any]:
        context = _Context(deadline)
        try:
            answer = await self._methods[method](wire.pack(request), context)
        except grpc.aio.AbortError as error:
            raise failure(context.details, code="failed") from error
        return wire.unpack(wire.pack(answer))


class Recogniser(RemoteRecogniser):
    """The platform's recogniser before Whisper in this process. One a call: it holds the lane."""

    def __init__(self, whisper: KeptWhisper, ledger: Ledger) -> None:
        capabilities = Capabilities("faster_whisper", whisper.info.engine, whisper.info.languages)
        super().__init__("in-process", engine="whisper", capabilities=capabilities)
        self._client = _Client(whisper, ledger)


class AgentVoice:
    """Hibari's voice for the agent: real length and real sound, at a fixed charge."""

    capabilities = Capabilities("hibari", "Hibari (neural, ONNX)", sample_rate_hz=24_000)

    def __init__(self) -> None:
        self._model = HibariVoice({})
        self._said: dict[str, bytes] = {}

    def pcm(self, text: str) -> bytes:
        if text not in self._said:
            out = bytearray()
            speech = Trimmer(out.extend, rate_hz=self._model.info.sample_rate_hz)
            self._model.synthesize(text, language="en", voice="", emit=speech.push, cancelled=lambda: False)
            speech.close()
            self._said[text] = bytes(out)
        return self._said[text]

    async def synthesize(
        self, text: str, *, language: str, voice: str = "", deadline: Deadline
    ) -> AsyncIterator[SpeechChunk]:
        pcm, rate_hz = self.pcm(text), self._model.info.sample_rate_hz
        if not pcm:
            raise TtsError(f"no sound for {text!r}", code="bad_output")
        await asyncio.sleep(VOICE_FIRST_MS / 1000)
        step = rate_hz * VOICE_CHUNK_MS // 1000 * 2
        for start in range(0, len(pcm), step):
            yield SpeechChunk(pcm[start : start + step], rate_hz)

    async def warm(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


def load_whisper(data_dir: Path, keep_in: Path | None, threads: int = 2) -> KeptWhisper:
    """Raises ConfigurationError when the model is not there."""
    whisper = Whisper({"whisper_model": str(model_path("whisper-base", data_dir)), "threads": str(threads)})
    whisper.warm()
    return KeptWhisper(whisper, keep_in)
