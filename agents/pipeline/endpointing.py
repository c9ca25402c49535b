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
    """Plain silence. 200 ms is longer than the gaps inside read English (95 % of the gaps that
    Silero sees in two_cities.wav are below 190 ms); 550 ms keeps a decode of about 120 ms out
    of the caller's wait and stays clear of the pauses between clauses."""

    speculate_ms: float = 200.0
    end_ms: float = 550.0

    def is_end(self, pause: Pause) -> bool:
        return pause.silence_ms >= self.end_ms
