"""Audio arithmetic at 8 kHz: trimming, levels, slower speech, noises, mouth sounds, the phone band."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Mono, 8 kHz, in units of int16."""

RATE_HZ = 8000
SPEECH_RMS = 1850.0
"""Level of active speech: -25 dBFS, in the middle of what telephones send."""
_FRAME = RATE_HZ // 100
TRIM_DB = 32.0
"""Sound this far below the loudest 10 ms is taken for silence at the ends of a piece."""


def from_pcm(pcm: bytes, rate_hz: int) -> Samples:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    if rate_hz != RATE_HZ:
        samples = soxr.resample(samples, rate_hz, RATE_HZ).astype(np.float32)
    return samples


def levels(samples: Samples) -> NDArray[np.float64]:
    """RMS of each 10 ms."""
    whole = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    return np.asarray(np.sqrt((whole**2).mean(axis=1)), dtype=np.float64)


def trimmed(samples: Samples) -> Samples:
    """Without the silence before the first and after the last sound."""
    rms = levels(samples)
    if not len(rms) or rms.max() == 0:
        return samples[:0]
    loud = np.flatnonzero(rms >= rms.max() * 10 ** (-TRIM_DB / 20))
    return samples[loud[0] * _FRAME : (loud[-1] + 1) * _FRAME]


def at_level(samples: Samples, rms: float = SPEECH_RMS) -> Samples:
    """Scaled so that its voiced part has this RMS."""
    active = levels(samples)
    active = active[active >= active.max(initial=0) * 0.1]
    now = float(np.sqrt((active**2).mean())) if len(active) else 0.0
    return samples * np.float32(rms / now) if now else samples


def scaled(samples: NDArray[Any], gain: float) -> Samples:
    return np.asarray(samples * gain, dtype=np.float32)


def at_pace(samples: Samples, pace: float) -> Samples:
    """Slower (below 1) or faster at the same pitch: overlapping 32 ms windows, each shifted to where
    it fits the one before best (WSOLA)."""
    if pace == 1.0 or len(samples) < 1024:
        return samples
    size, hop, reach = 256, 128, 96
    window = np.hanning(size).astype(np.float32)
    count = int((len(samples) - size - 2 * reach) / (hop * pace))
    out = np.zeros(count * hop + size, np.float32)
    weight = np.full_like(out, 1e-6)
    position = 0
    for step in range(count):
        ideal = int(step * hop * pace)
        start = ideal
        if step:
            wanted = samples[position + hop : position + hop + size]
            low, high = max(0, ideal - reach), ideal + reach
            region = samples[low : high + size]
            if len(wanted) == size and len(region) >= size:
                start = low + int(np.argmax(np.correlate(region, wanted, "valid")))
        piece = samples[start : start + size]
        if len(piece) < size:
            break
        out[step * hop : step * hop + size] += piece * window
        weight[step * hop : step * hop + size] += window
        position = start
    return np.asarray(out / np.maximum(weight, 0.1), dtype=np.float32)


def noise(kind: str, seconds: float, babble: Samples | None = None, seed: int = 1) -> Samples:
    """Noise with the level of speech; `babble` is what voices it is mixed of."""
    count = int(seconds * RATE_HZ)
    random = np.random.default_rng(seed)
    if kind == "white":
        made = random.normal(0, 1, count)
    elif kind == "hum":
        time = np.arange(count) / RATE_HZ
        made = random.normal(0, 0.1, count)
        for hz, level in ((100, 1.0), (150, 0.5), (200, 0.7), (300, 0.4), (400, 0.3)):
            made += level * np.sin(2 * np.pi * hz * time)
    else:
        assert babble is not None
        made = np.zeros(count)
        for shift in random.integers(0, len(babble), 5):
            voice = np.roll(babble, int(shift))
            made += np.resize(voice, count)
    return scaled(made, SPEECH_RMS / float(np.sqrt((made**2).mean())))


def mouth_sound(kind: str) -> Samples:
    """A hum, cough, sneeze, click, tap or breath: shaped pulses and noise, the same every time."""
    random = np.random.default_rng(sum(kind.encode()))

    def burst(ms: float, attack_ms: float, low: float, high: float, rms: float) -> Samples:
        count = int(ms * RATE_HZ / 1000)
        spectrum = np.fft.rfft(random.normal(0, 1, count))
        hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
        spectrum[(hz < low) | (hz > high)] *= 0.05
        time = np.arange(count) / RATE_HZ * 1000
        envelope = np.minimum(time / attack_ms, 1.0) * np.exp(-time / (ms / 3))
        made = np.fft.irfft(spectrum, count) * envelope
        made = made / max(1e-9, float(np.sqrt((made**2).mean()))) * rms
        return np.asarray(np.clip(made, -32000, 32000), dtype=np.float32)

    def hum(ms: float, from_hz: float, to_hz: float, dip: bool) -> Samples:
        """A voice through the nose: pulses at a moving pitch, hardly anything above 1 kHz."""
        count = int(ms * RATE_HZ / 1000)
        time = np.linspace(0, 1, count)
        phase = np.cumsum(from_hz + (to_hz - from_hz) * time) * 2 * np.pi / RATE_HZ
        made = np.zeros(count)
        for number in range(1, 9):
            made += np.sin(number * phase) / number**1.3
        envelope = np.minimum(1, np.minimum(time, 1 - time) * 12)
        if dip:
            envelope *= 1 - 0.85 * np.exp(-(((time - 0.45) / 0.07) ** 2))
        made = made * envelope + random.normal(0, 0.02, count)
        return at_level(made.astype(np.float32), 0.7 * SPEECH_RMS)

    gap = np.zeros(RATE_HZ // 8, np.float32)
    match kind:
        case "mhm":
            return hum(420, 125, 165, dip=True)
        case "hmm":
            return hum(380, 150, 115, dip=False)
        case "cough":
            return np.concatenate([burst(140, 5, 300, 2500, 4000), gap, burst(260, 8, 250, 2000, 3500)])
        case "sneeze":
            return np.concatenate([burst(220, 120, 300, 1500, 1500), burst(350, 5, 400, 3800, 5000)])
        case "click":
            return burst(12, 1, 800, 3800, 9000)
        case "tap":
            return np.concatenate([part for _ in range(4) for part in (burst(30, 1, 100, 1800, 5000), gap)])
    return burst(700, 300, 400, 2500, 500)


def mixed(onto: Samples, piece: Samples, at: int) -> None:
    """Add `piece` to `onto`, from sample `at` on; what stands over is dropped."""
    end = min(len(onto), at + len(piece))
    if end > at:
        onto[at:end] += piece[: end - at]
