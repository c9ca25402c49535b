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
    stable: str = ""
    """The leading words on which successive decodes agree; no later decode takes them back."""
    normalised: str = ""
    """`text` with numbers, amounts, times and phone numbers in digits; empty when nothing changed."""
    language_scores: Mapping[str, float] = field(default_factory=dict)
    """Acoustic identification: probability by language tag; empty when the engine has none."""
    note: str = ""
    """What was done beyond one decode, in words: decoded again in another language."""


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
    backchannel (text), resumed (text, from_ms): a false interruption was taken back,
    endpoint (see `Endpoint`), language (see `LanguageReading`), memory (facts, changes),
    speculation (see `Speculation`),
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
class Endpoint:
    """Why the caller was taken to have finished."""

    silence_ms: float
    """From the last voiced frame to the decision."""
    wait_ms: float
    """The silence that the model asked for."""
    completeness: float
    """0 (goes on) to 1 (has finished), as the turn model judged."""
    reason: str
    """complete | incomplete | dictation | backchannel | plain | too_long | cut_off | typed | dtmf"""
    model: str
    """Registry name of the turn model."""


@dataclass(frozen=True, slots=True)
class Speculation:
    """Work begun before it was certain to be needed."""

    kind: Literal["prefetch", "generation", "first_clause"]
    """Understanding and retrieval; the language model; the voice."""
    basis: str
    """The transcript so far that it was planned from."""
    started_ms: float
    """Since the call was answered."""
    outcome: Literal["hit", "waste", "aborted"]
    """Used; finished and thrown away; stopped before it had finished."""
    compute_ms: float = 0.0
    tokens: int = 0
    saved_ms: float = 0.0
    """How much later the turn would have had it otherwise; 0 unless a hit."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LanguageSign:
    """One piece of evidence of the language of an utterance."""

    source: Literal["acoustic", "script", "words"]
    language: str
    strength: float
    """0 to 1."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LanguageReading:
    """What an utterance said about the caller's language, and what was made of it."""

    signs: tuple[LanguageSign, ...]
    before: str
    after: str
    doubt: float
    """0 to 1: how near the call is to switching."""
    mixed: bool = False
    """Two languages in one utterance (Hinglish): no switch."""
    suspicion: str = ""
    """Why the language may be misjudged; empty when nothing speaks against it. An alarm."""


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One stage of a turn against its budget."""

    stage: str
    """endpoint | stt | retrieval | llm | tts | total"""
    budget_ms: float
    actual_ms: float | None
    """What the caller waited for it; None when the stage was not needed. Work done in advance
    costs nothing here."""
    degraded: str = ""
    """Code of the decision that was taken because the stage would have missed its budget."""


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
    """Snapshot the LLM saw: messages, facts, memory (working, session, long_term), prompt_tokens,
    completion_tokens, and what a replay needs: model, seed, versions of prompt and knowledge."""
    heard_normalised: str = ""
    """`heard` with numbers in digits; empty when nothing changed."""
    endpoint: Endpoint | None = None
    language_reading: LanguageReading | None = None
    speculations: tuple[Speculation, ...] = ()
    budget: tuple[BudgetLine, ...] = ()
    memory: Mapping[str, Any] = field(default_factory=dict)
    """Session memory after the turn: facts {name: {value, turn, confidence, said}}, changes
    [{name, change: new | corrected | contradicted, before, after}]."""
