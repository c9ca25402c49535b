"""A recording's loudness over time, for the two lanes of the trace page."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BUCKETS = 1200
"""About one a pixel on a wide screen."""


@dataclass(frozen=True, slots=True)
class Peaks:
    duration_ms: int
    caller: list[float]
    """Highest absolute sample per bucket, 0 to 1; the left channel."""
    agent: list[float]
    """The right channel; empty for a mono file."""


class UnreadableRecording(Exception):
    """The file is not a 16-bit PCM WAV."""


def _lane(samples: np.ndarray, buckets: int) -> list[float]:
    edges = np.linspace(0, len(samples), buckets + 1, dtype=int)[:-1]
    highest = np.maximum.reduceat(np.abs(samples.astype(np.int32)), edges)
    return [round(float(value) / 32768, 3) for value in highest]


def read(path: Path, buckets: int = BUCKETS) -> Peaks:
    """Raises: UnreadableRecording, OSError."""
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise UnreadableRecording(f"{path.name} is not 16-bit")
            channels, rate = file.getnchannels(), file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    except (wave.Error, EOFError) as error:
        raise UnreadableRecording(f"{path.name}: {error}") from None
    lanes = samples[: len(samples) // channels * channels].reshape(-1, channels)
    count = min(buckets, len(lanes))
    if not count:
        return Peaks(0, [], [])
    return Peaks(
        duration_ms=round(1000 * len(lanes) / rate),
        caller=_lane(lanes[:, 0], count),
        agent=_lane(lanes[:, 1], count) if channels > 1 else [],
    )
