"""Synthetic callers on a telephone line: words to 8 kHz mu-law that ends where the speech ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

import telephony.api as telephony
from voiceops.console.trial import TrialFailed
from voiceops.core.budget import Deadline
from voiceops.core.errors import AtCapacity, StageError
from voiceops.inference.client import InferenceClient

RATE_HZ = telephony.TWILIO_RATE_HZ
FRAME = RATE_HZ // 50
LEVEL_DBFS = -20.0
"""RMS of the loud parts: an ordinary telephone level."""
TAIL_FRAMES = 2
"""Frames kept after the last one that counts as sound (peak above -36 dBFS): a dying consonant."""
_SPEAK_MS = 30_000


@dataclass(frozen=True, slots=True)
class Speaker:
    engine: str
    tempo: float = 1.0
    """Speed and pitch together, as of a tape."""

    @property
    def name(self) -> str:
        return self.engine if self.tempo == 1.0 else f"{self.engine} x{self.tempo:g}"


SPEAKERS: tuple[Speaker, ...] = (
    Speaker("piper"),
    Speaker("hibari"),
    Speaker("piper", 1.07),
    Speaker("hibari", 0.94),
    Speaker("piper", 0.95),
    Speaker("hibari", 1.06),
)


async def speak(text: str, speaker: Speaker) -> telephony.Utterance:
    """`text` as this speaker says it on the telephone. Raises: TrialFailed."""
    target = settings.VOICEOPS["PIPER_TARGET" if speaker.engine == "piper" else "VOICE_TARGET"]
    client = InferenceClient(target)
    pcm, rate_hz = bytearray(), 0
    try:
        deadline = Deadline.after_ms(_SPEAK_MS)
        async for chunk in client.synthesize(text, engine=speaker.engine, language="en", deadline=deadline):
            pcm += chunk.pcm
            rate_hz = chunk.sample_rate_hz
    except (StageError, AtCapacity) as error:
        raise TrialFailed(
            f"{speaker.engine} at {target} cannot speak for the callers ({error}): is ./run running?"
        ) from error
    finally:
        await client.aclose()
    narrow = telephony.resample(bytes(pcm), round(rate_hz * speaker.tempo), RATE_HZ)
    return on_the_line(narrow, label=text)


def on_the_line(pcm: bytes, *, label: str) -> telephony.Utterance:
    """int16 mono at 8 kHz at an even level, without the silence around it.

    What is sent after the last frame of the result is digital silence, so the end of the caller's
    speech is known to the frame. Raises: TrialFailed when nothing in it is speech.
    """
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    loud = _loudness(samples)
    if loud < 1.0:
        raise TrialFailed(f"the synthetic caller made no sound for {label!r}")
    gain = 32768 * 10 ** (LEVEL_DBFS / 20) / loud
    levelled = np.clip(samples * gain, -32768, 32767).astype("<i2")
    whole = telephony.Utterance.of(levelled.tobytes(), label=label)
    first = whole.first_sound_frame
    last = min(whole.last_sound_frame + TAIL_FRAMES, len(whole.frames) - 1)
    utterance = telephony.Utterance(
        whole.codes[max(0, first - TAIL_FRAMES) * FRAME : (last + 1) * FRAME], label
    )
    check_end(utterance)
    return utterance


def check_end(utterance: telephony.Utterance) -> None:
    """Raises: TrialFailed unless this audio ends where the carrier takes the speech to end."""
    after = len(utterance.frames) - 1 - utterance.last_sound_frame
    if after > TAIL_FRAMES:
        raise TrialFailed(
            f"the audio of {utterance.label!r} goes on for {after * 20} ms after its last sound: "
            "latencies would be counted from the wrong moment"
        )


def _loudness(samples: NDArray[np.float64]) -> float:
    """RMS of the loud frames: the 90th percentile over frames of 20 ms."""
    count = len(samples) // FRAME
    if not count:
        return 0.0
    rms = np.sqrt((samples[: count * FRAME].reshape(count, FRAME) ** 2).mean(axis=1))
    return float(np.percentile(rms, 90))
