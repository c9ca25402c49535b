"""Every port of a call, in memory and scripted: delays, failures and answers on demand."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from voiceops.core.audio import pcm_bytes, pcm_duration_ms
from voiceops.core.budget import Deadline
from voiceops.core.errors import FactRejected, LlmError, SourceError, SttError, TtsError
from voiceops.core.events import Transcript
from voiceops.core.facts import Envelope, Evidence, Fact, Query, Receipt, Retrieved
from voiceops.core.ports import Capabilities, LlmDelta, LlmRequest, SpeechChunk

FOREVER_S = 10_000.0


def silence(duration_ms: float, rate_hz: int = 16_000) -> bytes:
    return bytes(pcm_bytes(duration_ms, rate_hz))


def voice(duration_ms: float, rate_hz: int = 16_000, level: int = 6000) -> bytes:
    """A loud tone: what `FakeVad` takes for speech."""
    count = pcm_bytes(duration_ms, rate_hz) // 2
    samples = level * np.sin(2 * np.pi * 200 * np.arange(count) / rate_hz)
    return samples.astype("<i2").tobytes()


class _Fake:
    """Ready at once, nothing to close."""

    capabilities = Capabilities("fake", "fake")

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


# Ears --------------------------------------------------------------------------------------


@dataclass
class FakeVad(_Fake):
    """Loud is speech."""

    window_samples: int = 512
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("fake", "fake vad"))
    hangs: bool = False
    asked: int = 0

    def open(self) -> FakeVad:
        return self

    async def probability(self, pcm: bytes) -> float:
        self.asked += 1
        if self.hangs:
            await asyncio.sleep(FOREVER_S)
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        return 0.95 if float(np.sqrt(np.mean(samples**2))) > 1000 else 0.02

    def reset(self) -> None:
        pass


@dataclass
class FakeStt(_Fake):
    """Says the scripted texts, one per utterance, in order; the last one again after that."""

    texts: list[str] = field(default_factory=lambda: ["hello"])
    final_ms: float = 120.0
    partial_ms: float = 60.0
    name: str = "fake"
    error: Exception | None = None
    hangs: bool = False
    opened: int = 0
    finals: int = 0
    partials: int = 0
    running: int = 0
    most_running: int = 0
    pushed_ms: list[float] = field(default_factory=list)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        return Capabilities(self.name, f"{self.name} stt")

    def open(self, *, language: str, hints: Sequence[str] = ()) -> FakeSttStream:
        text = self.texts[min(self.opened, len(self.texts) - 1)]
        self.opened += 1
        self.pushed_ms.append(0.0)
        return FakeSttStream(self, text, language, self.opened - 1)


@dataclass
class FakeSttStream:
    owner: FakeStt
    text: str
    language: str
    index: int

    def push(self, pcm: bytes) -> None:
        self.owner.pushed_ms[self.index] += pcm_duration_ms(pcm, 16_000)

    async def partial(self, *, deadline: Deadline) -> Transcript:
        self.owner.partials += 1
        return await self._decode("partial", self.owner.partial_ms)

    async def final(self, *, deadline: Deadline) -> Transcript:
        self.owner.finals += 1
        return await self._decode("final", self.owner.final_ms)

    async def _decode(self, kind: Any, delay_ms: float) -> Transcript:
        owner = self.owner
        owner.running += 1
        owner.most_running = max(owner.most_running, owner.running)
        try:
            if owner.hangs:
                await asyncio.sleep(FOREVER_S)
            await asyncio.sleep(delay_ms / 1000)
            if owner.error is not None:
                raise owner.error
        finally:
            owner.running -= 1
        return Transcript(kind, self.text, self.language, 0.9, 1000, delay_ms, owner.name)

    async def aclose(self) -> None:
        pass


# Mind --------------------------------------------------------------------------------------


@dataclass
class FakeLlm(_Fake):
    """Streams a scripted reply word by word; `reply` may be computed from the request."""

    reply: str | Callable[[LlmRequest], str] = ""
    first_ms: float = 120.0
    token_ms: float = 15.0
    error: Exception | None = None
    hangs_after: int | None = None
    """Words after which the stream stalls for ever."""
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities("fake", "fake llm", frozenset({"en"}))
    )
    requests: list[LlmRequest] = field(default_factory=list)
    warmed: list[Any] = field(default_factory=list)
    open_streams: int = 0

    async def stream(self, request: LlmRequest, *, deadline: Deadline) -> AsyncIterator[LlmDelta]:
        self.requests.append(request)
        self.open_streams += 1
        try:
            await asyncio.sleep(self.first_ms / 1000)
            if self.error is not None:
                raise self.error
            text = self.reply(request) if callable(self.reply) else self.reply
            words = text.split(" ")
            for position, word in enumerate(words):
                if self.hangs_after is not None and position >= self.hangs_after:
                    await asyncio.sleep(FOREVER_S)
                yield LlmDelta(word if position == 0 else f" {word}")
                await asyncio.sleep(self.token_ms / 1000)
            yield LlmDelta(
                "", prompt_tokens=50, completion_tokens=len(words), cached_tokens=40, finish_reason="stop"
            )
        finally:
            self.open_streams -= 1

    async def warm_prefix(self, messages: Sequence[Mapping[str, str]]) -> None:
        self.warmed.append(list(messages))


def embed(text: str, dimensions: int = 383) -> list[float]:
    """A bag of hashed words and letter triples: like texts get like vectors."""
    vector = np.zeros(dimensions)
    plain = "".join(c if c.isalnum() or ord(c) > 0x900 else " " for c in text.lower())
    for word in plain.split():
        for piece in (word, *(f" {word} "[i : i + 3] for i in range(len(word)))):
            weight = 2.0 if piece == word else 0.5
            vector[int(hashlib.md5(piece.encode()).hexdigest(), 16) % dimensions] += weight
    length = float(np.linalg.norm(vector)) or 1.0
    # Everything shares a component, as with e5: unrelated sentences are not at zero.
    mixed = np.append(vector / length * 0.436, 0.9)
    return [float(x) for x in mixed]


@dataclass
class FakeEmbedder(_Fake):
    error: Exception | None = None
    capabilities: Capabilities = field(default_factory=lambda: Capabilities("fake", "fake embedder"))

    async def embed(
        self, texts: Sequence[str], *, kind: str, deadline: Deadline, priority: str = "final"
    ) -> Any:
        if self.error is not None:
            raise self.error
        return [embed(text) for text in texts]


@dataclass
class FakeRetriever:
    """Scripted evidence per source; `evidence` may be computed from the query."""

    evidence: dict[str, list[Evidence] | Callable[[Query], list[Evidence]]] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    delay_ms: float = 20.0
    hangs: bool = False
    error: Exception | None = None
    queries: list[tuple[Query, tuple[str, ...]]] = field(default_factory=list)

    async def search(self, query: Query, *, sources: Sequence[str], deadline: Deadline) -> Retrieved:
        self.queries.append((query, tuple(sources)))
        if self.hangs:
            await asyncio.sleep(FOREVER_S)
        await asyncio.sleep(self.delay_ms / 1000)
        if self.error is not None:
            raise self.error
        envelopes = []
        for source in sources:
            status: Any = self.status.get(source, "ok")
            found = self.evidence.get(source, [])
            items = list(found(query)) if callable(found) else list(found)
            if status in ("timed_out", "error", "denied"):
                items = []
            if status == "ok" and not items:
                status = "empty"
            envelopes.append(Envelope(source, status, tuple(items), self.delay_ms))
        return Retrieved(tuple(envelopes))


# Mouth -------------------------------------------------------------------------------------


@dataclass
class FakeTts(_Fake):
    """60 ms of audio for each character; remembers what it was asked to say."""

    name: str = "fake"
    first_ms: float = 50.0
    error: Exception | None = None
    hangs: bool = False
    dies_after_chunks: int | None = None
    said: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    rate_hz: int = 16_000

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        return Capabilities(self.name, f"{self.name} tts")

    async def synthesize(
        self, text: str, *, language: str, voice: str = "", deadline: Deadline
    ) -> AsyncIterator[SpeechChunk]:
        self.said.append(text)
        self.languages.append(language)
        if self.hangs:
            await asyncio.sleep(FOREVER_S)
        await asyncio.sleep(self.first_ms / 1000)
        if self.error is not None:
            raise self.error
        pcm = globals()["voice"](len(text) * 60, self.rate_hz, 3000)
        step = pcm_bytes(200, self.rate_hz)
        for count, start in enumerate(range(0, len(pcm), step)):
            if self.dies_after_chunks is not None and count >= self.dies_after_chunks:
                raise TtsError("the voice died", code="unavailable")
            yield SpeechChunk(pcm[start : start + step], self.rate_hz)
            await asyncio.sleep(0.005)


# The outside -------------------------------------------------------------------------------


@dataclass
class FakeFacts:
    """Durable in a dict; refuses or fails when told to."""

    taken: set[int] = field(default_factory=set)
    error: Exception | None = None
    delay_ms: float = 30.0
    hangs: bool = False
    facts: dict[str, Fact] = field(default_factory=dict)
    crm_sync: Any = "queued"

    async def append(self, fact: Fact, *, deadline: Deadline) -> Receipt:
        if self.hangs:
            await asyncio.sleep(FOREVER_S)
        await asyncio.sleep(self.delay_ms / 1000)
        if self.error is not None:
            raise self.error
        if fact.fact_id in self.facts:
            return Receipt(fact.fact_id, self.crm_sync, replayed=True)
        slot = fact.payload.get("slot_id")
        if slot in self.taken:
            raise FactRejected("that slot is taken", code="slot_taken")
        if slot is not None:
            self.taken.add(slot)
        self.facts[fact.fact_id] = fact
        return Receipt(fact.fact_id, self.crm_sync)


@dataclass
class FakeTrace:
    rows: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    dropped: int = 0

    def put(self, kind: str, payload: Mapping[str, Any]) -> None:
        self.rows.append((kind, payload))

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        return [payload for name, payload in self.rows if name == kind]


@dataclass
class FakeLine:
    """The transport: plays audio in real time, answers marks, takes back what is cleared."""

    sample_rate_hz: int = 16_000
    answer_mark: Callable[[str], None] | None = None
    frames: list[tuple[float, bytes]] = field(default_factory=list)
    """(loop time in ms, pcm)"""
    cleared: list[float] = field(default_factory=list)
    hung_up: str = ""
    broken: Exception | None = None
    _plays_until_ms: float = 0.0
    _marks: list[asyncio.TimerHandle] = field(default_factory=list)

    @staticmethod
    def now_ms() -> float:
        return asyncio.get_running_loop().time() * 1000

    async def audio(self, pcm: bytes) -> None:
        if self.broken is not None:
            raise self.broken
        self.frames.append((self.now_ms(), pcm))
        start = max(self.now_ms(), self._plays_until_ms)
        self._plays_until_ms = start + pcm_duration_ms(pcm, self.sample_rate_hz)

    async def mark(self, name: str) -> None:
        if self.answer_mark is not None:
            delay = max(0.0, self._plays_until_ms - self.now_ms()) / 1000
            handle = asyncio.get_running_loop().call_later(delay, self.answer_mark, name)
            self._marks.append(handle)

    async def clear(self) -> None:
        self.cleared.append(self.now_ms())
        self._plays_until_ms = self.now_ms()
        for handle in self._marks:
            handle.cancel()

    async def hangup(self, reason: str) -> None:
        self.hung_up = reason


def stt_error() -> SttError:
    return SttError("the recogniser is down", code="unavailable")


def llm_error() -> LlmError:
    return LlmError("the model is down", code="unavailable")


def tts_error() -> TtsError:
    return TtsError("the voice is down", code="unavailable")


def store_error() -> SourceError:
    return SourceError("the store is down", code="unavailable")


def listing(
    project: str = "Lakeview Residency",
    locality: str = "Whitefield",
    property_type: str = "3BHK",
    price_inr: int = 12_000_000,
    units: int = 4,
    area: int = 1650,
) -> Evidence:
    slug = project.lower().replace(" ", "-")
    return Evidence(
        source="listings",
        chunk=f"listing:{slug}-{property_type.lower()}",
        version="1",
        title=f"{property_type} at {project}",
        text=f"The {property_type} at {project} in {locality} has {area} sq ft, possession December 2027.",
        values={
            "project_slug": slug, "project": project, "locality": locality, "city": "Bangalore",
            "property_type": property_type, "price_inr": price_inr, "area_sqft": area,
            "units_available": units, "possession": "December 2027",
        },
    )  # fmt: skip


def free_slot(slot_id: int, starts_at: datetime, project: str = "Lakeview Residency") -> Evidence:
    return Evidence(
        source="slots", chunk=f"slot:{slot_id}", version="1", title=f"Visit {project}", text=str(starts_at),
        values={
            "slot_id": slot_id, "project_slug": project.lower().replace(" ", "-"), "project": project,
            "starts_at": starts_at,
        },
    )  # fmt: skip
