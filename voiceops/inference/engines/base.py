"""What an engine is: a synchronous object that one lane's thread owns.

An engine is built and called in that thread only, so it needs no locks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from voiceops.core.errors import VoiceOpsError

Emit = Callable[[bytes], None]
"""Takes int16 little-endian mono PCM at the engine's rate."""
IsCancelled = Callable[[], bool]


class InvalidRequest(VoiceOpsError):
    """The request can never succeed: unknown language or voice, empty text."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    engine: str
    """For people, e.g. `faster-whisper base (CTranslate2 int8)`."""
    languages: frozenset[str]
    sample_rate_hz: int = 16_000


@dataclass(frozen=True, slots=True)
class Recognised:
    text: str
    """Empty when nothing was said."""
    confidence: float
    """0 to 1; 0 when the engine gives none."""
    no_speech: float = 0.0
    """Probability (0 to 1) that the audio holds no speech."""
    language_scores: Mapping[str, float] = field(default_factory=dict)
    """Probability by language tag, over the engine's languages; empty when not asked for or unknown."""


class Engine(Protocol):
    """Built by `Class(options)`, where options are the server's flags by name."""

    info: EngineInfo

    def warm(self) -> None:
        """Run one real inference."""


class Recogniser(Engine, Protocol):
    def transcribe(
        self,
        audio: NDArray[np.float32],
        *,
        language: str,
        hints: Sequence[str],
        cancelled: IsCancelled,
        prefix: str = "",
        identify: bool = False,
    ) -> Recognised:
        """Words of one utterance: 16 kHz mono, -1 to 1, shape (samples,). `prefix`: leading words that
        are certain; an engine may ignore it. `identify`: fill `language_scores`, when the engine can.
        Raises InvalidRequest."""


class TextEncoder(Engine, Protocol):
    dim: int

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "passage"]) -> NDArray[np.float32]:
        """Unit-length vectors, shape (len(texts), dim)."""


class Synthesiser(Engine, Protocol):
    def synthesize(self, text: str, *, language: str, voice: str, emit: Emit, cancelled: IsCancelled) -> None:
        """Emit the audio of `text` piece by piece; stop soon when cancelled. Raises InvalidRequest."""


Options = Mapping[str, str]
"""Model paths and engine settings by name: `whisper_model`, `e5_model`, `piper_voice`…"""


def int16(audio: NDArray[np.float32]) -> bytes:
    """Float samples (-1 to 1) as int16 little-endian PCM."""
    return (np.clip(audio, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


def float32(pcm: bytes) -> NDArray[np.float32]:
    """int16 little-endian PCM as float samples (-1 to 1), shape (samples,)."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768.0
