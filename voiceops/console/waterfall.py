"""One turn's spans as bars on one axis, against the budget, with the work done ahead of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agents.api import SpanDetail, TurnDetail
from voiceops.core.budget import TurnBudget
from voiceops.core.events import Speculation

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
AHEAD = {
    "prefetch": ("Facts ahead", "retrieval"),
    "generation": ("Answer ahead", "llm"),
    "first_clause": ("Voice ahead", "tts"),
}
"""Kind of work done ahead: what a person reads, and the stage whose colour it has."""
OPEN_ENDED = frozenset({"playout", "filler"})
"""Spans that may outlast the answer's start; they do not stretch the axis."""
LOOK_BACK_MS = 3000.0
"""The axis begins at most this long before the caller stopped."""
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
class Piece:
    """One guess on its lane."""

    x: float
    width: float
    outcome: str
    """hit, waste or aborted"""
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """All work of one kind that was begun ahead."""

    stage: str
    label: str
    pieces: tuple[Piece, ...]
    saved_ms: float
    note: str
    """How many of the guesses were used."""


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Waterfall:
    bars: tuple[Bar, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    latency_ms: float | None
    budget_ms: int
    """Of the whole turn."""
    stopped_x: float | None
    """The moment the caller stopped; None when nobody spoke."""
    budget_x: float
    latency_x: float | None
    overspent: tuple[str, ...]
    """Labels of the stages beyond their budget, worst first."""

    @property
    def is_over(self) -> bool:
        return self.latency_ms is not None and self.latency_ms > self.budget_ms


def stopped_at(turn: TurnDetail) -> float | None:
    """Call time of the caller's last speech, in ms; None for a turn that no speech ended."""
    waited = [span.start_ms for span in turn.spans if span.name == "endpointing"]
    if waited:
        return max(waited)
    return None


def _budget(span: SpanDetail, budget: TurnBudget) -> float | None:
    if span.budget_ms is not None:
        return span.budget_ms
    return {
        "stt": budget.stt_ms,
        "retrieval": budget.retrieval_ms,
        "llm": budget.llm_ms,
        "tts": budget.tts_ms,
    }.get(span.name)


def _moment(at_ms: float) -> str:
    sign = "−" if at_ms < 0 else ""
    return f"{sign}{abs(at_ms) / 1000:g} s" if abs(at_ms) >= 1000 else f"{sign}{abs(at_ms):.0f} ms"


@dataclass(frozen=True, slots=True)
class _Axis:
    """From `begin_ms` to `end_ms`, both relative to the caller's last speech (or the first span)."""

    zero_ms: float
    """In call time."""
    begin_ms: float
    end_ms: float

    def at(self, relative_ms: float) -> float:
        share = 100 * (relative_ms - self.begin_ms) / (self.end_ms - self.begin_ms)
        return min(100.0, max(0.0, share))

    def ticks(self) -> tuple[Tick, ...]:
        length_ms = self.end_ms - self.begin_ms
        step = next((s for s in TICK_STEPS_MS if length_ms / s <= 8), TICK_STEPS_MS[-1])
        first = -int(-self.begin_ms // step) * step
        return tuple(Tick(self.at(at), _moment(at)) for at in range(first, int(self.end_ms) + 1, step))


def _axis(turn: TurnDetail, spans: Sequence[SpanDetail], budget: TurnBudget) -> _Axis:
    stopped_ms = stopped_at(turn)
    begins = [span.start_ms for span in spans]
    zero_ms = stopped_ms if stopped_ms is not None else min(begins)
    begins += [item.started_ms for item in turn.speculations]
    begin_ms = max(min(begins) - zero_ms, -LOOK_BACK_MS)
    measured = [span for span in spans if span.name not in OPEN_ENDED] or spans
    ends = [span.start_ms + span.duration_ms - zero_ms for span in measured]
    if begin_ms < 0:
        # A little of the caller's own time shows before the first thing that was begun.
        begin_ms *= 1.04
    end_ms = max(*ends, turn.latency_ms or 0.0, float(budget.total_ms))
    return _Axis(zero_ms, begin_ms, end_ms + 0.08 * (end_ms - begin_ms))


def _is_within(span: SpanDetail, turn: TurnDetail) -> bool:
    """The turn itself says that the caller did not wait too long for this stage: a span may be
    longer than that, when it began before the caller had stopped."""
    stage = "endpoint" if span.name == "endpointing" else span.name
    return any(line.stage == stage and not line.over_budget for line in turn.budget)


def _bar(span: SpanDetail, turn: TurnDetail, budget: TurnBudget, axis: _Axis) -> Bar:
    start_ms = span.start_ms - axis.zero_ms
    end_ms = start_ms + span.duration_ms
    allowed = _budget(span, budget)
    if allowed is not None and span.duration_ms > allowed and _is_within(span, turn):
        allowed = None
    limit_ms = start_ms + allowed if allowed is not None else end_ms
    x, end_x, limit_x = axis.at(start_ms), axis.at(end_ms), axis.at(limit_ms)
    return Bar(
        name=span.name,
        label=LABELS.get(span.name, span.name.replace("_", " ").capitalize()),
        start_ms=start_ms,
        duration_ms=span.duration_ms,
        budget_ms=allowed,
        x=x,
        width=max(0.4, end_x - x),
        excess_x=limit_x,
        excess_width=max(0.0, end_x - limit_x),
        budget_x=limit_x if allowed is not None and limit_ms <= axis.end_ms else None,
        is_cut=end_ms > axis.end_ms,
        detail=", ".join(f"{key} {value}" for key, value in span.attributes.items()),
    )


def _title(item: Speculation, begins_ms: float) -> str:
    worth = {
        "hit": f"used, saved {item.saved_ms:.0f} ms",
        "waste": "finished, not needed",
        "aborted": f"stopped after {item.compute_ms:.0f} ms",
    }.get(item.outcome, item.outcome)
    return f"“{item.basis}” at {_moment(round(begins_ms))}: {worth}"


def _lanes(turn: TurnDetail, axis: _Axis) -> tuple[Lane, ...]:
    lanes = []
    for kind in dict.fromkeys((*AHEAD, *(item.kind for item in turn.speculations))):
        items = [item for item in turn.speculations if item.kind == kind]
        if not items:
            continue
        label, stage = AHEAD.get(kind, (kind.replace("_", " ").capitalize(), ""))
        pieces = []
        # What was used is drawn last, above what was not.
        for item in sorted(items, key=lambda item: item.outcome == "hit"):
            begins_ms = item.started_ms - axis.zero_ms
            x, end_x = axis.at(begins_ms), axis.at(begins_ms + item.compute_ms)
            pieces.append(Piece(x, max(0.8, end_x - x), item.outcome, _title(item, begins_ms)))
        saved_ms = sum(item.saved_ms for item in items if item.outcome == "hit")
        used = sum(item.outcome == "hit" for item in items)
        lanes.append(Lane(stage, label, tuple(pieces), saved_ms, f"{used} of {len(items)}"))
    return tuple(lanes)


def draw(turn: TurnDetail, budget: TurnBudget) -> Waterfall | None:
    """None when the turn left no spans."""
    spans: Sequence[SpanDetail] = sorted(turn.spans, key=lambda span: (span.start_ms, span.duration_ms))
    if not spans:
        return None
    axis = _axis(turn, spans, budget)
    bars = tuple(_bar(span, turn, budget, axis) for span in spans)
    over = sorted(
        (bar for bar in bars if bar.is_over), key=lambda bar: (bar.budget_ms or 0) - bar.duration_ms
    )
    return Waterfall(
        bars=bars,
        lanes=_lanes(turn, axis),
        ticks=axis.ticks(),
        latency_ms=turn.latency_ms,
        budget_ms=budget.total_ms,
        stopped_x=axis.at(0.0) if stopped_at(turn) is not None else None,
        budget_x=axis.at(budget.total_ms),
        latency_x=axis.at(turn.latency_ms) if turn.latency_ms is not None else None,
        overspent=tuple(dict.fromkeys(bar.label for bar in over)),
    )
