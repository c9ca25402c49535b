"""Everything that is known of one turn while it lasts; frozen into a TurnRecord at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.pipeline.clauses import pieces
from agents.pipeline.playout import Playout, Segment
from agents.pipeline.turn_machine import TurnKind
from voiceops.core.budget import TurnBudget
from voiceops.core.errors import VoiceOpsError
from voiceops.core.events import (
    BudgetLine,
    Decision,
    Endpoint,
    LanguageReading,
    Partial,
    RetrievalEntry,
    Span,
    Speculation,
    ToolInvocation,
    Transcript,
    TurnRecord,
)

Draft = Literal["", "partial", "candidate"]
"""Planned from the words so far, or from the words at the first silence; empty: a real turn."""


_CODES_OF = {
    "stt": ("stt_",),
    "retrieval": ("knowledge_", "embedder_"),
    "llm": ("llm_",),
    "tts": ("tts_",),
}
"""How the codes of a stage's degrade decisions begin."""


class Uncommitted(VoiceOpsError):
    """A draft came to where only a real turn may go on."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One piece of an answer, ready for the voice."""

    text: str
    source: Literal["llm", "template", "fixed", "flow"]
    fixed: bool = False
    """Always the same words: its audio is kept in memory."""


def clause_pieces(clause: Clause) -> list[str]:
    """What the voice is given one after the other. Fixed lines stay whole: so they are kept."""
    whole = clause.fixed or clause.source == "llm"
    return [clause.text] if whole else pieces(clause.text) or [clause.text]


@dataclass(slots=True, eq=False)
class Turn:
    """Mutable on purpose: stages write into it as they go; only its own task touches it."""

    index: int
    kind: TurnKind
    started_ms: float
    language: str
    call_ms: Callable[[], float]
    emit: Callable[..., None]
    """emit(kind, turn_index, **data)"""

    draft: Draft = ""
    """Not empty: planned before it is certain that the caller has finished. A draft emits nothing,
    commits nothing and promises nothing."""
    expected_ms: float | None = None
    """Call time at which the stage that is waited for should be done; None when nobody can say."""
    heard: str = ""
    intent: str = ""
    transcripts: list[Transcript] = field(default_factory=list)
    """Of the utterances that make up `heard`."""
    language_reading: LanguageReading | None = None
    speech_ended_ms: float | None = None
    """Call time of the caller's last speech frame."""
    stt_ms: float | None = None
    retrieval_ms: float | None = None
    llm_ms: float | None = None
    tts_ms: float | None = None
    crm_sync: str = "none"
    source: str = "fixed"
    ends_call: str = ""
    interrupted: bool = False
    answered: bool = False
    """A factual answer was found and said."""
    planned: list[str] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    fillers: list[Segment] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    partials: list[Partial] = field(default_factory=list)
    retrievals: list[RetrievalEntry] = field(default_factory=list)
    tools: list[ToolInvocation] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    citations: list[Mapping[str, Any]] = field(default_factory=list)
    fact_ids: list[str] = field(default_factory=list)
    context: dict[str, Any] = field(default_factory=dict)
    heard_normalised: str = ""
    endpoint: Endpoint | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    speculations: list[Speculation] = field(default_factory=list)
    budget: TurnBudget = field(default_factory=TurnBudget)
    waited: dict[str, float] = field(default_factory=dict)
    """By stage of the budget: how long the caller waited for it. What was done in advance is 0."""
    hearing: Any = None
    """What memory makes of the caller's words (`memory.recollection.Hearing`)."""
    background: str = ""
    """Lines of memory for a prompt; the same whatever is asked of a record."""
    commit: list[Callable[[], None]] = field(default_factory=list)
    """Done when the answer can be heard: what a turn that was never heard leaves undone."""

    @contextmanager
    def waiting(self, stage: str) -> Iterator[None]:
        """The caller waits for this stage meanwhile."""
        started = self.call_ms()
        try:
            yield
        finally:
            self.waited[stage] = self.waited.get(stage, 0.0) + self.call_ms() - started

    def must_be_real(self) -> None:
        """What follows has effects. Raises: Uncommitted on a draft."""
        if self.draft:
            raise Uncommitted("a draft has no effects")

    def expects(self, after_ms: float | None) -> None:
        """The stage that begins now should be done after so long; None: it is done, or unknown."""
        self.expected_ms = None if after_ms is None else self.call_ms() + after_ms

    @contextmanager
    def span(self, name: str, budget_ms: float | None = None, **attributes: Any) -> Iterator[dict[str, Any]]:
        """Time a stage; attributes may be added to the yielded mapping."""
        started = self.call_ms()
        extra: dict[str, Any] = dict(attributes)
        try:
            yield extra
        finally:
            self.spans.append(Span(name, started, self.call_ms() - started, budget_ms, extra))

    def decide(
        self, kind: Literal["degrade", "escalation", "grounding", "refusal"], code: str, reason: str
    ) -> None:
        decision = Decision(kind, code, reason, self.call_ms())
        self.decisions.append(decision)
        event = "escalation" if kind == "escalation" else "degrade"
        self.emit(event, self.index, decision=kind, code=code, reason=reason)

    def tool(self, invocation: ToolInvocation) -> None:
        self.tools.append(invocation)
        self.spans.append(
            Span("tool", self.call_ms() - invocation.latency_ms, invocation.latency_ms, None,
                 {"name": invocation.name, "outcome": invocation.outcome})
        )  # fmt: skip
        self.emit(
            "tool", self.index, name=invocation.name, outcome=invocation.outcome,
            latency_ms=invocation.latency_ms, arguments=invocation.arguments, result=invocation.result,
        )  # fmt: skip

    def commit_now(self) -> None:
        """What was worked out takes effect; at most once."""
        pending, self.commit = self.commit, []
        for effect in pending:
            effect()

    @property
    def first_answer_ms(self) -> float | None:
        """Call time of the answer's first audible frame."""
        times = [s.first_audible_at_ms for s in self.segments if s.first_audible_at_ms is not None]
        return min(times) if times else None

    def record(self, playout: Playout, ended_ms: float) -> TurnRecord:
        """The turn as it really went: `said` holds only what was played."""
        said = " ".join(text for s in self.segments if (text := playout.heard_text(s)))
        latency: float | None = None
        if self.speech_ended_ms is not None and self.first_answer_ms is not None:
            latency = self.first_answer_ms - self.speech_ended_ms
        spans = list(self.spans)
        for name, segments in (("playout", self.segments), ("filler", self.fillers)):
            for segment in segments:
                if segment.first_sent_at_ms is not None:
                    heard_ms = playout.heard_ms(segment)
                    spans.append(Span(name, segment.first_sent_at_ms, heard_ms, None, {"text": segment.text}))
        return TurnRecord(
            index=self.index,
            latency_ms=latency,
            stt_ms=self.stt_ms,
            retrieval_ms=self.retrieval_ms,
            llm_ms=self.llm_ms,
            tts_ms=self.tts_ms,
            language=self.language,
            intent=self.intent,
            crm_sync=self.crm_sync,
            heard=self.heard,
            said=said,
            planned=" ".join(self.planned),
            answer_source=self.source,
            started_ms=self.started_ms,
            ended_ms=ended_ms,
            filler=" ".join(segment.text for segment in self.fillers if segment.sent_ms),
            filler_ms=sum(playout.heard_ms(segment) for segment in self.fillers),
            interrupted=self.interrupted,
            citations=tuple(self.citations),
            fact_ids=tuple(self.fact_ids),
            spans=tuple(sorted(spans, key=lambda span: span.start_ms)),
            partials=tuple(self.partials),
            retrievals=tuple(self.retrievals),
            tools=tuple(self.tools),
            decisions=tuple(self.decisions),
            context=self.context,
            language_reading=self.language_reading,
            heard_normalised=self.heard_normalised,
            endpoint=self.endpoint,
            speculations=tuple(self.speculations),
            budget=self._budget_lines(latency),
            memory=self.memory,
        )

    def _budget_lines(self, latency_ms: float | None) -> tuple[BudgetLine, ...]:
        """Each stage against its budget; nothing for turns that answer nobody."""
        if self.speech_ended_ms is None:
            return ()
        lines = [
            BudgetLine(
                stage, getattr(self.budget, f"{stage}_ms"), self.waited.get(stage), self._degraded(stage)
            )
            for stage in ("endpoint", "stt", "retrieval", "llm", "tts")
        ]
        filler = "filler" if any(segment.sent_ms for segment in self.fillers) else ""
        return (*lines, BudgetLine("total", self.budget.total_ms, latency_ms, filler))

    def _degraded(self, stage: str) -> str:
        """Code of the first decision that was taken because this stage failed or would be late."""
        for decision in self.decisions:
            if decision.kind == "degrade" and decision.code.startswith(_CODES_OF.get(stage, ())):
                return decision.code
        return ""
