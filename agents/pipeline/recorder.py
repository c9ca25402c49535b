"""A two-channel recording: the caller left, the agent right, as they were heard on the line."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import soxr

from voiceops.core.audio import pcm_bytes

CHUNK_MS = 1000.0
HEADER_BYTES = 44

Write = Callable[[bytes, int | None], None]
"""write(data, at): append when `at` is None, else overwrite from that byte. Must not block:
the owner hands the bytes to a thread."""


class Recorder:
    """Mixes both sides by call time into 16-bit stereo WAV and writes it in chunks of a second."""

    def __init__(self, write: Write, *, sample_rate_hz: int = 16_000, path: str = "") -> None:
        """`path` is what the trace shows as the recording, relative to the recordings folder."""
        self.sample_rate_hz = sample_rate_hz
        self.path = path
        self._write = write
        self._sides = (_Side(sample_rate_hz), _Side(sample_rate_hz))
        self._written_bytes = 0
        self._closed = False
        self._write(wav_header(0, sample_rate_hz), None)

    @property
    def duration_ms(self) -> float:
        return self._written_bytes / 4 / self.sample_rate_hz * 1000

    def caller(self, pcm: bytes, sample_rate_hz: int, at_ms: float) -> None:
        """Audio that ended at call time `at_ms`."""
        self._add(0, pcm, sample_rate_hz, at_ms)

    def agent(self, pcm: bytes, sample_rate_hz: int, at_ms: float) -> None:
        """Audio that begins to play at call time `at_ms`."""
        self._add(1, pcm, sample_rate_hz, at_ms)

    def cut_agent(self, at_ms: float) -> None:
        """The agent's audio after `at_ms` was cleared and never heard."""
        self._sides[1].cut(at_ms, self._written_bytes // 4)

    def close(self, at_ms: float) -> None:
        """Write the rest up to the call's end and the header with the real length."""
        if self._closed:
            return
        self._closed = True
        end = pcm_bytes(at_ms, self.sample_rate_hz) // 2
        self._flush(max(end, self._written_bytes // 4))
        self._write(wav_header(self._written_bytes, self.sample_rate_hz), 0)

    def _add(self, side: int, pcm: bytes, rate_hz: int, at_ms: float) -> None:
        if self._closed or not pcm:
            return
        samples = self._sides[side].resampled(pcm, rate_hz)
        start = int(at_ms * self.sample_rate_hz / 1000)
        if side == 0:
            start -= len(samples)
        self._sides[side].place(samples, start, self._written_bytes // 4)
        # Keep one chunk open: playout runs ahead and may still be cut.
        ready = min(s.end for s in self._sides) if all(s.end for s in self._sides) else 0
        latest = max(s.end for s in self._sides)
        chunk = int(CHUNK_MS * self.sample_rate_hz / 1000)
        until = max(ready, latest - 3 * chunk) - chunk
        if until - self._written_bytes // 4 >= chunk:
            self._flush(until)

    def _flush(self, until: int) -> None:
        start = self._written_bytes // 4
        count = until - start
        if count <= 0:
            return
        stereo = np.stack([side.take(start, count) for side in self._sides], axis=1)
        data = stereo.astype("<i2").tobytes()
        self._written_bytes += len(data)
        self._write(data, None)


class _Side:
    """Samples of one side that were not written yet, on the call's time line."""

    def __init__(self, rate_hz: int) -> None:
        self._rate = rate_hz
        self._pieces: list[tuple[int, np.ndarray]] = []
        self._resampler: Any = None
        self._in_rate = 0
        self.end = 0

    def resampled(self, pcm: bytes, rate_hz: int) -> np.ndarray:
        samples = np.frombuffer(pcm, dtype="<i2")
        if rate_hz == self._rate:
            return samples
        if rate_hz != self._in_rate:
            self._resampler = soxr.ResampleStream(rate_hz, self._rate, 1, dtype="int16", quality="MQ")
            self._in_rate = rate_hz
        return np.asarray(self._resampler.resample_chunk(samples))

    def place(self, samples: np.ndarray, start: int, written: int) -> None:
        # Frames arrive with jitter: close to the end of the last one means right after it.
        if abs(start - self.end) < self._rate * 0.12 or start < self.end:
            start = self.end
        start = max(start, written)
        if len(samples):
            self._pieces.append((start, samples))
            self.end = start + len(samples)

    def cut(self, at_ms: float, written: int) -> None:
        limit = max(int(at_ms * self._rate / 1000), written)
        self._pieces = [
            (start, samples[: max(0, limit - start)]) for start, samples in self._pieces if start < limit
        ]
        self.end = min(self.end, limit)

    def take(self, start: int, count: int) -> np.ndarray:
        out = np.zeros(count, dtype=np.int16)
        kept: list[tuple[int, np.ndarray]] = []
        for at, samples in self._pieces:
            low, high = max(at, start), min(at + len(samples), start + count)
            if high > low:
                out[low - start : high - start] = samples[low - at : high - at]
            if at + len(samples) > start + count:
                kept.append((at, samples))
        self._pieces = kept
        return out


def wav_header(data_bytes: int, sample_rate_hz: int, channels: int = 2) -> bytes:
    """44 bytes for 16-bit PCM; a length of 0 stands while the recording runs."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, 1, channels, sample_rate_hz,
        sample_rate_hz * channels * 2, channels * 2, 16, b"data", data_bytes,
    )  # fmt: skip
