"""Whether the caller is really talking over the agent, or the agent hears itself."""

from __future__ import annotations

from dataclasses import dataclass

BARGE_IN_MS = 250.0
"""Voiced time that stops the agent; the port's VAD adds one window of 32 ms."""
THRESHOLD_LISTENING = 0.5
THRESHOLD_SPEAKING = 0.7
"""Speech probability asked for: Silero's default, and a stricter one while the agent is audible."""
FLOOR_RMS = 200.0
"""int16 RMS (about -44 dBFS) below which sound during agent speech is taken for line noise."""
ECHO_MARGIN = 2.0
"""A talker must stand 6 dB above what returns of the agent's own voice."""


@dataclass(slots=True)
class BargeIn:
    """Fed with every window; knows the level of the agent's echo on this line."""

    _echo_rms: float = 0.0
    _voiced_ms: float = 0.0
    _gap_ms: float = 0.0

    def threshold(self, *, agent_audible: bool) -> float:
        return THRESHOLD_SPEAKING if agent_audible else THRESHOLD_LISTENING

    def is_voice(self, probability: float, rms: float, *, agent_audible: bool) -> bool:
        """Whether one window counts as the caller's speech."""
        if not agent_audible:
            return probability >= THRESHOLD_LISTENING
        if probability < THRESHOLD_SPEAKING:
            # What comes back while nobody talks is echo and line noise; remember its level.
            self._echo_rms = rms if not self._echo_rms else 0.9 * self._echo_rms + 0.1 * rms
            return False
        return rms >= max(FLOOR_RMS, ECHO_MARGIN * self._echo_rms)

    def hear(self, voice: bool, duration_ms: float) -> bool:
        """True once, when the caller has spoken for `BARGE_IN_MS` with no long gap."""
        if voice:
            before = self._voiced_ms
            self._voiced_ms += duration_ms
            self._gap_ms = 0.0
            return before < BARGE_IN_MS <= self._voiced_ms
        self._gap_ms += duration_ms
        if self._gap_ms > 150.0:
            self._voiced_ms = 0.0
        return False

    def reset(self) -> None:
        self._voiced_ms = self._gap_ms = 0.0
