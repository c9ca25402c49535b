"""One turn's spans as bars on one axis, against the budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.api import SpanDetail, TurnDetail
from voiceops.core.budget import TurnBudget

LABELS = {
    "endpointing": "Endpointing",
    "stt": "Speech to text",
    "intent": "Intent",
    "retrieval": "Retrieval",
    "llm": "Language model",
    "grounding": "Grounding",
    "tts": "Text to speech",
    "tool": "Tool",
    "playout": "Playout",
    "filler": "Filler",
}
OPEN_ENDED = frozenset({"playout", "filler"})
"""Spans that may outlast the answer's start; they do not stretch the axis."""
TICK_STEPS_MS = (50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000)


@dataclass(frozen=True, slots=True)
class Bar:
    """One span; every `x` and `width` is a share of the axis, 0 to 100."""

    name: str
    label: str
    start_ms: float
    """Since the axis begins."""
    duration_ms: float
    budget_ms: float | None
    x: float
    width: float
    excess_x: float
    excess_width: float
    """The part beyond the budget; 0 when within."""
    budget_x: float | None
    is_cut: bool
    """It goes on beyond the axis."""
    detail: str
    """The span's attributes in one line."""

    @property
    def is_over(self) -> bool:
        return self.budget_ms is not None and self.duration_ms > self.budget_ms


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    latency_ms: float | None
    budget_ms: int
    """Of the whole turn."""
    budget_x: float
    latency_x: float | None
    overspent: tuple[str, ...]
    """Labels of the stages beyond their budget, worst first."""

    @property
    def is_over(self) -> bool:
        return self.latency_ms is not None and self.latency_ms > self.budget_ms


def _budget(span: SpanDetail, budget: TurnBudget) -> float | None:
    if span.budget_ms is not None:
        return span.budget_ms
    return {
        "stt": budget.stt_ms,
        "retrieval": budget.retrieval_ms,
        "llm": budget.llm_ms,
        "tts": budget.tts_ms,
    }.get(span.name)


def _ticks(length_ms: float) -> tuple[Tick, ...]:
    step = next((s for s in TICK_STEPS_MS if length_ms / s <= 8), TICK_STEPS_MS[-1])
    marks = range(0, int(length_ms) + 1, step)
    return tuple(Tick(100 * at / length_ms, f"{at / 1000:g} s" if at >= 1000 else f"{at} ms") for at in marks)


def draw(turn: TurnDetail, budget: TurnBudget) -> Waterfall | None:
    """None when the turn left no spans."""
    spans: Sequence[SpanDetail] = sorted(turn.spans, key=lambda span: (span.start_ms, span.duration_ms))
    if not spans:
        return None
    measured = [span for span in spans if span.name not in OPEN_ENDED] or spans
    origin_ms = min(span.start_ms for span in spans)
    ends = [span.start_ms + span.duration_ms - origin_ms for span in measured]
    if measured is spans:
        ends = [max(ends)]
    length_ms = max(*ends, turn.latency_ms or 0.0, float(budget.total_ms)) * 1.08

    bars = []
    for span in spans:
        start_ms = span.start_ms - origin_ms
        end_ms = min(start_ms + span.duration_ms, length_ms)
        allowed = _budget(span, budget)
        limit_ms = start_ms + allowed if allowed is not None else end_ms
        excess_ms = max(0.0, end_ms - limit_ms)
        bars.append(
            Bar(
                name=span.name,
                label=LABELS.get(span.name, span.name.replace("_", " ").capitalize()),
                start_ms=start_ms,
                duration_ms=span.duration_ms,
                budget_ms=allowed,
                x=100 * start_ms / length_ms,
                width=max(0.4, 100 * (end_ms - start_ms) / length_ms),
                excess_x=100 * limit_ms / length_ms,
                excess_width=100 * excess_ms / length_ms,
                budget_x=100 * limit_ms / length_ms
                if allowed is not None and limit_ms <= length_ms
                else None,
                is_cut=start_ms + span.duration_ms > length_ms,
                detail=", ".join(f"{key} {value}" for key, value in span.attributes.items()),
            )
        )
    over = sorted(
        (bar for bar in bars if bar.is_over), key=lambda bar: (bar.budget_ms or 0) - bar.duration_ms
    )
    return Waterfall(
        bars=tuple(bars),
        ticks=_ticks(length_ms),
        latency_ms=turn.latency_ms,
        budget_ms=budget.total_ms,
        budget_x=100 * budget.total_ms / length_ms,
        latency_x=100 * turn.latency_ms / length_ms if turn.latency_ms is not None else None,
        overspent=tuple(dict.fromkeys(bar.label for bar in over)),
    )
