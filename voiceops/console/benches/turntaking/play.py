"""One dialogue against one real call in virtual time: a caller that follows its script and
reacts to what it hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.pipeline.call import Call, CallPorts
from agents.pipeline.mouth import LineCache
from agents.pipeline.turn_machine import Command, EndOfTurn, TurnEvent, TurnMachine
from agents.providers.vad.silero import SileroVad
from voiceops.console.benches.turntaking import sounds
from voiceops.console.benches.turntaking.figures import Played, Said
from voiceops.console.benches.turntaking.line import Handset, Microphone, now_ms
from voiceops.console.benches.turntaking.models import AgentVoice, KeptWhisper, Ledger, Recogniser
from voiceops.console.benches.turntaking.suite import ANSWER, Dialogue, Over, Piece, Step
from voiceops.console.benches.turntaking.voices import Voices, line_of
from voiceops.core.budget import Deadline
from voiceops.core.clock import LoopClock
from voiceops.core.errors import LlmError
from voiceops.core.events import CallEvent, WireDtmf, WireEvent, WireStarted, WireStopped
from voiceops.core.facts import Fact, Query, Receipt, Retrieved
from voiceops.core.plan import AgentProfile, CallPlan, IntentSpec, VoiceSpec
from voiceops.core.ports import Capabilities, LlmDelta, LlmRequest
from voiceops.core.streams import DropOldest
from voiceops.core.virtual_time import VirtualTimeLoop

HINTS = ("Lakeview Residency", "Orchid Grove", "Whitefield", "Sarjapur", "Indiranagar", "Hebbal")
"""Vocabulary, as an agent of the demo has it."""
GREETING = "Hello, Maya here."
AGAIN_MS = 500.0
"""Of an agent that was stopped and goes on, so much is heard before the next thing happens."""
HELD_MS = 4000.0
"""A caller who made the agent stop gives it so long to go on."""
NO_ANSWER_MS = 6000.0
"""After this a caller who was not answered goes on."""
LEAD_MS = 40.0
"""From deciding to speak to the first sound: a frame that was not sent yet."""
DIGIT_MS = 250.0
HANG_UP_MS = 400.0
_VECTOR = (1.0,) + (0.0,) * 383


class _Nothing:
    """What no scripted call needs: a language model, facts, records."""

    capabilities = Capabilities("none", "not used")

    async def warm(self) -> None:
        return None

    async def aclose(self) -> None:
        return None

    async def embed(
        self, texts: Sequence[str], *, kind: str, deadline: Deadline, priority: str = "final"
    ) -> list[list[float]]:
        return [list(_VECTOR) for _ in texts]

    async def stream(self, request: LlmRequest, *, deadline: Deadline) -> AsyncIterator[LlmDelta]:
        raise LlmError("no model in this bench", code="unavailable")
        yield LlmDelta("")

    async def warm_prefix(self, messages: Sequence[Mapping[str, str]]) -> None:
        return None

    async def search(self, query: Query, *, sources: Sequence[str], deadline: Deadline) -> Retrieved:
        return Retrieved(())

    async def append(self, fact: Fact, *, deadline: Deadline) -> Receipt:
        raise LlmError("no records in this bench", code="unavailable")

    def put(self, kind: str, payload: Mapping[str, Any]) -> None:
        return None


class _Lines(Mapping[str, str]):
    """The agent's lines: whatever is asked, it says what the script has next."""

    def __init__(self, answer: Callable[[], str]) -> None:
        self._answer = answer
        self._fixed = {"greeting": GREETING}
        self._scripted = ("scripted", "unclear", "hello")

    def __getitem__(self, code: str) -> str:
        return self._answer() if code in self._scripted else self._fixed[code]

    def __iter__(self) -> Iterator[str]:
        return iter((*self._fixed, *self._scripted))

    def __len__(self) -> int:
        return len(self._fixed) + len(self._scripted)


class _Watched:
    """A turn machine that notes when it is told of the end of a turn."""

    def __init__(self, machine: TurnMachine) -> None:
        self._machine = machine
        self.ended: list[tuple[float, str]] = []

    def handle(self, event: TurnEvent) -> tuple[Command, ...]:
        if isinstance(event, EndOfTurn):
            end = getattr(event.utterance, "endpoint", None)
            why = f"{end.reason} {end.completeness:.2f}, waits {end.wait_ms:.0f} ms" if end else ""
            self.ended.append((now_ms(), why))
        return self._machine.handle(event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._machine, name)


class _ObservedCall(Call):
    def watch(self) -> _Watched:
        watched: Any = _Watched(self._machine)
        self._machine = watched
        kept: _Watched = watched
        return kept


@dataclass(slots=True)
class Bench:
    """What every dialogue of a run shares."""

    voices: Voices
    whisper: KeptWhisper
    vad: Callable[[], SileroVad]
    agent: AgentVoice
    ledger: Ledger


def play(dialogue: Dialogue, model: str, bench: Bench) -> Played:
    """What happened. Raises whatever the call raised."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_Dialogue(dialogue, model, bench).run())


@dataclass(slots=True, eq=False)
class _Dialogue:
    script: Dialogue
    model: str
    bench: Bench
    answer: str = ANSWER
    said: list[Said] = field(default_factory=list)
    events: list[tuple[float, CallEvent]] = field(default_factory=list)
    begun_ms: float = 0.0
    handset: Handset = field(init=False)
    mic: Microphone = field(init=False)
    inbound: DropOldest[WireEvent] = field(init=False)
    prompts_expected: list[tuple[str, bool]] = field(default_factory=list)

    async def run(self) -> Played:
        self.begun_ms = now_ms()
        self.inbound = DropOldest(400)
        self.handset = Handset(self.inbound, self.begun_ms)
        self.mic = Microphone(
            self.handset, self.inbound, background=self._background(), echo=self.script.echo
        )
        call = self._call()
        watched = call.watch()
        talking = asyncio.create_task(call.run())
        sending = asyncio.create_task(self.mic.run())
        try:
            self.inbound.put(WireStarted("bench", sample_rate_hz=sounds.RATE_HZ))
            await self._answered(0.0)
            for step in self.script.steps:
                if talking.done():
                    break
                await self._step(step, talking)
            await self._pause(HANG_UP_MS)
        finally:
            self.inbound.put(WireStopped("hangup"))
            await asyncio.wait([talking], timeout=30)
            sending.cancel()
            await asyncio.wait([sending])
        summary = talking.result()
        return Played(
            name=self.script.name,
            tags=self.script.tags,
            held_out=self.script.held_out,
            said=tuple(self.said),
            decided=tuple(at - self.begun_ms for at, _ in watched.ended),
            reasons=tuple(why for _, why in watched.ended),
            stops=tuple(self.handset.stops),
            resumed=tuple(at for at, event in self.events if event.kind == "resumed"),
            heard=self.handset.heard(),
            prompts=tuple(self.prompts_expected),
            transcripts=tuple(
                (at, str(event.data.get("text", "")))
                for at, event in self.events
                if event.kind == "transcript.final"
            ),
            ended=summary.ended_reason,
        )

    # The other side ---------------------------------------------------------------------

    def _call(self) -> _ObservedCall:
        nothing: Any = _Nothing()
        profile = AgentProfile(
            slug="bench", name="Bench", persona="You answer calls.", languages=("en",),
            default_language="en", voices={"en": (VoiceSpec("hibari"),)},
            lines={"en": _Lines(lambda: self.answer)}, turn_model=self.model, speculation=False,
        )  # fmt: skip
        intent = IntentSpec("scripted", "social", line="scripted", examples=(("anything", "en", _VECTOR),))
        ports = CallPorts(
            stt=(Recogniser(self.bench.whisper, self.bench.ledger),), llm=nothing,
            tts={"hibari": self.bench.agent}, vad=self.bench.vad(), embedder=nothing, retriever=nothing,
            facts=nothing,
        )  # fmt: skip
        plan = CallPlan("bench", profile, (intent,), hints=HINTS)
        return _ObservedCall(
            plan, ports, self.inbound, self.handset, [self._hear], nothing, LoopClock(),
            lines=LineCache(),
            wall=lambda: datetime(2026, 1, 5, 10, tzinfo=UTC) + timedelta(milliseconds=self.handset.ms()),
        )  # fmt: skip

    def _hear(self, event: CallEvent) -> None:
        self.events.append((self.handset.ms(), event))

    def _background(self) -> sounds.Samples | None:
        around = self.script.noise
        if around is None:
            return None
        made = sounds.noise(around.kind, 20.0, self.bench.voices.babble)
        return sounds.scaled(made, 10 ** (-around.snr_db / 20))

    # The caller -------------------------------------------------------------------------

    async def _step(self, step: Step, talking: asyncio.Task[Any]) -> None:
        if step.kind == "silence":
            await self._stay_silent(step, talking)
            return
        self.answer = step.answer
        await self._quiet_for(step.after_ms)
        ended = await (self._press(step) if step.kind == "press" else self._say("turn", step.pieces))
        if step.over:
            await self._talk_over(step, ended)
        await self._answered(ended)

    async def _stay_silent(self, step: Step, talking: asyncio.Task[Any]) -> None:
        started = self.handset.ms()
        await asyncio.wait([talking], timeout=step.silence_ms / 1000)
        if step.expect == "still_there":
            kinds = {"still_there"}
            seen = any(
                at >= started and event.kind == "turn.started" and event.data.get("purpose") in kinds
                for at, event in self.events
            )
            self.prompts_expected.append((step.expect, seen))
        elif step.expect == "goodbye":
            ended = talking.done() and talking.result().ended_reason == "caller_silent"
            self.prompts_expected.append((step.expect, ended))

    async def _say(self, kind: str, pieces: Sequence[Piece]) -> float:
        """Say it all; when its last sound was sent."""
        at = self.handset.ms() + LEAD_MS
        spans: list[tuple[float, float]] = []
        for piece in pieces:
            end = self.mic.put(self.bench.voices.of(line_of(self.script, piece)), at)
            spans.append((at, end))
            at = end + piece.pause_ms
        self.said.append(
            Said(
                kind=kind,
                pieces=tuple(piece.text for piece in pieces),
                spans=tuple(spans),
                may_end=tuple(piece.may_end for piece in pieces[:-1]),
            )
        )
        await self._until_ms(spans[-1][1])
        return spans[-1][1]

    async def _press(self, step: Step) -> float:
        started = self.handset.ms()
        for digit in step.digits:
            await self._pause(DIGIT_MS)
            self.inbound.put(WireDtmf(digit))
        ended = self.handset.ms()
        self.said.append(Said("press", (step.digits,), ((started, ended),), ()))
        return ended

    async def _talk_over(self, step: Step, ended: float) -> None:
        begun = await self._first_sound(ended)
        if begun is None:
            return
        for over in step.over:
            await self._until_ms(begun + over.at_ms)
            while self._has_the_floor() and not self.handset.playing:
                await self._pause(20)
                begun = max(begun, self.handset.ms() - over.at_ms + AGAIN_MS)
            await self._until_ms(begun + over.at_ms)
            if self.handset.playing:
                await self._disturb(over)

    async def _disturb(self, over: Over) -> None:
        if over.kind == "sound":
            at = self.handset.ms() + LEAD_MS
            end = self.mic.put(sounds.mouth_sound(over.sound), at)
            self.said.append(Said("sound", (over.sound,), ((at, end),), ()))
            await self._until_ms(end)
        elif over.kind == "backchannel":
            await self._say("backchannel", over.pieces)
        else:
            self.answer = over.answer
            ended = await self._say("barge_in", over.pieces)
            await self._answered(ended)

    # Waiting ----------------------------------------------------------------------------

    async def _answered(self, since_ms: float) -> None:
        """Until the agent has been heard after `since_ms` and has finished, or no answer comes."""
        await self._first_sound(since_ms)
        while self._has_the_floor():
            await self._pause(20)

    def _has_the_floor(self) -> bool:
        """Whether the agent speaks, or was stopped in a turn that is still its own."""
        if self.handset.playing:
            return True
        turns = [event.kind for _, event in self.events if event.kind in ("turn.started", "turn.closed")]
        stopped = bool(self.handset.stops) and self.handset.ms() - self.handset.stops[-1] < HELD_MS
        return stopped and bool(turns) and turns[-1] == "turn.started"

    async def _first_sound(self, since_ms: float) -> float | None:
        while self.handset.ms() < since_ms + NO_ANSWER_MS:
            found = self.handset.first_sound_ms(since_ms)
            if found is not None:
                return found
            await self._pause(20)
        return None

    async def _quiet_for(self, duration_ms: float) -> None:
        """Until the agent has not been playing for this long."""
        since = self.handset.ms()
        while self.handset.ms() - since < duration_ms:
            await self._pause(20)
            if self._has_the_floor():
                since = self.handset.ms()

    async def _until_ms(self, at_ms: float) -> None:
        await self._pause(at_ms - self.handset.ms())

    @staticmethod
    async def _pause(duration_ms: float) -> None:
        await asyncio.sleep(max(0.0, duration_ms) / 1000)
