"""When the caller has finished: a policy over silence, replaceable by a smarter one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pause:
    """The caller is silent now; what is known of the utterance so far."""

    silence_ms: float
    speech_ms: float
    """Voiced time of the utterance."""
    text: str
    """Latest partial transcript; empty when there is none yet."""
    language: str


class Endpointing(Protocol):
    """Decides from a pause; asked once per VAD window of silence."""

    speculate_ms: float
    """Silence after which the final decode is started on suspicion."""

    def is_end(self, pause: Pause) -> bool: ...


@dataclass(frozen=True, slots=True)
class SilenceEndpointing:
    """Plain silence: quick with short questions, and it does cut into slow speech. Of the gaps that
    Silero sees in two recordings of read English (two_cities.wav and beckett.wav of
    moonshine-voice, 54 s, 24 gaps), 21 % are below 200 ms and half below 550 ms; the longer ones
    stand between sentences and clauses."""

    speculate_ms: float = 200.0
    end_ms: float = 550.0

    def is_end(self, pause: Pause) -> bool:
        return pause.silence_ms >= self.end_ms
