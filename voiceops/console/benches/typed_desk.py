"""A whole call at the transcript level: real stages, words typed in, a voice that makes no sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from agents.pipeline.call import Call, CallPorts
from agents.pipeline.mouth import LineCache
from voiceops.core.audio import pcm_bytes
from voiceops.core.budget import Deadline
from voiceops.core.clock import LoopClock
from voiceops.core.errors import SourceError, VoiceOpsError
from voiceops.core.events import CallEvent, WireEvent, WireMark, WireStarted, WireStopped, WireText
from voiceops.core.facts import Fact, Receipt
from voiceops.core.plan import CallPlan, VoiceSpec
from voiceops.core.ports import Capabilities, Embedder, LanguageModel, Retriever, SpeechChunk
from voiceops.core.streams import DropOldest

RATE_HZ = 16_000
MUTE = "mute"
TURN_TIMEOUT_S = 60.0


class DeskFailed(VoiceOpsError):
    """The call did not go on."""


class MuteVoice:
    """20 ms of silence for every clause: nobody listens, and the turn is over when it is said."""

    capabilities = Capabilities(MUTE, "no voice", frozenset({"en", "hi"}), sample_rate_hz=RATE_HZ)

    async def synthesize(
        self, text: str, *, language: str, voice: str = "", deadline: Deadline
    ) -> AsyncGenerator[SpeechChunk, None]:
        yield SpeechChunk(bytes(pcm_bytes(20, RATE_HZ)), RATE_HZ)

    async def warm(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


class _DeafVad:
    """Nobody speaks."""

    window_samples = 512
    capabilities = Capabilities("deaf", "no ears")

    def open(self) -> _DeafVad:
        return self

    async def probability(self, pcm: bytes) -> float:
        return 0.0

    def reset(self) -> None:
        return None

    async def warm(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


class _NoFacts:
    """A measurement promises nothing."""

    async def append(self, fact: Fact, *, deadline: Deadline) -> Receipt:
        raise SourceError("nothing is booked in a measurement", code="unavailable")


@dataclass(eq=False)
class _Line:
    """Plays at once what it is given."""

    inbound: DropOldest[WireEvent]
    sample_rate_hz: int = RATE_HZ

    async def audio(self, pcm: bytes) -> None:
        return None

    async def mark(self, name: str) -> None:
        self.inbound.put(WireMark(name))

    async def clear(self) -> None:
        return None

    async def hangup(self, reason: str) -> None:
        return None


@dataclass(eq=False)
class TypedDesk:
    """One call in progress."""

    inbound: DropOldest[WireEvent]
    turns: list[Mapping[str, Any]] = field(default_factory=list)
    """`TurnRecord`s as mappings, the greeting first."""
    dropped: int = 0
    ended: str = ""
    """Why the call is over; empty while it goes on."""
    _closed: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Implements `TraceSink`."""
        if kind == "turn":
            self.turns.append(payload["turn"])
            self._closed.set()
        elif kind == "call.ended":
            self.ended = str(payload.get("ended_reason") or "ended")
            self._closed.set()

    async def type(self, text: str) -> Mapping[str, Any]:
        """The record of the turn that answers `text`. Raises: DeskFailed."""
        known = len(self.turns)
        self.inbound.put(WireText(text))
        await self.reaches(known + 1, text)
        return self.turns[-1]

    async def reaches(self, count: int, doing: str) -> None:
        try:
            async with asyncio.timeout(TURN_TIMEOUT_S):
                while len(self.turns) < count:
                    if self.ended:
                        raise DeskFailed(f"the call is over ({self.ended}), no answer to {doing!r}")
                    self._closed.clear()
                    await self._closed.wait()
        except TimeoutError:
            raise DeskFailed(f"no answer within {TURN_TIMEOUT_S:.0f} s to {doing!r}") from None


@asynccontextmanager
async def typed_call(
    plan: CallPlan, *, llm: LanguageModel, embedder: Embedder, retriever: Retriever
) -> AsyncIterator[TypedDesk]:
    """A call on these stages. Nothing is stored of it, and nothing is booked."""
    voices = {language: (VoiceSpec(MUTE),) for language in plan.agent.languages}
    plan = _with(plan, voices)
    inbound: DropOldest[WireEvent] = DropOldest(400)
    desk = TypedDesk(inbound)
    ports = CallPorts(
        stt=(), llm=llm, tts={MUTE: MuteVoice()}, vad=_DeafVad(), embedder=embedder, retriever=retriever,
        facts=_NoFacts(),
    )  # fmt: skip
    # The loop's own time, so that waiting and measuring agree when that loop's time is virtual.
    call = Call(plan, ports, inbound, _Line(inbound), [_ignore], desk, LoopClock(), lines=LineCache())
    task = asyncio.create_task(call.run(), name="typed-call")
    try:
        inbound.put(WireStarted("typed", sample_rate_hz=RATE_HZ))
        await desk.reaches(1, "the greeting")
        yield desk
    finally:
        inbound.put(WireStopped("hangup"))
        await asyncio.wait([task], timeout=10)
        task.cancel()
        await asyncio.wait([task])


def _with(plan: CallPlan, voices: Mapping[str, tuple[VoiceSpec, ...]]) -> CallPlan:
    return replace(plan, agent=replace(plan.agent, voices=voices, speculation=False))


def _ignore(event: CallEvent) -> None:
    """Nobody watches."""
