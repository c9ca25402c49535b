"""One call from answer to hang-up: who runs, what dies with what, and what is told to whom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from agents.pipeline import turn_machine as machine
from agents.pipeline.call_ports import CallPorts
from agents.pipeline.ear import Ear
from agents.pipeline.endpointing import Endpointing
from agents.pipeline.hearing import Utterance
from agents.pipeline.language import LanguageState
from agents.pipeline.lines import FILLERS, say
from agents.pipeline.lookup import Lookup
from agents.pipeline.media_clock import STALL_MS, MediaClock
from agents.pipeline.memory import Memory, PlayedTurn
from agents.pipeline.mouth import LineCache, Mouth
from agents.pipeline.phrasing import Phrasing
from agents.pipeline.playout import Playout, Segment
from agents.pipeline.promises import Promises
from agents.pipeline.prompt import prefix
from agents.pipeline.recogniser import Recogniser
from agents.pipeline.recorder import Recorder
from agents.pipeline.responder import Responder
from agents.pipeline.stage import Stage
from agents.pipeline.summary import CallSummary, ended_payload, outcome_of, started_payload
from agents.pipeline.turn import Turn
from voiceops.core.audio import pcm_duration_ms
from voiceops.core.clock import Clock, MonotonicClock
from voiceops.core.events import (
    CallEvent,
    Transcript,
    TurnRecord,
    WireAudio,
    WireDtmf,
    WireEvent,
    WireMark,
    WireStarted,
    WireStopped,
    WireText,
)
from voiceops.core.plan import CallPlan
from voiceops.core.ports import (
    Listener,
    Outbound,
    TraceSink,
)
from voiceops.core.streams import DropOldest

__all__ = ["Call", "CallPorts"]

_log = logging.getLogger(__name__)

CLEAR_TIMEOUT_S = 0.5
NO_AUDIO_MS = 2_000.0
WRITING_PATIENCE = 8.0
"""How much longer than a caller somebody who types may be silent: 80 s, then two minutes."""
MAX_CALL_MS = 2 * 3_600_000.0


class Call:
    """Answer with `await Call(...).run()`; cancelling that ends the call."""

    def __init__(
        self,
        plan: CallPlan,
        ports: CallPorts,
        inbound: DropOldest[WireEvent],
        outbound: Outbound,
        listeners: Sequence[Listener],
        trace: TraceSink,
        clock: Clock | None = None,
        recorder: Recorder | None = None,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        endpointing: Endpointing | None = None,
        lines: LineCache | None = None,
    ) -> None:
        """`inbound` carries PCM at the rate of its `WireStarted`, else at the outbound's rate."""
        self._plan = plan
        self._profile = plan.agent
        self._ports = ports
        self._inbound = inbound
        self._outbound = outbound
        self._listeners = tuple(listeners)
        self._trace = trace
        self._clock = clock or MonotonicClock()
        self._recorder = recorder
        self._wall = wall
        self._endpointing = endpointing
        self._lines = lines
        self._zone = ZoneInfo(plan.timezone)
        self._machine = machine.TurnMachine()
        self._events: asyncio.Queue[machine.TurnEvent] = asyncio.Queue()
        self._answered_ms = self._clock.now_ms()
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._turn: Turn | None = None
        self._turn_task: asyncio.Task[None] | None = None
        self._cancel_reason = ""
        self._before_turn: list[tuple[str, str]] = []
        """Degrade decisions taken while no turn was open; the next turn's record shows them."""
        self._records: list[TurnRecord] = []
        self._memory = Memory()
        self._rate_hz = outbound.sample_rate_hz
        self._degraded = False
        self._answered_something = False
        self._failed = False
        self._stt_rests_until_ms: dict[str, float] = {}
        self._media = MediaClock()
        self._last_audio_ms = 0.0

    # The call ---------------------------------------------------------------------------

    async def run(self) -> CallSummary:
        """Everything from the greeting to the last trace. Raises only CancelledError."""
        self._answered_ms = self._clock.now_ms()
        customer = self._plan.customer
        language = (customer.language if customer else "") or str(self._plan.extra.get("language", ""))
        if language not in self._profile.languages:
            language = self._profile.default_language
        self._put_trace("call.started", started_payload(self._plan, self._ports.capabilities(), self._wall()))
        reason = "failed"
        try:
            async with asyncio.TaskGroup() as scope:
                self._build(scope, language)
                helpers = [
                    scope.create_task(self._playout.run()),
                    scope.create_task(self._listen()),
                    scope.create_task(self._warm()),
                    scope.create_task(self._watch_media()),
                ]
                try:
                    reason = await self._drive(scope)
                    await self._promises.settle()
                finally:
                    await self._ear.aclose()
                    for task in (*helpers, *self._timers.values()):
                        task.cancel()
                    if self._turn_task is not None:
                        self._turn_task.cancel()
        except* Exception as group:
            # Nothing of one call may reach another: it is logged, traced, and over.
            self._failed = True
            _log.error("call_failed", exc_info=group, extra={"call": self._plan.session_id})
            self._emit("error", stage="call", code="error", message=repr(group.exceptions[0]))
        finally:
            summary = self._close(reason)
        await self._hang_up(summary.ended_reason)
        return summary

    def _build(self, scope: asyncio.TaskGroup, language: str) -> None:
        budget = self._profile.budget
        self._scope = scope
        self._playout = Playout(
            self._outbound, self._clock, call_ms=self._call_ms, sent=self._frame_sent,
            started=self._segment_started,
        )  # fmt: skip
        self._mouth = Mouth(
            profile=self._profile, voices=self._ports.tts, playout=self._playout, clock=self._clock,
            failed=self._voice_failed, lines=self._lines,
        )  # fmt: skip
        self._promises = Promises(
            sink=self._ports.facts, scope=scope, clock=self._clock, session_id=self._plan.session_id,
            timeout_ms=budget.fact_timeout_ms,
        )  # fmt: skip
        responder = Responder(
            plan=self._plan,
            embedder=self._ports.embedder,
            lookup=Lookup(self._ports.retriever, budget, self._clock),
            phrasing=Phrasing(self._ports.llm, self._profile, self._clock),
            promises=self._promises,
            memory=self._memory,
            clock=self._clock,
            now=lambda: self._wall().astimezone(self._zone),
        )
        self._stage = Stage(
            plan=self._plan, responder=responder, mouth=self._mouth, playout=self._playout,
            clock=self._clock, call_ms=self._call_ms,
            language=LanguageState(language, self._profile.languages),
        )  # fmt: skip
        self._ear = Ear(
            vad=self._ports.vad.open(), open_recogniser=self._open_recogniser, events=self, scope=scope,
            clock=self._clock, call_ms=self._call_ms, agent_audible=lambda: self._playout.audible,
            language=lambda: self._stage.language.current, window_samples=self._ports.vad.window_samples,
            endpointing=self._endpointing,
        )  # fmt: skip

    async def _drive(self, scope: asyncio.TaskGroup) -> str:
        """Feed the turn machine and do what it commands, until the call ends."""
        self._emit("call.answered", agent=self._profile.slug, channel=self._plan.channel)
        self._events.put_nowait(machine.Answered())
        while True:
            event = await self._events.get()
            for command in self._machine.handle(event):
                match command:
                    case machine.OpenTurn():
                        self._open_turn(scope, command)
                    case machine.CancelTurn():
                        await self._cancel_turn(command)
                    case machine.StartTimer(name, after_ms):
                        self._timers[name] = scope.create_task(self._timer(name, after_ms))
                    case machine.StopTimer(name):
                        if (timer := self._timers.pop(name, None)) is not None:
                            timer.cancel()
                    case machine.EndCall(reason):
                        return reason

    async def _timer(self, name: str, after_ms: float) -> None:
        await self._clock.sleep_ms(after_ms)
        if self._call_ms() - self._last_audio_ms > NO_AUDIO_MS:
            # A line without any sound on it is somebody who types, and who is reading now.
            await self._clock.sleep_ms(after_ms * (WRITING_PATIENCE - 1))
        self._timers.pop(name, None)
        if not self._ear.caller_speaking:
            self._events.put_nowait(machine.TimerFired(name))

    async def _warm(self) -> None:
        """Prompt prefix and fixed lines, while the greeting plays."""
        language = self._stage.language.current
        lines = [(say(self._profile, code, language), language) for code in (*FILLERS, "still_there")]
        async with asyncio.TaskGroup() as both:
            both.create_task(self._mouth.warm(lines))
            both.create_task(self._warm_prefix())

    async def _warm_prefix(self) -> None:
        try:
            await self._ports.llm.warm_prefix(prefix(self._profile))
        except Exception as error:
            _log.info("prefix_not_warmed", extra={"call": self._plan.session_id, "error": repr(error)})

    # Turns ------------------------------------------------------------------------------

    def _open_turn(self, scope: asyncio.TaskGroup, command: machine.OpenTurn) -> None:
        turn = Turn(
            index=command.index, kind=command.kind, started_ms=self._call_ms(),
            language=self._stage.language.current, call_ms=self._call_ms, emit=self._emit_turn,
        )  # fmt: skip
        self._turn = turn
        self._emit("turn.started", turn.index, purpose=turn.kind)
        before, self._before_turn = self._before_turn, []
        for code, reason in before:
            turn.decide("degrade", code, reason)
        self._turn_task = scope.create_task(self._run_turn(turn, command.utterances))

    async def _run_turn(self, turn: Turn, utterances: Sequence[Utterance]) -> None:
        took_place = False
        try:
            took_place = await self._stage.perform(turn, utterances)
        except asyncio.CancelledError:
            turn.interrupted = True
            took_place = bool(turn.heard or turn.segments)
            raise
        finally:
            # What was asked before the caller went on is asked again in the next turn.
            carried = turn.interrupted and self._cancel_reason == "caller_continued"
            void = carried or not took_place
            self._close_turn(turn, void=void)
            self._turn = None
            self._events.put_nowait(machine.TurnClosed(turn.index, ends_call=turn.ends_call, void=void))

    async def _cancel_turn(self, command: machine.CancelTurn) -> None:
        """Stop making sound first, then stop making sentences."""
        turn = self._turn
        self._cancel_reason = command.reason
        audible = self._playout.audible
        self._playout.cut()
        if self._turn_task is not None:
            self._turn_task.cancel()
        if self._recorder is not None:
            self._recorder.cut_agent(self._call_ms())
        try:
            async with asyncio.timeout(CLEAR_TIMEOUT_S):
                await self._outbound.clear()
        except Exception as error:
            _log.info("clear_failed", extra={"call": self._plan.session_id, "error": repr(error)})
        if command.reason == "barge_in" and turn is not None:
            heard = [text for s in turn.segments if (text := self._playout.heard_text(s))]
            heard_ms = sum(self._playout.heard_ms(s) for s in turn.segments)
            self._emit("barge_in", turn.index, heard_text=" ".join(heard), heard_ms=heard_ms)
        if audible:
            self._emit("agent.silent", command.index)

    def _close_turn(self, turn: Turn, *, void: bool) -> None:
        if void:
            self._emit("turn.closed", turn.index, void=True)
            return
        record = turn.record(self._playout, self._call_ms())
        self._records.append(record)
        self._answered_something |= turn.answered
        self._degraded |= any(decision.kind == "degrade" for decision in record.decisions)
        self._memory.played(PlayedTurn(record.index, record.heard, record.said, record.intent))
        payload = asdict(record)
        self._emit("turn.closed", turn.index, **payload)
        self._put_trace(
            "turn", {"session_id": self._plan.session_id, "turn": payload, "at": self._wall().isoformat()}
        )
        _log.info(
            "turn",
            extra={"call": self._plan.session_id, "turn": record.index, "intent": record.intent,
                   "latency_ms": record.latency_ms, "answer_source": record.answer_source},
        )  # fmt: skip

    # The wire ---------------------------------------------------------------------------

    async def _listen(self) -> None:
        async for event in self._inbound:
            match event:
                case WireAudio(pcm, at_ms):
                    await self._audio(pcm, at_ms)
                case WireStarted():
                    self._rate_hz = event.sample_rate_hz
                case WireText(text):
                    self._typed(text)
                case WireMark(name):
                    self._playout.played(name)
                case WireDtmf(digit):
                    self._emit("dtmf", digit=digit)
                case WireStopped(reason):
                    self._events.put_nowait(machine.HungUp(reason))
                    return
            if self._call_ms() > MAX_CALL_MS:
                self._events.put_nowait(machine.HungUp("too_long"))
                return
        self._events.put_nowait(machine.HungUp("transport_closed"))

    async def _audio(self, pcm: bytes, at_ms: int | None) -> None:
        self._last_audio_ms = self._call_ms()
        if self._recorder is not None:
            self._recorder.caller(pcm, self._rate_hz, self._call_ms())
        await self._ear.hear(
            pcm,
            self._rate_hz,
            self._media.heard_at_ms(pcm_duration_ms(pcm, self._rate_hz), at_ms, self._call_ms()),
        )

    async def _watch_media(self) -> None:
        """A muted or stalled transport must not leave an utterance open for ever."""
        while True:
            await self._clock.sleep_ms(STALL_MS)
            if self._ear.caller_speaking and self._call_ms() - self._last_audio_ms > STALL_MS:
                self._ear.cut_off()

    def _typed(self, text: str) -> None:
        if not text.strip():
            return
        now = self._call_ms()
        words: asyncio.Future[Transcript | None] = asyncio.get_running_loop().create_future()
        words.set_result(
            Transcript("final", text.strip()[:500], self._stage.language.current, 1.0, 0.0, 0.0, "typed")
        )
        self._events.put_nowait(machine.SpeechStarted())
        self._events.put_nowait(
            machine.EndOfTurn(Utterance(now, now, now, 0.0, words, typed=True), insistent=True)
        )

    # What the ear tells -----------------------------------------------------------------

    def speech_started(self, at_ms: float) -> None:
        self._emit("speech.started", media_ms=at_ms)
        self._events.put_nowait(machine.SpeechStarted())

    def speech_stopped(self, at_ms: float) -> None:
        self._emit("speech.stopped", media_ms=at_ms)

    def barge_in(self, at_ms: float) -> None:
        self._events.put_nowait(machine.BargeInHeard())

    def partial(self, transcript: Transcript) -> None:
        self._emit(
            f"transcript.{transcript.kind}", text=transcript.text, language=transcript.language,
            engine=transcript.engine, decode_ms=transcript.decode_ms,
        )  # fmt: skip

    def end_of_turn(self, utterance: Utterance) -> None:
        self._events.put_nowait(machine.EndOfTurn(utterance, insistent=utterance.barged_in))

    def vad_failed(self, message: str) -> None:
        self._degrade("vad_down", f"speech is told from silence by loudness: {message}")

    def _open_recogniser(self) -> Recogniser:
        now = self._clock.now_ms()
        providers = sorted(
            self._ports.stt, key=lambda p: self._stt_rests_until_ms.get(p.capabilities.name, 0.0) > now
        )
        return Recogniser(
            providers, language=self._stage.language.current, hints=self._plan.hints, clock=self._clock,
            timeout_ms=self._profile.budget.stt_timeout_ms, failed=self._stt_failed,
        )  # fmt: skip

    def _stt_failed(self, provider: str, code: str, message: str) -> None:
        self._stt_rests_until_ms[provider] = self._clock.now_ms() + 30_000
        self._emit("error", self._index(), stage="stt", code=code, message=message)
        self._degrade("stt_failover", f"{provider}: {message} ({code})")

    def _voice_failed(self, turn: int, provider: str, following: str, code: str, message: str) -> None:
        what = f"{following} takes over" if following else "no other voice is left"
        self._emit("error", turn, stage="tts", code=code, message=message)
        self._degrade("tts_failover" if following else "tts_down", f"{provider}: {message or code}; {what}")

    def _degrade(self, code: str, reason: str) -> None:
        """A decision of the open turn, or of the next one when none is open."""
        self._degraded = True
        if self._turn is not None:
            self._turn.decide("degrade", code, reason)
        else:
            self._before_turn.append((code, reason))

    # What playout tells -----------------------------------------------------------------

    def _segment_started(self, segment: Segment) -> None:
        self._emit("agent.speaking", segment.turn, text=segment.text, purpose=segment.purpose)
        turn = self._turn
        if turn is not None and segment.turn == turn.index and segment.purpose != "filler":
            turn.commit_now()
            self._events.put_nowait(machine.TurnAudible(turn.index))

    def _frame_sent(self, segment: Segment, frame: bytes) -> None:
        if self._recorder is not None:
            plays_at = (segment.plays_at_ms or 0.0) + segment.sent_ms - 20.0
            self._recorder.agent(frame, self._outbound.sample_rate_hz, max(plays_at, self._call_ms()))

    # Telling others ---------------------------------------------------------------------

    def _call_ms(self) -> float:
        return self._clock.now_ms() - self._answered_ms

    def _index(self) -> int | None:
        return self._turn.index if self._turn is not None else None

    def _emit_turn(self, kind: str, turn: int | None, **data: Any) -> None:
        self._emit(kind, turn, **data)

    def _emit(self, kind: str, turn: int | None = None, **data: Any) -> None:
        event = CallEvent(kind, self._call_ms(), turn, data)
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                _log.exception("listener_failed", extra={"call": self._plan.session_id, "kind": kind})

    def _put_trace(self, kind: str, payload: Mapping[str, Any]) -> None:
        self._trace.put(kind, payload)

    def _close(self, reason: str) -> CallSummary:
        heard = [record for record in self._records if record.heard]
        kept = self._promises.kept if hasattr(self, "_promises") else []
        summary = CallSummary(
            session_id=self._plan.session_id,
            outcome=outcome_of(self._records, kept, answered=self._answered_something, failed=self._failed),
            ended_reason="failed" if self._failed else reason,
            language=self._stage.language.current if hasattr(self, "_stage") else "",
            is_degraded=self._degraded,
            dropped_frames=self._inbound.dropped,
            turns=len(heard),
            duration_ms=self._call_ms(),
        )
        if self._recorder is not None:
            self._recorder.close(self._call_ms())
        self._emit("call.ended", reason=summary.ended_reason, outcome=summary.outcome)
        dropped = int(getattr(self._trace, "dropped", 0))
        self._put_trace(
            "call.ended", ended_payload(self._plan, summary, self._recorder, self._wall(), dropped)
        )
        return summary

    async def _hang_up(self, reason: str) -> None:
        try:
            async with asyncio.timeout(2.0):
                await self._outbound.hangup(reason)
        except Exception as error:
            _log.info("hangup_failed", extra={"call": self._plan.session_id, "error": repr(error)})
