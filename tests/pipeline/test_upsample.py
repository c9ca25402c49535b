"""Doubling the rate of telephone audio: what the recogniser hears, and when."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.pipeline.upsample import Doubler


def tone(hz: float, rate_hz: int, seconds: float = 0.5) -> NDArray[np.float64]:
    return 8000 * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)


def doubled(samples: NDArray[np.float64], frame: int = 160) -> NDArray[np.int16]:
    doubler = Doubler()
    pcm = samples.astype("<i2").tobytes()
    out = [doubler.feed(pcm[at : at + 2 * frame]) for at in range(0, len(pcm), 2 * frame)]
    return np.frombuffer(b"".join(out), "<i2")


def test_every_frame_comes_out_at_once() -> None:
    """Audio that is held back delays the end of the caller's turn."""
    doubler = Doubler()
    assert [len(doubler.feed(bytes(320))) for _ in range(5)] == [640] * 5
    click = np.zeros(1600)
    click[800] = 20_000
    assert abs(int(np.argmax(np.abs(doubled(click)))) - 1600) <= 2 * 16


@pytest.mark.parametrize("hz", [100, 300, 1000, 2000, 3000, 3400])
def test_speech_keeps_its_sound(hz: float) -> None:
    heard = np.abs(np.fft.rfft(doubled(tone(hz, 8000))[800:-800] * np.hanning(8000 - 1600)))
    meant = np.abs(np.fft.rfft(tone(hz, 16_000)[800:-800] * np.hanning(8000 - 1600)))
    assert abs(20 * np.log10(heard.max() / meant.max())) < 0.3
    mirrored = heard[int((8000 - hz - 60) / 16_000 * 6400) : int((8000 - hz + 60) / 16_000 * 6400)]
    assert 20 * np.log10(mirrored.max() / heard.max()) < -40, "no image of the voice above 4 kHz"


def test_frames_of_any_length_give_the_same() -> None:
    samples = tone(440, 8000)
    assert np.array_equal(doubled(samples, 160), doubled(samples, 37))


def test_loud_audio_does_not_wrap() -> None:
    loud = np.where(tone(200, 8000) > 0, 32_767, -32_768)
    assert doubled(loud).min() == -32_768 and doubled(loud).max() == 32_767
