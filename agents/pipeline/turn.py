"""Everything that is known of one turn while it lasts; frozen into a TurnRecord at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.pipeline.playout import Playout, Segment
from agents.pipeline.turn_machine import TurnKind
from voiceops.core.events import (
    Decision,
    LanguageReading,
    Partial,
    RetrievalEntry,
    Span,
    ToolInvocation,
    Transcript,
    TurnRecord,
)


Draft = Literal["", "partial", "candidate"]
"""Planned from the words so far, or from the words at the first silence; empty: a real turn."""


class Uncommitted(VoiceOpsError):
    """A draft came to where only a real turn may go on."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One piece of an answer, ready for the voice."""

    text: str
    source: Literal["llm", "template", "fixed", "flow"]
    fixed: bool = False
    """Always the same words: its audio is kept in memory."""


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
    commit: list[Callable[[], None]] = field(default_factory=list)
    """Done when the answer can be heard: what a turn that was never heard leaves undone."""

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
        )
