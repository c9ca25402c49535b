"""The ports of a call. Each is small, async, and bound by deadlines; adapters live in
`agents/providers`, `telephony/transports`, `knowledge/sources` and `crm/connectors`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from voiceops.core.budget import Deadline
from voiceops.core.events import CallEvent, Transcript, WireEvent
from voiceops.core.facts import Envelope, Fact, Query, Receipt, Retrieved

Priority = Literal["final", "partial", "speculative", "background"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter is, shown on pages and in `/healthz`."""

    name: str
    """Registry name."""
    engine: str
    """For people, e.g. `faster-whisper base (CTranslate2 int8)`. A simulated engine's
    contains the word "simulated"."""
    languages: frozenset[str] = frozenset({"en"})
    simulated: bool = False
    sample_rate_hz: int = 16_000


class Provider(Protocol):
    capabilities: Capabilities

    async def warm(self) -> None:
        """Run one real inference. Raises the port's StageError when not ready."""

    async def aclose(self) -> None: ...


class SttStream(Protocol):
    """One utterance being recognised. Audio is 16 kHz int16 mono."""

    def push(self, pcm: bytes) -> None:
        """Append audio; never blocks."""

    async def partial(self, *, deadline: Deadline) -> Transcript:
        """Decode what was pushed so far. Raises SttError."""

    async def final(self, *, deadline: Deadline) -> Transcript:
        """Decode the whole utterance at final priority. May be called again after more
        audio was pushed (a speculative decode at the first silence). Raises SttError."""

    async def aclose(self) -> None: ...


class SpeechToText(Provider, Protocol):
    def open(self, *, language: str, hints: Sequence[str] = ()) -> SttStream: ...


@dataclass(frozen=True, slots=True)
class LlmRequest:
    messages: Sequence[Mapping[str, str]]
    """OpenAI chat messages; the fixed prefix first."""
    max_tokens: int = 64
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    priority: Priority = "final"


@dataclass(frozen=True, slots=True)
class LlmDelta:
    text: str
    prompt_tokens: int | None = None
    """On the last delta, when the server reports usage."""
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    finish_reason: str | None = None


class LanguageModel(Provider, Protocol):
    def stream(self, request: LlmRequest, *, deadline: Deadline) -> AsyncIterator[LlmDelta]:
        """Deltas as they come. Closing the iterator (or cancelling) aborts generation at the
        server. Every read is bound by `deadline`. Raises LlmError(code="timeout") and others."""

    async def warm_prefix(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Make the server cache this prompt prefix."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    pcm: bytes
    """int16 little-endian mono."""
    sample_rate_hz: int


class TextToSpeech(Provider, Protocol):
    def synthesize(
        self, text: str, *, language: str, voice: str = "", deadline: Deadline
    ) -> AsyncIterator[SpeechChunk]:
        """Audio of one clause, streamed. Raises TtsError. Closing the iterator stops work."""


class VadStream(Protocol):
    async def probability(self, pcm: bytes) -> float:
        """Speech probability (0 to 1) of one window: 512 samples, 16 kHz int16 (32 ms)."""

    def reset(self) -> None:
        """Forget the recurrent state; call in clear non-speech."""


class VoiceActivity(Provider, Protocol):
    window_samples: int

    def open(self) -> VadStream: ...


Expecting = Literal["", "yes_no", "choice", "phone", "date", "name", "address"]
"""What the agent has just asked for; empty when it asked for nothing in particular."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The caller is silent now; what is known of the utterance so far."""

    silence_ms: float
    """Since the last voiced window."""
    speech_ms: float
    """Voiced time of the utterance."""
    text: str
    """The latest transcript; empty when there is none yet."""
    language: str
    words_known: bool = False
    """Whether `text` holds everything that was said: a final decode of it has come."""
    expecting: Expecting = ""
    overlapping: bool = False
    """The caller began while the agent was speaking."""
    confidence: float = 0.0
    """The recogniser's, of `text`: 0 to 1; 0 when it gives none."""


@dataclass(frozen=True, slots=True)
class Judgement:
    wait_ms: float
    """Silence after which the caller is taken to have finished."""
    completeness: float
    """0 (goes on) to 1 (has finished)."""
    reason: str
    """complete | incomplete | dictation | backchannel | plain"""


class TurnJudge(Protocol):
    """Of one call: may learn how this caller speaks."""

    speculate_ms: float
    """Silence after which a final decode is begun on suspicion."""

    def judge(self, pause: Pause) -> Judgement:
        """Asked at every VAD window of silence, in the audio path: microseconds, no I/O."""

    def went_on(self, gap_ms: float) -> None:
        """The caller spoke on after a silence of `gap_ms`: it was no end."""


class TurnModel(Provider, Protocol):
    """When a caller has finished."""

    def open(self) -> TurnJudge: ...


class Embedder(Provider, Protocol):
    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Literal["query", "passage"],
        deadline: Deadline,
        priority: Priority = "final",
    ) -> list[list[float]]:
        """Unit-length vectors, shape (len(texts), 384). Raises SourceError."""


class KnowledgeSource(Protocol):
    """One place facts come from. Adding one is one file and one registry line."""

    name: str

    async def search(self, query: Query, *, deadline: Deadline) -> Envelope:
        """Answer in an envelope; raise only SourceError(permanent=True) on bad credentials."""


class Retriever(Protocol):
    async def search(self, query: Query, *, sources: Sequence[str], deadline: Deadline) -> Retrieved:
        """Ask the named sources in parallel; return what arrived in time.

        A source that did not answer stands in `Retrieved.missing`; a cached answer has the
        status `stale` and its age. Never raises for a failing source.
        """


class FactSink(Protocol):
    async def append(self, fact: Fact, *, deadline: Deadline) -> Receipt:
        """Return only after the fact, its business row and its outbox entry are durable.

        Idempotent by `fact_id`. Raises FactRejected (business rule; nothing written) or
        SourceError (store unreachable; nothing promised).
        """


class TraceSink(Protocol):
    """Lossy by design: never waits, drops the oldest, counts."""

    def put(self, kind: str, payload: Mapping[str, Any]) -> None: ...


class Listener(Protocol):
    """Hears every event of a call; must not block or raise."""

    def __call__(self, event: CallEvent) -> None: ...


class Outbound(Protocol):
    """The way to the caller. Implemented by the edge with a transport codec."""

    sample_rate_hz: int
    """Rate of the PCM that `audio` takes."""

    async def audio(self, pcm: bytes) -> None:
        """Send PCM already paced by playout."""

    async def mark(self, name: str) -> None:
        """Ask to be told (WireMark) when everything before this was played."""

    async def clear(self) -> None:
        """Drop what was sent and not yet played."""

    async def hangup(self, reason: str) -> None: ...


class Codec(Protocol):
    """Sans-IO wire codec of one socket: pure, one instance a call."""

    sample_rate_hz: int
    """Of the PCM on both sides of this codec."""

    def decode(self, message: str | bytes) -> Sequence[WireEvent]:
        """Raises TransportError(code=…); `permanent` when the socket must close."""

    def encode(self, pcm: bytes) -> str | bytes: ...

    def mark(self, name: str) -> str | bytes | None: ...

    def clear(self) -> str | bytes | None: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    external_ref: str
    """The CRM's own id of what was written."""
    replayed: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


class CrmConnector(Protocol):
    def apply(self, fact: Mapping[str, Any], idempotency_key: str) -> Delivery:
        """Write one fact. Raises SourceError; `permanent` when trying again cannot help."""

    def read_back(self, idempotency_key: str) -> Delivery | None:
        """What the CRM holds under this key, or None."""
