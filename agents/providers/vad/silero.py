"""Silero VAD inside the media process: one ONNX session, windows of many calls in one batch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from weakref import WeakSet

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from agents.providers.settings import Settings
from voiceops.core.errors import ConfigurationError, VadError
from voiceops.core.ports import Capabilities
from voiceops.launch.weights import package_file

RATE_HZ = 16_000
WINDOW_SAMPLES = 512
CONTEXT_SAMPLES = 64
"""The model sees the end of the window before as well."""
STATE_SHAPE = (2, 128)
GATHER_MS = 8.0
"""Longest wait for other calls' windows: a quarter of a window."""
GATHER_FROM_STREAMS = 8
"""With fewer open streams a window runs in the same loop tick: a wait would gain nothing."""
MAX_BATCH = 32
"""One run of this many takes 3 to 5 ms, on the event loop."""
MODEL_FILE = "silero_vad/data/silero_vad_16k_op15.onnx"

_Rate = np.array(RATE_HZ, dtype=np.int64)
_Pending = tuple["SileroStream", NDArray[np.float32], "asyncio.Future[float]"]


class SileroVad:
    """`VoiceActivity`. One instance a process; use it on one event loop."""

    window_samples = WINDOW_SAMPLES

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ConfigurationError(f"the VAD model {model} does not load: {error}") from error
        self.capabilities = Capabilities(name="silero", engine="Silero VAD 6 (ONNX)", sample_rate_hz=RATE_HZ)
        self._streams: WeakSet[SileroStream] = WeakSet()
        self._pending: list[_Pending] = []
        self._flush: asyncio.Handle | None = None

    def open(self) -> SileroStream:
        stream = SileroStream(self)
        self._streams.add(stream)
        return stream

    async def warm(self) -> None:
        await self.open().probability(bytes(WINDOW_SAMPLES * 2))

    async def aclose(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        for _, _, future in self._pending:
            future.cancel()
        self._pending.clear()

    def submit(self, stream: SileroStream, window: NDArray[np.float32]) -> asyncio.Future[float]:
        """The probability to come; windows of one stream are run in order."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[float] = loop.create_future()
        self._pending.append((stream, window, future))
        if self._flush is None:
            if len(self._streams) < GATHER_FROM_STREAMS:
                self._flush = loop.call_soon(self._run_pending)
            else:
                self._flush = loop.call_later(GATHER_MS / 1000, self._run_pending)
        return future

    def _run_pending(self) -> None:
        self._flush = None
        pending, self._pending = self._pending, []
        while pending:
            batch, pending = _next_batch(pending)
            try:
                probabilities = self._run([(stream, window) for stream, window, _ in batch])
            except Exception as error:
                failure = VadError(f"Silero failed: {error}", code="failed")
                for _, _, future in batch:
                    if not future.done():
                        future.set_exception(failure)
                continue
            for (_, _, future), probability in zip(batch, probabilities, strict=True):
                if not future.done():
                    future.set_result(probability)

    def _run(self, batch: list[tuple[SileroStream, NDArray[np.float32]]]) -> list[float]:
        audio = np.stack([np.concatenate((stream.context, window)) for stream, window in batch])
        state = np.stack([stream.state for stream, _ in batch], axis=1)
        output, state = self._session.run(None, {"input": audio, "state": state, "sr": _Rate})
        for row, (stream, window) in enumerate(batch):
            stream.context = window[-CONTEXT_SAMPLES:]
            stream.state = state[:, row]
        probabilities: list[float] = output[:, 0].tolist()
        return probabilities


class SileroStream:
    """`VadStream`: the recurrent memory of one side of one call."""

    def __init__(self, vad: SileroVad) -> None:
        self._vad = vad
        self.reset()

    async def probability(self, pcm: bytes) -> float:
        """Raises VadError(code="invalid") unless `pcm` is one window of 512 samples."""
        if len(pcm) != WINDOW_SAMPLES * 2:
            raise VadError(
                f"a window is {WINDOW_SAMPLES * 2} bytes, not {len(pcm)}", code="invalid", permanent=True
            )
        window = np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768.0
        return await self._vad.submit(self, window)

    def reset(self) -> None:
        self.context: NDArray[np.float32] = np.zeros(CONTEXT_SAMPLES, np.float32)
        self.state: NDArray[np.float32] = np.zeros(STATE_SHAPE, np.float32)


def _next_batch(pending: Iterable[_Pending]) -> tuple[list[_Pending], list[_Pending]]:
    """(what runs now, what waits): at most MAX_BATCH windows, one a stream, in order."""
    batch: list[_Pending] = []
    later: list[_Pending] = []
    taken: set[int] = set()
    for item in pending:
        if len(batch) < MAX_BATCH and id(item[0]) not in taken:
            batch.append(item)
        else:
            later.append(item)
        taken.add(id(item[0]))
    return batch, later


def create(settings: Settings) -> SileroVad:
    """Uses SILERO_MODEL when it is set, else the model of the silero-vad package."""
    given = settings.get("SILERO_MODEL")
    return SileroVad(Path(str(given)) if given else package_file(MODEL_FILE))
