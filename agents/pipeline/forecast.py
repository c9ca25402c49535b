"""How long each engine takes at the moment, so that a stage that will miss its budget is not waited for.

A mean and a mean deviation, moved by every duration that is seen, as TCP estimates its round trips:
quick to follow a machine that becomes busy, calm about one slow answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceops.core.clock import Clock, MonotonicClock

GAIN = 0.25
DEVIATION_GAIN = 0.25
DEVIATIONS = 1.0
"""What is predicted stands this many mean deviations above the mean: about five answers in six come
sooner."""
FORGET_MS = 60_000.0
"""An estimate that nothing has confirmed for so long predicts nothing: the engine is tried again."""

USES_SEEN = 2
USEFUL_SHARE = 0.3
"""Two useless results in a row from the start, or three after a mixed past."""
RETRY_USE_MS = 300_000.0
"""After this long it is tried again."""


@dataclass(slots=True)
class _Estimate:
    mean_ms: float
    deviation_ms: float
    seen_ms: float


@dataclass(slots=True, eq=False)
class Forecast:
    """One a process; keys are (stage, engine)."""

    clock: Clock = field(default_factory=MonotonicClock)
    _known: dict[tuple[str, str], _Estimate] = field(default_factory=dict)
    _useful: dict[tuple[str, str], tuple[float, int, float]] = field(default_factory=dict)
    """(engine, purpose) → share of useful results, how many were seen, when the last."""

    def observe(self, stage: str, engine: str, duration_ms: float) -> None:
        """One piece of work took this long."""
        now = self.clock.now_ms()
        known = self._known.get((stage, engine))
        if known is None or now - known.seen_ms > FORGET_MS:
            self._known[stage, engine] = _Estimate(duration_ms, duration_ms / 4, now)
            return
        error = duration_ms - known.mean_ms
        known.mean_ms += GAIN * error
        known.deviation_ms += DEVIATION_GAIN * (abs(error) - known.deviation_ms)
        known.seen_ms = now

    def at_least(self, stage: str, engine: str, duration_ms: float) -> None:
        """It was given up after this long and would have taken longer, nobody knows by how much: taken
        for half as long again, and only when that is more than had been expected."""
        duration_ms *= 1.5
        predicted = self.predicted_ms(stage, engine)
        if predicted is None or duration_ms > predicted:
            self.observe(stage, engine, duration_ms)

    def predicted_ms(self, stage: str, engine: str) -> float | None:
        """What the next piece of work will hardly exceed; None when nothing recent is known."""
        known = self._known.get((stage, engine))
        if known is None or self.clock.now_ms() - known.seen_ms > FORGET_MS:
            return None
        return known.mean_ms + DEVIATIONS * known.deviation_ms

    def tell_use(self, engine: str, purpose: str, useful: bool) -> None:
        """What an engine brought for a purpose could be used, or not."""
        known = self._useful.get((engine, purpose), (0.5, 0, 0.0))
        share = known[0] + GAIN * (float(useful) - known[0])
        self._useful[engine, purpose] = (share, known[1] + 1, self.clock.now_ms())

    def is_useless(self, engine: str, purpose: str) -> bool:
        """Whether what it brings can hardly ever be used, as seen lately: it is not worth a wait."""
        share, seen, at_ms = self._useful.get((engine, purpose), (1.0, 0, 0.0))
        return seen >= USES_SEEN and share < USEFUL_SHARE and self.clock.now_ms() - at_ms < RETRY_USE_MS

    def age_ms(self, stage: str, engine: str) -> float:
        """Since the last thing that was seen of it; endless when nothing was."""
        known = self._known.get((stage, engine))
        return float("inf") if known is None else self.clock.now_ms() - known.seen_ms


FORECAST = Forecast()
"""The process's estimates."""
