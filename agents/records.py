"""What this app tells others about calls, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from voiceops.core.events import Endpoint, LanguageReading, Speculation

OUTCOMES = ("answered", "booked", "handover", "no_answer_found", "abandoned", "failed")
"""What can come of a call."""

TELEMETRY_KEYS = (
    "session_id", "latency_ms", "stt_ms", "retrieval_ms", "llm_ms", "tts_ms",
    "language", "intent", "crm_sync",
)  # fmt: skip
"""Exactly what is measured of every turn."""

STAGES = ("stt", "retrieval", "llm", "tts")


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list. Empty fields do not narrow."""

    agent: str = ""
    """Agent slug."""
    intent: str = ""
    """Calls with at least one turn of this intent."""
    language: str = ""
    """Tag or name: `en` or `English`."""
    outcome: str = ""
    min_latency_ms: float | None = None
    """Calls with at least one turn this slow."""
    degraded: bool | None = None
    started_after: date | datetime | None = None
    """Inclusive; a date means its beginning."""
    started_before: date | datetime | None = None
    """A moment is exclusive; a date means through its end."""
    search: str = ""
    """Part of the session id, customer, caller number or of any words said."""


@dataclass(frozen=True, slots=True)
class CallSummary:
    """One call in a list."""

    session_id: str
    agent_slug: str
    agent_name: str
    channel: str
    direction: str
    pii_caller: str
    customer_id: int | None
    customer_name: str
    language: str
    """Name: English, Hindi."""
    language_tag: str
    started_at: datetime
    ended_at: datetime | None
    duration_s: float | None
    """None while the call is live."""
    outcome: str
    """Empty while the call is live."""
    ended_reason: str
    is_degraded: bool
    is_demo: bool
    turn_count: int
    intents: tuple[str, ...]
    """Distinct, in the order they came up."""
    latency_median_ms: float | None
    latency_max_ms: float | None
    crm_sync: str
    """The state that most needs attention among its turns: failed, queued, success, none."""
    first_heard: str
    """The caller's first words."""
    has_recording: bool


@dataclass(frozen=True, slots=True)
class CallPage:
    items: tuple[CallSummary, ...]
    total: int
    """Of all calls that match, not only of this page."""


@dataclass(frozen=True, slots=True)
class SpanDetail:
    name: str
    start_ms: float
    duration_ms: float
    budget_ms: float | None
    attributes: Mapping[str, Any]

    @property
    def over_budget(self) -> bool:
        return self.budget_ms is not None and self.duration_ms > self.budget_ms


@dataclass(frozen=True, slots=True)
class RetrievalDetail:
    query: str
    source: str
    outcome: str
    latency_ms: float
    chunk: str
    version: str
    score: float | None
    age_s: float | None
    text: str


@dataclass(frozen=True, slots=True)
class ToolDetail:
    name: str
    arguments: Mapping[str, Any]
    outcome: str
    latency_ms: float
    result: Mapping[str, Any]
    fact_id: str


@dataclass(frozen=True, slots=True)
class DecisionDetail:
    kind: str
    """degrade, escalation, grounding or refusal"""
    code: str
    reason: str
    at_ms: float
    turn: int | None
    """Index of its turn; None for the call as a whole."""


@dataclass(frozen=True, slots=True)
class BudgetDetail:
    stage: str
    """endpoint | stt | retrieval | llm | tts | total"""
    budget_ms: float
    actual_ms: float | None
    """What the caller waited for it; None when the stage was not needed."""
    degraded: str
    """Code of the decision that was taken because the stage would have missed its budget."""

    @property
    def over_budget(self) -> bool:
        return self.actual_ms is not None and self.actual_ms > self.budget_ms


@dataclass(frozen=True, slots=True)
class TurnDetail:
    """Everything kept of one turn."""

    session_id: str
    index: int
    latency_ms: float | None
    stt_ms: float | None
    retrieval_ms: float | None
    llm_ms: float | None
    tts_ms: float | None
    language: str
    """Name: English, Hindi."""
    language_tag: str
    intent: str
    crm_sync: str
    heard: str
    said: str
    planned: str
    answer_source: str
    started_ms: float
    ended_ms: float
    filler: str
    filler_ms: float
    interrupted: bool
    citations: tuple[Mapping[str, Any], ...]
    fact_ids: tuple[str, ...]
    partials: tuple[Mapping[str, Any], ...]
    """Each: at_ms, text, kind."""
    spans: tuple[SpanDetail, ...]
    retrievals: tuple[RetrievalDetail, ...]
    tools: tuple[ToolDetail, ...]
    decisions: tuple[DecisionDetail, ...]
    context: Mapping[str, Any]
    heard_normalised: str
    """`heard` with numbers in digits; empty when nothing changed."""
    endpoint: Endpoint | None
    language_reading: LanguageReading | None
    speculations: tuple[Speculation, ...]
    budget: tuple[BudgetDetail, ...]
    memory: Mapping[str, Any]
    """facts {name: {value, turn, confidence, said}}, changes [{name, change, before, after}];
    empty for turns that kept none."""

    @property
    def telemetry(self) -> dict[str, Any]:
        """The nine telemetry keys, and nothing else."""
        return {key: getattr(self, key) for key in TELEMETRY_KEYS}


@dataclass(frozen=True, slots=True)
class Recording:
    """Whether a call can be listened to, and why not."""

    is_available: bool
    consent: bool
    duration_ms: int
    retain_until: date | None
    reason: str = ""
    """Empty when available; else `none` (not recorded), `no_consent`, `expired` or `missing`."""
    message: str = ""
    """The reason in words."""


@dataclass(frozen=True, slots=True)
class CallDetail:
    """One call with every turn, in order."""

    summary: CallSummary
    turns: tuple[TurnDetail, ...]
    decisions: tuple[DecisionDetail, ...]
    """Of the whole call, turns included, in order of time."""
    engines: Mapping[str, Any]
    """Engine in use per stage."""
    recording: Recording
    dropped_frames: int
    dropped_traces: int


@dataclass(frozen=True, slots=True)
class Percentiles:
    count: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class StagePercentiles:
    since: datetime
    turns: int
    latency: Percentiles
    stt: Percentiles
    retrieval: Percentiles
    llm: Percentiles
    tts: Percentiles


@dataclass(frozen=True, slots=True)
class SpeculationCount:
    """What became of the work done ahead of one kind: prefetch, generation or first_clause."""

    kind: str
    hits: int
    waste: int
    aborted: int
    saved_ms: float
    """Of all hits together."""
    wasted_ms: float
    """Compute time of what was thrown away or stopped."""
    wasted_tokens: int

    @property
    def total(self) -> int:
        return self.hits + self.waste + self.aborted

    @property
    def hit_share(self) -> float | None:
        """0 to 1; None when nothing was begun."""
        return self.hits / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class StageSpending:
    """How often one stage was needed, and how often it took longer than it may."""

    stage: str
    needed: int
    over: int
    degraded: int
    """Turns in which a cheaper way was taken because the stage would have been late."""


@dataclass(frozen=True, slots=True)
class TurnQuality:
    """How the turns of calls since a moment kept their budget."""

    since: datetime
    answered: int
    """Turns in which the caller was answered."""
    degraded: int
    """Of those, turns with at least one degrade decision."""
    speculation: tuple[SpeculationCount, ...]
    spending: tuple[StageSpending, ...]

    @property
    def degraded_share(self) -> float | None:
        return self.degraded / self.answered if self.answered else None


@dataclass(frozen=True, slots=True)
class Attention:
    """Calls since a moment that somebody should look at."""

    degraded: int
    no_answer_found: int
    failed: int


@dataclass(frozen=True, slots=True)
class AgentSummary:
    slug: str
    name: str
    languages: tuple[str, ...]
    """Tags."""
    default_language: str
    is_active: bool
    is_default: bool
    """Answers calls that name no agent."""


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """Values a call list can be narrowed to."""

    agents: tuple[AgentSummary, ...]
    intents: tuple[str, ...]
    languages: Mapping[str, str] = field(default_factory=dict)
    """Tag to name."""
    outcomes: tuple[str, ...] = OUTCOMES
