"""Telephone audio at the pipeline's rate, without holding any of it back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TAPS = 32
"""Of the interpolation between two samples: 2 ms of look-ahead at 8 kHz. Flat to 0.1 dB up to
3.4 kHz, images 50 dB down: telephone audio has nothing above."""
_BETA = 6.0


def _between() -> NDArray[np.float32]:
    """A windowed sinc that gives the value half way between samples, gain 1."""
    at = np.arange(TAPS) - (TAPS - 1) / 2
    taps = np.sinc(at) * np.kaiser(TAPS, _BETA)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


class Doubler:
    """Twice the rate, frame by frame: every input sample gives two at once. A general resampler works in
    blocks of 100 ms, for which the end of a caller's sentence would have to wait."""

    def __init__(self) -> None:
        self._taps = _between()
        self._past = np.zeros(TAPS - 1, np.float32)

    def feed(self, pcm: bytes) -> bytes:
        """int16 little-endian mono in, twice as many samples out, `TAPS / 2` input samples late."""
        samples = np.concatenate((self._past, np.frombuffer(pcm, dtype="<i2").astype(np.float32)))
        self._past = samples[len(samples) - TAPS + 1 :]
        new = len(samples) - TAPS + 1
        out = np.empty(2 * new, np.float32)
        start = TAPS // 2 - 1
        out[0::2] = samples[start : start + new]
        out[1::2] = np.convolve(samples, self._taps, "valid")
        return np.clip(np.rint(out), -32768, 32767).astype("<i2").tobytes()
