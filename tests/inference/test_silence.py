"""Without trimming, a caller waits 300 ms more for every answer of the default voice."""

from __future__ import annotations

import numpy as np
import pytest

from voiceops.inference.silence import LEAD_MS, TAIL_MS, Trimmer

RATE_HZ = 24_000


def tone(duration_ms: int) -> bytes:
    t = np.arange(RATE_HZ * duration_ms // 1000) / RATE_HZ
    return (8000 * np.sin(2 * np.pi * 300 * t)).astype("<i2").tobytes()


def silence(duration_ms: int) -> bytes:
    return bytes(2 * (RATE_HZ * duration_ms // 1000))


def length_ms(pcm: bytes) -> float:
    return len(pcm) / 2 / RATE_HZ * 1000


@pytest.mark.parametrize("piece_ms", [10, 70, 5000])
def test_speech_keeps_its_inner_pauses_and_loses_the_silence_around_it(piece_ms: int) -> None:
    whole = silence(300) + tone(400) + silence(500) + tone(300) + silence(450)
    emitted: list[bytes] = []
    trimmer = Trimmer(emitted.append, rate_hz=RATE_HZ)
    step = len(silence(piece_ms))
    for at in range(0, len(whole), step):
        trimmer.push(whole[at : at + step])
    trimmer.close()
    said = b"".join(emitted)
    assert length_ms(said) == pytest.approx(LEAD_MS + 400 + 500 + 300 + TAIL_MS, abs=2)
    assert whole.find(said) > 0, "the sound was changed"


def test_silence_alone_is_not_sent() -> None:
    emitted: list[bytes] = []
    trimmer = Trimmer(emitted.append, rate_hz=RATE_HZ)
    trimmer.push(silence(1000))
    trimmer.close()
    assert emitted == []


def test_a_voice_that_starts_at_once_loses_nothing() -> None:
    emitted: list[bytes] = []
    trimmer = Trimmer(emitted.append, rate_hz=RATE_HZ)
    trimmer.push(tone(200))
    trimmer.close()
    assert length_ms(b"".join(emitted)) == pytest.approx(200, abs=2)
