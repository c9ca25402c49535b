"""PCM words shared by every room that touches sound."""

from __future__ import annotations

from dataclasses import dataclass

SAMPLE_WIDTH_BYTES = 2
"""Every PCM buffer is int16 little-endian, mono."""

PIPELINE_RATE_HZ = 16_000
"""Rate at which the pipeline hears; transports resample to it."""


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """One chunk of mono PCM from one side of a call."""

    pcm: bytes
    """int16 little-endian, shape (samples,)."""
    sample_rate_hz: int
    at_ms: int
    """Since media start, on the transport's clock; never wall time."""

    @property
    def duration_ms(self) -> float:
        return pcm_duration_ms(self.pcm, self.sample_rate_hz)


def pcm_duration_ms(pcm: bytes, sample_rate_hz: int) -> float:
    """Length of an int16 mono buffer in milliseconds."""
    return len(pcm) / SAMPLE_WIDTH_BYTES / sample_rate_hz * 1000


def pcm_bytes(duration_ms: float, sample_rate_hz: int) -> int:
    """Bytes of int16 mono PCM that last `duration_ms`, on a sample boundary."""
    return int(duration_ms * sample_rate_hz / 1000) * SAMPLE_WIDTH_BYTES
