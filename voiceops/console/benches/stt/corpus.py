"""What is heard: sentences of the demo's trade by synthetic callers over a phone line, and recordings."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from telephony.transports import mulaw
from voiceops.core.audio import PIPELINE_RATE_HZ
from voiceops.core.budget import Deadline
from voiceops.core.errors import ConfigurationError
from voiceops.inference.client import InferenceClient

VOICES = ("hibari", "piper")
HINTS = (
    "3BHK", "EMI", "1 crore 20 lakh", "Lakeview Residency", "Orchid Grove", "Whitefield", "Sarjapur",
    "Indiranagar", "Hebbal",
)  # fmt: skip
"""As the demo's call plan gives them."""
SENTENCES = (
    "What is the price of a three bedroom flat in Whitefield?",
    "And how much is the two bedroom?",
    "I would like to visit Lakeview Residency on Saturday morning at eleven thirty.",
    "My phone number is nine eight eight six zero double four one two three.",
    "My budget is one crore twenty lakh rupees.",
    "Is the token amount of fifty thousand rupees refundable?",
    "Yes please.",
    "No, not today.",
    "What was the EMI amount you quoted me yesterday?",
    "When is possession at Orchid Grove in Sarjapur?",
    "I want to book a site visit for the twenty third of November at four p m.",
    "Tell me about flats in Indiranagar, Hebbal and Whitefield below ninety five lakh.",
    "Thank you very much, goodbye.",
    "Do you help with home loans and what is the interest rate?",
    "Can you call me back on seven six five four three two one zero nine eight after six in the evening?",
    "How many three bedroom flats are still available at Lakeview Residency?",
)
NOISE_DB: tuple[int | None, ...] = (None, 20, 10)
"""Signal to noise of white noise that is there before the phone line; None: clean."""
LINE_RATE_HZ = 8000
LEAD_S = 0.3
AUDIBLE = 0.01
TIMEOUT_MS = 60_000.0

RECORDINGS_PACKAGE = "moonshine_voice"
TWO_CITIES = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of "
    "foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of "
    "light, it was the season of darkness, it was the spring of hope, it was the winter of despair, we "
    "had everything before us, we had nothing before us, we were all going direct to Heaven, we were "
    "all going direct the other way. In short, the period was so far like the present period, that some "
    "of its noisiest authorities insisted on its being received, for good or for evil, in the "
    "superlative degree of comparison only."
)
"""Charles Dickens, A Tale of Two Cities, the opening, as far as it is read."""
BECKETT = "Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."
"""Samuel Beckett, Worstward Ho, the sentence that is read."""


@dataclass(frozen=True, slots=True)
class Clip:
    text: str
    """What was really said."""
    audio: NDArray[np.float32]
    """16 kHz mono, -1 to 1, shape (samples,); half a second of the line's own noise at the end."""
    last_word_s: float
    """Where the last sound of speech is."""
    voice: str
    condition: str
    """clean | noise 20 dB | noise 10 dB, through 8 kHz mu-law; recording | recording, phone."""


async def synthesised(text: str, *, voice: str, target: str) -> NDArray[np.float32]:
    """One sentence at 8 kHz, silence around it cut off. Raises TtsError, AtCapacity."""
    client = InferenceClient(target)
    pieces: list[bytes] = []
    rate_hz = LINE_RATE_HZ
    try:
        async for chunk in client.synthesize(
            text, engine=voice, language="en", deadline=Deadline.after_ms(TIMEOUT_MS)
        ):
            pieces.append(chunk.pcm)
            rate_hz = chunk.sample_rate_hz
    finally:
        await client.aclose()
    audio = np.frombuffer(b"".join(pieces), "<i2").astype(np.float32) / 32768
    narrow = soxr.resample(audio, rate_hz, LINE_RATE_HZ)
    loud = np.flatnonzero(np.abs(narrow) > AUDIBLE)
    cut: NDArray[np.float32] = narrow[loud[0] : loud[-1] + 1]
    return cut


def on_the_phone(
    speech: NDArray[np.float32], *, text: str, voice: str, noise_db: int | None, tail_s: float = 0.5
) -> Clip:
    """`speech` (8 kHz) with noise, through the line's mu-law, as the pipeline hears it. The noise is
    the same in every run."""
    quiet = np.zeros(int(LEAD_S * LINE_RATE_HZ), np.float32)
    line = np.concatenate([quiet, speech, np.zeros(int(tail_s * LINE_RATE_HZ), np.float32)])
    if noise_db is not None:
        power = float(np.mean(speech**2)) / 10 ** (noise_db / 10)
        line = line + np.random.default_rng(len(text)).normal(0, np.sqrt(power), len(line))
    heard = mulaw.decode(mulaw.encode((np.clip(line, -1, 1) * 32767).astype("<i2").tobytes()))
    narrow = np.frombuffer(heard, "<i2").astype(np.float32) / 32768
    audio = soxr.resample(narrow, LINE_RATE_HZ, PIPELINE_RATE_HZ).astype(np.float32)
    condition = "clean" if noise_db is None else f"noise {noise_db} dB"
    return Clip(text, audio, LEAD_S + len(speech) / LINE_RATE_HZ, voice, condition)


def recordings() -> Iterator[Clip]:
    """People, read English: as recorded and over the phone; nothing when the package is not there."""
    spec = find_spec(RECORDINGS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(next(iter(spec.submodule_search_locations))) / "assets"
    for name, text in (("beckett", BECKETT), ("two_cities", TWO_CITIES)):
        wide, rate_hz = _read(folder / f"{name}.wav")
        audio = soxr.resample(wide, rate_hz, PIPELINE_RATE_HZ).astype(np.float32)
        tail = np.zeros(int(1.5 * PIPELINE_RATE_HZ), np.float32)
        yield Clip(text, np.concatenate([audio, tail]), len(audio) / PIPELINE_RATE_HZ, name, "recording")
        narrow = soxr.resample(wide, rate_hz, LINE_RATE_HZ).astype(np.float32)
        clip = on_the_phone(narrow, text=text, voice=name, noise_db=None, tail_s=1.5)
        yield Clip(text, clip.audio, clip.last_word_s, name, "recording, phone")


def _read(path: Path) -> tuple[NDArray[np.float32], int]:
    try:
        with wave.open(str(path)) as file:
            pcm = file.readframes(file.getnframes())
            rate_hz = file.getframerate()
    except (OSError, wave.Error) as error:
        raise ConfigurationError(f"the recording {path} cannot be read: {error}") from error
    audio: NDArray[np.float32] = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
    return audio, rate_hz
