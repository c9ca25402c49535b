"""One turn's budget against what it really took: who overspent, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agents.api import BudgetDetail, DecisionDetail, TurnDetail
from voiceops.core.budget import TurnBudget

STAGES = {
    "endpoint": ("End of turn", "endpointing"),
    "stt": ("Speech to text", "stt"),
    "retrieval": ("Retrieval", "retrieval"),
    "llm": ("Language model", "llm"),
    "tts": ("Voice", "tts"),
    "total": ("Whole turn", "total"),
}
"""Stage of a budget line: what a person reads, and whose colour it has."""
SHORT = {"stt": "Speech", "llm": "Model"}
"""Where there is little room."""

CHEAPER_WAYS = (
    ("llm_smaller", "A smaller language model answered"),
    ("llm_model", "A smaller language model answered"),
    ("smaller_model", "A smaller language model answered"),
    ("llm", "The answer was built from the record instead of by the language model"),
    ("retrieval", "Facts came from the cache, or without the slow source"),
    ("knowledge", "Facts came from the cache"),
    ("embedder", "The intent was told by the words alone"),
    ("tts_failover", "Another voice took over"),
    ("tts_down", "No voice could speak the answer"),
    ("tts", "The voice was helped out"),
    ("stt_failover", "Another recogniser took over"),
    ("stt", "The recogniser was helped out"),
    ("filler", "A filler was said"),
    ("recovery", "The recovery line was said"),
    ("handover", "A person was asked to call back"),
    ("fact", "The booking could not be confirmed in time"),
    ("vad_down", "Speech was told from silence by its loudness"),
    ("speculation", "Nothing was prepared ahead"),
    ("turn_failed", "The turn failed, and the agent apologised"),
)
"""Beginnings of decision codes, the more special first, and the sentence they stand for."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One stage; every `x` and `width` is a share of its own bar, 0 to 100."""

    stage: str
    label: str
    short: str
    colour: str
    budget_ms: float
    actual_ms: float | None
    width: float
    excess_width: float
    budget_x: float
    is_ahead: bool
    """It cost the caller next to nothing, because it had been done before the turn ended."""
    degraded: str
    """Code of the cheaper way that was taken; empty when none was."""

    @property
    def is_over(self) -> bool:
        return self.actual_ms is not None and self.actual_ms > self.budget_ms

    @property
    def state(self) -> str:
        if self.actual_ms is None:
            return "not needed"
        if self.is_over:
            return "over"
        return "done ahead" if self.is_ahead else "within"


@dataclass(frozen=True, slots=True)
class Cheaper:
    """One thing done differently on purpose, in words."""

    words: str
    reason: str
    code: str


@dataclass(frozen=True, slots=True)
class Spending:
    cells: tuple[Cell, ...]
    verdict: str
    tone: str
    """ok, bad, or empty when nothing was measured"""
    cheaper: tuple[Cheaper, ...]


DONE_AHEAD_MS = 5.0
"""Below this a stage that was guessed right counts as done before the turn ended."""
_GUESSED = {"prefetch": "retrieval", "generation": "llm", "first_clause": "tts"}


def cheaper_way(code: str) -> str:
    """What a degrade decision meant, in a sentence without its full stop."""
    for beginning, words in CHEAPER_WAYS:
        if code.startswith(beginning):
            return words
    return code.replace("_", " ").capitalize()


def _ms(value: float) -> str:
    return f"{value:.0f}\u202fms" if value < 1000 else f"{value / 1000:.2f}\u202fs"


def _lines(turn: TurnDetail, budget: TurnBudget) -> tuple[BudgetDetail, ...]:
    """What the turn told; for a turn that told none, its measured stages against the agent's budget."""
    if turn.budget:
        return turn.budget
    measured = {
        "stt": (budget.stt_ms, turn.stt_ms),
        "retrieval": (budget.retrieval_ms, turn.retrieval_ms),
        "llm": (budget.llm_ms, turn.llm_ms),
        "tts": (budget.tts_ms, turn.tts_ms),
        "total": (budget.total_ms, turn.latency_ms),
    }
    if all(actual is None for _, actual in measured.values()):
        return ()
    return tuple(
        BudgetDetail(stage, float(allowed), actual, "") for stage, (allowed, actual) in measured.items()
    )


def _cell(line: BudgetDetail, guessed: frozenset[str]) -> Cell:
    label, colour = STAGES.get(line.stage, (line.stage.replace("_", " ").capitalize(), ""))
    actual = line.actual_ms or 0.0
    whole = max(line.budget_ms * 1.5, actual * 1.04, 1.0)
    return Cell(
        stage=line.stage,
        label=label,
        short=SHORT.get(line.stage, label),
        colour=colour,
        budget_ms=line.budget_ms,
        actual_ms=line.actual_ms,
        width=100 * min(actual, line.budget_ms) / whole,
        excess_width=100 * max(0.0, actual - line.budget_ms) / whole,
        budget_x=100 * line.budget_ms / whole,
        is_ahead=line.stage in guessed and actual < DONE_AHEAD_MS,
        degraded=line.degraded,
    )


def _cheaper(turn: TurnDetail, lines: Iterable[BudgetDetail]) -> tuple[Cheaper, ...]:
    told: list[DecisionDetail] = [item for item in turn.decisions if item.kind == "degrade"]
    found = {item.code: Cheaper(cheaper_way(item.code), item.reason, item.code) for item in told}
    for line in lines:
        if line.degraded and line.degraded not in found:
            label = STAGES.get(line.stage, (line.stage, ""))[0]
            reason = f"{label} would have taken longer than {_ms(line.budget_ms)}"
            found[line.degraded] = Cheaper(cheaper_way(line.degraded), reason, line.degraded)
    return tuple(found.values())


def _verdict(turn: TurnDetail, total_ms: float, cells: Iterable[Cell]) -> tuple[str, str]:
    if turn.latency_ms is None:
        return "No spoken answer was measured in this turn.", ""
    spare = total_ms - turn.latency_ms
    answered = f"Answered in {_ms(turn.latency_ms)}"
    over = [cell for cell in cells if cell.is_over and cell.stage != "total"]
    worst = sorted(over, key=lambda cell: cell.budget_ms - (cell.actual_ms or 0))
    who = ", ".join(f"{cell.label} by {_ms((cell.actual_ms or 0) - cell.budget_ms)}" for cell in worst)
    if spare < 0:
        tail = f"; over their share: {who}." if who else "."
        return f"{answered}, {_ms(-spare)} later than its {_ms(total_ms)}{tail}", "bad"
    tail = f"; yet over their share: {who}." if who else "."
    return f"{answered}, {_ms(spare)} inside its {_ms(total_ms)}{tail}", "ok"


def of_turn(turn: TurnDetail, budget: TurnBudget) -> Spending:
    """`budget` stands in where the turn did not tell its own."""
    lines = _lines(turn, budget)
    guessed = frozenset(_GUESSED[item.kind] for item in turn.speculations if item.outcome == "hit")
    ordered = sorted(
        lines, key=lambda line: list(STAGES).index(line.stage) if line.stage in STAGES else len(STAGES)
    )
    cells = tuple(_cell(line, guessed) for line in ordered)
    total = next((line.budget_ms for line in lines if line.stage == "total"), float(budget.total_ms))
    verdict, tone = _verdict(turn, total, cells)
    return Spending(cells=cells, verdict=verdict, tone=tone, cheaper=_cheaper(turn, lines))
