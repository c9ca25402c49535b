"""When guessing has to stop: it is the first thing to go when a process has enough to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceops.core.clock import Clock, MonotonicClock

LAG_MS = 60.0
"""Three frames: an event loop that wakes up so late again and again has no time for guesses."""
LAG_GAIN = 0.25
"""Of each sample in the moving mean: one late moment does not close the gate, two in a row may."""
REST_MS = 5_000.0
"""After a late event loop or a refused guess, none for this long."""


@dataclass(slots=True, eq=False)
class LoadGate:
    """One a process, shared by its calls."""

    most_calls: int = 4
    """Live calls up to which answers are planned ahead; 0: any number."""
    on: bool = True
    """The setting for the whole process."""
    clock: Clock = field(default_factory=MonotonicClock)
    calls: int = 0
    _lag_ms: float = 0.0
    _rests_until_ms: float = 0.0
    _why: str = ""

    def answered(self) -> None:
        self.calls += 1

    def ended(self) -> None:
        self.calls -= 1

    def lagged(self, lag_ms: float) -> None:
        """The event loop woke up this much too late."""
        self._lag_ms += LAG_GAIN * (lag_ms - self._lag_ms)
        if self._lag_ms >= LAG_MS:
            self._rest(f"the event loop wakes up {self._lag_ms:.0f} ms late")

    def refused(self) -> None:
        """An inference server had no room for a guess."""
        self._rest("a server was at capacity")

    def closed(self) -> str:
        """Why no answer is planned ahead now; empty when it is."""
        if not self.on:
            return "switched off"
        if self.most_calls and self.calls > self.most_calls:
            return f"{self.calls} live calls, more than {self.most_calls}"
        if self.clock.now_ms() < self._rests_until_ms:
            return self._why
        return ""

    def _rest(self, why: str) -> None:
        self._rests_until_ms, self._why = self.clock.now_ms() + REST_MS, why


GATE = LoadGate()
"""The process's gate; the composition root sets its limits."""
