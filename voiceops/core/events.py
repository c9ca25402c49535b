"""What happens during a call, as frozen values. The pipeline emits them; traces, live pages
and browser sockets only listen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TranscriptKind = Literal["partial", "stable", "final"]


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words of one utterance so far."""

    kind: TranscriptKind
    text: str
    language: str
    """BCP 47 primary tag, `en` or `hi`."""
    confidence: float
    """0 to 1; 0 when the engine gives none."""
    audio_ms: float
    """Length of the audio that was decoded."""
    decode_ms: float
    """Compute time of this decode as seen by the caller of the port."""
    engine: str
    """Registry name, `typed` for text input."""


# Wire side: what a transport decodes out of a message ------------------------------------


@dataclass(frozen=True, slots=True)
class WireStarted:
    """The other side is ready to exchange media."""

    stream_id: str
    carrier_ref: str | None = None
    """The carrier's own id of the call (Twilio CallSid)."""
    sample_rate_hz: int = 8000
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WireAudio:
    pcm: bytes
    """int16 little-endian mono at the rate named by `WireStarted`."""
    at_ms: int | None = None
    """The transport's media timestamp, when it gives one."""


@dataclass(frozen=True, slots=True)
class WireText:
    """A typed utterance."""

    text: str


@dataclass(frozen=True, slots=True)
class WireMark:
    """The other side has played everything up to this mark."""

    name: str


@dataclass(frozen=True, slots=True)
class WireDtmf:
    digit: str


@dataclass(frozen=True, slots=True)
class WireStopped:
    reason: str = "hangup"


WireEvent = WireStarted | WireAudio | WireText | WireMark | WireDtmf | WireStopped


# Pipeline side: one stream of these per call ----------------------------------------------


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One thing that happened in a call.

    `kind` is one of:

    call.answered, call.ended (reason, outcome),
    speech.started, speech.stopped,
    transcript.partial, transcript.stable, transcript.final (text, language, engine, decode_ms),
    turn.started, turn.closed (see `TurnRecord`),
    intent (slug, score, runner_up, language), retrieval (see `RetrievalEntry`),
    llm.first_token, llm.done, clause (text, source), tts.first_audio,
    agent.speaking (text, purpose: answer|filler|greeting|fallback), agent.silent,
    barge_in (heard_text, heard_ms), dtmf (digit),
    tool (see `ToolInvocation`), degrade (see `Decision`), escalation (see `Decision`),
    error (stage, code, message).
    """

    kind: str
    at_ms: float
    """Since the call was answered."""
    turn: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """One stage's stay in a turn, for the waterfall."""

    name: str
    """endpointing, stt, intent, retrieval, llm, grounding, tts, tool, playout, filler"""
    start_ms: float
    """Since the call was answered."""
    duration_ms: float
    budget_ms: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Partial:
    at_ms: float
    text: str
    kind: TranscriptKind = "partial"


@dataclass(frozen=True, slots=True)
class RetrievalEntry:
    """One row of the retrieval log."""

    query: str
    source: str
    outcome: str
    """ok | stale | timed_out | denied | empty | error"""
    latency_ms: float
    chunk: str = ""
    """Stable id of what was returned, e.g. `listing:lakeview-3bhk`, `chunk:17`."""
    version: str = ""
    score: float | None = None
    age_s: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ToolInvocation:
    name: str
    arguments: Mapping[str, Any]
    outcome: str
    """ok | rejected | failed | timed_out"""
    latency_ms: float
    result: Mapping[str, Any] = field(default_factory=dict)
    fact_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Something was done differently on purpose: degrade, escalation, grounding."""

    kind: Literal["degrade", "escalation", "grounding", "refusal"]
    code: str
    """llm_timeout, tts_failover, knowledge_cached, answer_rebuilt, slot_taken, handover…"""
    reason: str
    at_ms: float


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """Everything kept of one turn. The nine telemetry keys are the first fields;
    `session_id` stands on the call."""

    index: int
    latency_ms: float | None
    """Last speech frame of the caller to first audible frame of the answer; None if no answer
    was spoken (or the turn is the greeting)."""
    stt_ms: float | None
    retrieval_ms: float | None
    llm_ms: float | None
    """To the first usable clause."""
    tts_ms: float | None
    """To the first audio of the first clause."""
    language: str
    intent: str
    crm_sync: str
    """none | queued | success | failed"""

    heard: str
    said: str
    """What the caller really heard: truncated at a barge-in."""
    planned: str
    """What would have been said."""
    answer_source: str
    """llm | template | fixed | flow"""
    started_ms: float
    ended_ms: float
    filler: str = ""
    filler_ms: float = 0.0
    interrupted: bool = False
    citations: tuple[Mapping[str, Any], ...] = ()
    """Each: source, chunk, version, title, text."""
    fact_ids: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    partials: tuple[Partial, ...] = ()
    retrievals: tuple[RetrievalEntry, ...] = ()
    tools: tuple[ToolInvocation, ...] = ()
    decisions: tuple[Decision, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    """Snapshot the LLM saw: messages, facts, session memory, prompt_tokens, completion_tokens."""
