"""One call from answer to hang-up: who runs, what dies with what, and what is told to whom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from agents.pipeline import turn_machine as machine
from agents.pipeline.call_ports import CallPorts
from agents.pipeline.endpointing import Endpointing
from agents.pipeline.forecast import Forecast
from agents.pipeline.hearing import Utterance
from agents.pipeline.language import opening_language
from agents.pipeline.lines import FILLERS, say
from agents.pipeline.listening import Listening
from agents.pipeline.load import LoadGate
from agents.pipeline.lookup import Lookup
from agents.pipeline.memory import Memory, PlayedTurn
from agents.pipeline.mouth import LineCache, Mouth
from agents.pipeline.phrasing import Phrasing
from agents.pipeline.playout import Playout
from agents.pipeline.promises import Promises
from agents.pipeline.prompt import prefix
from agents.pipeline.recorder import Recorder
from agents.pipeline.responder import Responder
from agents.pipeline.segment import FRAME_MS, Segment
from agents.pipeline.speculation import Planner
from agents.pipeline.spoken import hindi_names
from agents.pipeline.stage import Stage
from agents.pipeline.summary import CallSummary, ended_payload, outcome_of, started_payload
from agents.pipeline.telling import Telling
from agents.pipeline.turn import Turn
from voiceops.core.clock import Clock, MonotonicClock
from voiceops.core.events import (
    TurnRecord,
    WireEvent,
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
REPLY_MS = 300.0
"""Of an answer heard before the caller's words can be a reply to it; sooner, they go on with the
question."""
NO_AUDIO_MS = 2_000.0
WRITING_PATIENCE = 8.0
"""How much longer than a caller somebody who types may be silent: 80 s, then two minutes."""


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
        gate: LoadGate | None = None,
        forecast: Forecast | None = None,
    ) -> None:
        """`inbound` carries PCM at the rate of its `WireStarted`, else at the outbound's rate."""
        self._plan = plan
        self._profile = plan.agent
        self._ports = ports
        self._inbound = inbound
        self._outbound = outbound
        self._clock = clock or MonotonicClock()
        self._recorder = recorder
        self._wall = wall
        self._endpointing = endpointing
        self._lines = lines
        self._gate = gate or LoadGate(clock=self._clock)
        self._forecast = forecast or Forecast(self._clock)
        self._zone = ZoneInfo(plan.timezone)
        self._machine = machine.TurnMachine()
        self._events: asyncio.Queue[machine.TurnEvent] = asyncio.Queue()
        self._answered_ms = self._clock.now_ms()
        self._telling = Telling(
            session_id=plan.session_id, listeners=listeners, trace=trace, call_ms=self._call_ms
        )
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._turn_task: asyncio.Task[None] | None = None
        self._cancel_reason = ""
        self._audible_turn = -1
        """Index of the turn whose answer was last heard for `REPLY_MS`."""
        self._records: list[TurnRecord] = []
        self._memory = Memory()
        self._answered_something = False
        self._failed = False

    # The call ---------------------------------------------------------------------------

    async def run(self) -> CallSummary:
        """Everything from the greeting to the last trace. Raises only CancelledError."""
        self._answered_ms = self._clock.now_ms()
        self._gate.answered()
        started = started_payload(self._plan, self._ports.capabilities(), self._wall())
        self._telling.put_trace("call.started", started)
        reason = "failed"
        try:
            async with asyncio.TaskGroup() as scope:
                self._build(scope)
                helpers = [
                    scope.create_task(self._playout.run()),
                    scope.create_task(self._listening.run()),
                    scope.create_task(self._warm()),
                    scope.create_task(self._listening.watch_media()),
                ]
                try:
                    reason = await self._drive(scope)
                    await self._promises.settle()
                finally:
                    await self._listening.aclose()
                    self._planner.close()
                    for task in (*helpers, *self._timers.values()):
                        task.cancel()
                    if self._turn_task is not None:
                        self._turn_task.cancel()
        except* Exception as group:
            # Nothing of one call may reach another: it is logged, traced, and over.
            self._failed = True
            _log.error("call_failed", exc_info=group, extra={"call": self._plan.session_id})
            self._telling.emit("error", stage="call", code="error", message=repr(group.exceptions[0]))
        finally:
            self._gate.ended()
            summary = self._close(reason)
        await self._hang_up(summary.ended_reason)
        return summary

    def _build(self, scope: asyncio.TaskGroup) -> None:
        budget = self._profile.budget
        self._scope = scope
        self._playout = Playout(
            self._outbound, self._clock, call_ms=self._call_ms, sent=self._frame_sent,
            started=self._segment_started,
        )  # fmt: skip
        self._planner = Planner(
            scope=scope, call_ms=self._call_ms, emit=self._telling.emit, gate=self._gate,
            wanted=self._profile.speculation, budget=budget,
        )  # fmt: skip
        ahead = self._planner.ahead
        self._mouth = Mouth(
            profile=self._profile, voices=self._ports.tts, playout=self._playout, clock=self._clock,
            failed=self._telling.voice_failed, lines=self._lines, ahead=ahead, forecast=self._forecast,
            names=hindi_names(self._plan.extra),
        )  # fmt: skip
        self._promises = Promises(
            sink=self._ports.facts, scope=scope, clock=self._clock, session_id=self._plan.session_id,
            timeout_ms=budget.fact_timeout_ms,
        )  # fmt: skip
        responder = Responder(
            plan=self._plan,
            embedder=self._ports.embedder,
            lookup=Lookup(self._ports.retriever, budget, self._clock, ahead, self._forecast),
            phrasing=Phrasing(
                self._ports.llm,
                self._profile,
                self._clock,
                ahead,
                self._forecast,
                self._mouth.first_audio_ms,
            ),
            promises=self._promises,
            memory=self._memory,
            clock=self._clock,
            now=lambda: self._wall().astimezone(self._zone),
            ahead=ahead,
        )
        self._stage = Stage(
            plan=self._plan, responder=responder, mouth=self._mouth, playout=self._playout,
            clock=self._clock, call_ms=self._call_ms,
            language=opening_language(self._plan), planner=self._planner,
        )  # fmt: skip
        self._planner.plan_with(responder, self._mouth, self._stage.language_of)
        self._listening = Listening(
            plan=self._plan, ports=self._ports, inbound=self._inbound,
            sample_rate_hz=self._outbound.sample_rate_hz, post=self._events.put_nowait,
            telling=self._telling, playout=self._playout, scope=scope, clock=self._clock,
            call_ms=self._call_ms, language=lambda: self._stage.language.current,
            asked=self._asked, recorder=self._recorder, endpointing=self._endpointing, planner=self._planner,
        )  # fmt: skip

    async def _drive(self, scope: asyncio.TaskGroup) -> str:
        """Feed the turn machine and do what it commands, until the call ends."""
        self._telling.emit("call.answered", agent=self._profile.slug, channel=self._plan.channel)
        self._events.put_nowait(machine.Answered())
        while True:
            event = await self._events.get()
            for command in self._machine.handle(event):
                match command:
                    case machine.OpenTurn():
                        self._open_turn(scope, command)
                    case machine.HoldTurn():
                        await self._hold_turn(command)
                    case machine.ResumeTurn():
                        self._resume_turn(command)
                    case machine.Judge(utterance):
                        self._listening.judge(utterance)
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
        if self._call_ms() - self._listening.last_audio_ms > NO_AUDIO_MS:
            # A line without any sound on it is somebody who types, and who is reading now.
            await self._clock.sleep_ms(after_ms * (WRITING_PATIENCE - 1))
        self._timers.pop(name, None)
        if not self._listening.ear.caller_speaking:
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
            language=self._stage.language.current, call_ms=self._call_ms, emit=self._telling.emit,
            budget=self._profile.budget,
        )  # fmt: skip
        self._telling.opens(turn)
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
            self._telling.turn = None
            self._events.put_nowait(machine.TurnClosed(turn.index, ends_call=turn.ends_call, void=void))

    async def _hold_turn(self, command: machine.HoldTurn) -> None:
        """Silence at once; what the caller did not hear is kept."""
        audible = self._playout.audible
        self._playout.hold()
        self._listening.limit_hold(command.index)
        await self._clear()
        if audible:
            self._telling.emit("agent.silent", command.index)

    def _resume_turn(self, command: machine.ResumeTurn) -> None:
        self._listening.hold_ends()
        segment = self._playout.resume()
        if segment is not None:
            from_ms = segment.resumed_from_ms
            self._telling.emit(
                "resumed", command.index, text=segment.text_from(from_ms), from_ms=round(from_ms)
            )

    async def _cancel_turn(self, command: machine.CancelTurn) -> None:
        """Stop making sound first, then stop making sentences."""
        turn = self._telling.turn
        self._cancel_reason = command.reason
        self._listening.hold_ends()
        if command.reason == "caller_continued":
            self._listening.was_cut_in()
        audible, held = self._playout.audible, self._playout.held
        self._playout.cut()
        if self._turn_task is not None:
            self._turn_task.cancel()
        if not held:
            await self._clear()
        if command.reason == "barge_in" and turn is not None:
            heard = [text for s in turn.segments if (text := self._playout.heard_text(s))]
            heard_ms = sum(self._playout.heard_ms(s) for s in turn.segments)
            self._telling.emit("barge_in", turn.index, heard_text=" ".join(heard), heard_ms=heard_ms)
        if audible:
            self._telling.emit("agent.silent", command.index)

    async def _clear(self) -> None:
        """Take back what was sent and not yet played."""
        self._listening.ear.agent_cut(self._call_ms())
        if self._recorder is not None:
            self._recorder.cut_agent(self._call_ms())
        try:
            async with asyncio.timeout(CLEAR_TIMEOUT_S):
                await self._outbound.clear()
        except Exception as error:
            _log.info("clear_failed", extra={"call": self._plan.session_id, "error": repr(error)})

    def _close_turn(self, turn: Turn, *, void: bool) -> None:
        self._planner.settle(turn, void=void)
        if void:
            self._telling.emit("turn.closed", turn.index, void=True)
            return
        record = turn.record(self._playout, self._call_ms())
        self._records.append(record)
        self._answered_something |= turn.answered
        self._telling.degraded |= any(decision.kind == "degrade" for decision in record.decisions)
        self._memory.played(PlayedTurn(record.index, record.heard, record.said, record.intent))
        payload = asdict(record)
        self._telling.emit("turn.closed", turn.index, **payload)
        self._telling.put_trace(
            "turn", {"session_id": self._plan.session_id, "turn": payload, "at": self._wall().isoformat()}
        )
        _log.info(
            "turn",
            extra={"call": self._plan.session_id, "turn": record.index, "intent": record.intent,
                   "latency_ms": record.latency_ms, "answer_source": record.answer_source},
        )  # fmt: skip

    # What playout tells -----------------------------------------------------------------

    def _segment_started(self, segment: Segment) -> None:
        self._telling.emit("agent.speaking", segment.turn, text=segment.text, purpose=segment.purpose)

    def _frame_sent(self, segment: Segment, frame: bytes) -> None:
        plays_at = max((segment.plays_at_ms or 0.0) + segment.sent_ms - FRAME_MS, self._call_ms())
        self._listening.ear.agent_sent(frame, FRAME_MS, plays_at)
        if self._recorder is not None:
            self._recorder.agent(frame, self._outbound.sample_rate_hz, plays_at)
        turn = self._telling.turn
        if turn is None or turn.index == self._audible_turn or segment.purpose == "filler":
            return
        # Who types reads the answer as soon as it begins.
        reply_ms = 0.0 if turn.endpoint is not None and turn.endpoint.reason == "typed" else REPLY_MS
        if sum(self._playout.heard_ms(spoken) for spoken in turn.segments) >= reply_ms:
            self._audible_turn = turn.index
            turn.commit_now()
            self._events.put_nowait(machine.TurnAudible(turn.index))

    def _asked(self) -> tuple[str, str]:
        """What the agent said last, or is saying, and the step of the flow in progress."""
        turn = self._telling.turn
        said = " ".join(turn.planned) if turn is not None else ""
        if not said and self._records:
            said = self._records[-1].said
        return said, str(getattr(self._memory.flow, "step", ""))

    # Telling others ---------------------------------------------------------------------

    def _call_ms(self) -> float:
        return self._clock.now_ms() - self._answered_ms

    def _close(self, reason: str) -> CallSummary:
        heard = [record for record in self._records if record.heard]
        kept = self._promises.kept if hasattr(self, "_promises") else []
        summary = CallSummary(
            session_id=self._plan.session_id,
            outcome=outcome_of(self._records, kept, answered=self._answered_something, failed=self._failed),
            ended_reason="failed" if self._failed else reason,
            language=self._stage.language.current if hasattr(self, "_stage") else "",
            is_degraded=self._telling.degraded,
            dropped_frames=self._inbound.dropped,
            turns=len(heard),
            duration_ms=self._call_ms(),
        )
        if self._recorder is not None:
            self._recorder.close(self._call_ms())
        self._telling.emit("call.ended", reason=summary.ended_reason, outcome=summary.outcome)
        dropped = self._telling.dropped_traces
        self._telling.put_trace(
            "call.ended", ended_payload(self._plan, summary, self._recorder, self._wall(), dropped)
        )
        return summary

    async def _hang_up(self, reason: str) -> None:
        try:
            async with asyncio.timeout(2.0):
                await self._outbound.hangup(reason)
        except Exception as error:
            _log.info("hangup_failed", extra={"call": self._plan.session_id, "error": repr(error)})
