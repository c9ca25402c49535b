"""The caller's side of a call: wire events in, events of the turn machine out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from agents.pipeline import turn_machine as machine
from agents.pipeline.barge_in import was_meant
from agents.pipeline.call_ports import CallPorts
from agents.pipeline.ear import Ear
from agents.pipeline.endpointing import Endpointing
from agents.pipeline.expecting import expecting
from agents.pipeline.fallback import settled
from agents.pipeline.hearing import Utterance
from agents.pipeline.keypad import Keypad
from agents.pipeline.media_clock import STALL_MS, MediaClock
from agents.pipeline.playout import Playout
from agents.pipeline.recogniser import Recogniser
from agents.pipeline.recorder import Recorder
from agents.pipeline.second_opinion import SecondOpinion
from agents.pipeline.speculation import Planner
from agents.pipeline.telling import Telling
from voiceops.core.audio import pcm_duration_ms
from voiceops.core.clock import Clock
from voiceops.core.events import (
    Endpoint,
    Transcript,
    WireAudio,
    WireDtmf,
    WireEvent,
    WireMark,
    WireStarted,
    WireStopped,
    WireText,
)
from voiceops.core.plan import CallPlan
from voiceops.core.ports import Expecting
from voiceops.core.streams import DropOldest

MAX_CALL_MS = 2 * 3_600_000.0
STT_REST_MS = 30_000.0
"""A recogniser that failed is not asked first again for this long."""
VERDICT_MS = 1000.0
"""Wait for the words of an interruption; after that the agent goes on."""
HOLD_MS = 1500.0
"""The agent is silent for something that brings no words."""


class Listening:
    """One per call; `run` and `watch_media` are its tasks. It is the ear's `EarEvents`."""

    def __init__(
        self,
        *,
        plan: CallPlan,
        ports: CallPorts,
        inbound: DropOldest[WireEvent],
        sample_rate_hz: int,
        post: Callable[[machine.TurnEvent], None],
        telling: Telling,
        playout: Playout,
        scope: asyncio.TaskGroup,
        clock: Clock,
        call_ms: Callable[[], float],
        language: Callable[[], str],
        asked: Callable[[], tuple[str, str]],
        recorder: Recorder | None = None,
        endpointing: Endpointing | None = None,
        planner: Planner | None = None,
    ) -> None:
        """`sample_rate_hz` of inbound audio until a `WireStarted` names another. `asked` gives what
        the agent said last and the step of a flow in progress (or "")."""
        self._plan = plan
        self._ports = ports
        self._inbound = inbound
        self._rate_hz = sample_rate_hz
        self._post = post
        self._telling = telling
        self._playout = playout
        self._clock = clock
        self._call_ms = call_ms
        self._language = language
        self._recorder = recorder
        self._planner = planner
        self._asked = asked
        self._scope = scope
        self._media = MediaClock()
        self._keypad = Keypad.of(plan.extra)
        self._keying: asyncio.Task[None] | None = None
        """Waits for the next key of a number."""
        self._holding: asyncio.Task[None] | None = None
        """Waits until a hold has lasted too long."""
        self._judging: set[asyncio.Task[None]] = set()
        self._last_end_ms: float | None = None
        """Call time at which the caller's last turn ended."""
        self._gap_ms = 0.0
        """Between that end and the speech in progress."""
        self._stt_rests_until_ms: dict[str, float] = {}
        self._second_opinion = SecondOpinion(plan.agent.languages)
        self.last_audio_ms = 0.0
        """Call time of the last inbound frame."""
        self.ear = Ear(
            vad=ports.vad.open(), open_recogniser=self._open_recogniser, events=self, scope=scope,
            clock=clock, call_ms=call_ms, agent_audible=lambda: playout.audible, language=language,
            window_samples=ports.vad.window_samples,
            endpointing=endpointing or self._endpointing(),
        )  # fmt: skip

    async def aclose(self) -> None:
        for task in (*self._judging, *((self._keying,) if self._keying else ())):
            task.cancel()
        self.hold_ends()
        await self.ear.aclose()

    def _endpointing(self) -> Endpointing:
        return Endpointing.chosen(
            self._plan.agent.turn_model, expecting=self._expecting, unknown=self._turn_model_unknown
        )

    def _turn_model_unknown(self, message: str) -> None:
        self._telling.error("endpointing", "unknown_turn_model", message)
        self._telling.degrade("turn_model_unknown", message)

    def _expecting(self) -> Expecting:
        """What the agent has just asked for."""
        return expecting(*self._asked())

    # The wire ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Until the other side stops, then post `HungUp`."""
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
                    self._key(digit)
                case WireStopped(reason):
                    self._post(machine.HungUp(reason))
                    return
            if self._call_ms() > MAX_CALL_MS:
                self._post(machine.HungUp("too_long"))
                return
        self._post(machine.HungUp("transport_closed"))

    async def watch_media(self) -> None:
        """A muted or stalled transport must not leave an utterance open for ever."""
        while True:
            await self._clock.sleep_ms(STALL_MS)
            if self.ear.caller_speaking and self._call_ms() - self.last_audio_ms > STALL_MS:
                self.ear.cut_off()

    async def _audio(self, pcm: bytes, at_ms: int | None) -> None:
        self.last_audio_ms = self._call_ms()
        if self._recorder is not None:
            self._recorder.caller(pcm, self._rate_hz, self._call_ms())
        duration_ms = pcm_duration_ms(pcm, self._rate_hz)
        heard_at_ms = self._media.heard_at_ms(duration_ms, at_ms, self._call_ms())
        await self.ear.hear(pcm, self._rate_hz, heard_at_ms)

    def _typed(self, text: str) -> None:
        if not text.strip():
            return
        self._written(text.strip()[:500], "typed", ends_speech=False)

    def _written(self, text: str, how: str, *, ends_speech: bool) -> None:
        """An utterance that nobody had to hear; `how` is typed or dtmf."""
        now = self._call_ms()
        words: asyncio.Future[Transcript | None] = asyncio.get_running_loop().create_future()
        words.set_result(Transcript("final", text, self._language(), 1.0, 0.0, 0.0, how))
        utterance = Utterance(
            now, now, now, 0.0, words, typed=True, endpoint=Endpoint(0.0, 0.0, 1.0, how, "")
        )  # fmt: skip
        self._ended(utterance, insistent=True, ends_speech=ends_speech)

    # Keys -------------------------------------------------------------------------------

    def _key(self, key: str) -> None:
        """A key stops the agent; a number ends with #, when it is whole, or after a while."""
        self._telling.emit("dtmf", digit=key)
        if self._keying is not None:
            self._keying.cancel()
            self._keying = None
        elif key == "#":
            return
        else:
            self._post(machine.SpeechStarted())
            self._post(machine.BargeInHeard())
        wanted = self._expecting()
        said = self._keypad.press(key, wanted, self._language())
        if said is not None:
            self._written(said, "dtmf", ends_speech=True)
        else:
            self._keying = self._scope.create_task(self._await_key(wanted))

    async def _await_key(self, wanted: Expecting) -> None:
        await self._clock.sleep_ms(self._keypad.gap_ms(wanted))
        self._keying = None
        self._written(self._keypad.entered(wanted, self._language()), "dtmf", ends_speech=True)

    # Interruptions ----------------------------------------------------------------------

    def limit_hold(self, index: int) -> None:
        """Post `HoldExpired` for this turn when its hold has lasted `HOLD_MS`."""
        self.hold_ends()
        self._holding = self._scope.create_task(self._await_hold(index))

    def hold_ends(self) -> None:
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None

    async def _await_hold(self, index: int) -> None:
        await self._clock.sleep_ms(HOLD_MS)
        self._post(machine.HoldExpired(index))

    def judge(self, utterance: Utterance) -> None:
        """Post `Judged` as soon as the words of an utterance over the agent are known."""
        if utterance.words.done():
            self._post(machine.Judged(utterance, self._meant(utterance)))
            return
        task = self._scope.create_task(self._judge(utterance))
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)

    async def _judge(self, utterance: Utterance) -> None:
        try:
            async with asyncio.timeout(VERDICT_MS / 1000):
                await settled(utterance.words)
        except TimeoutError:
            self._post(machine.Judged(utterance, False))
            await settled(utterance.words)
            if self._meant(utterance):  # the words came late and are worth stopping for
                self._post(machine.EndOfTurn(utterance, insistent=True, ends_speech=False))
            return
        self._post(machine.Judged(utterance, self._meant(utterance)))

    def _meant(self, utterance: Utterance) -> bool:
        failed = utterance.words.cancelled() or utterance.words.exception() is not None
        words = None if failed else utterance.words.result()
        said, _ = self._asked()
        meant = was_meant(
            words, utterance.speech_ms,
            asked=said.rstrip().endswith("?"), unheard_ms=self._playout.unheard_ms,
            over_agent=utterance.over_agent,
        )  # fmt: skip
        if not meant and words is not None and words.text.strip():
            self._telling.emit("backchannel", self._telling.turn_index, text=words.text)
        return meant

    def was_cut_in(self) -> None:
        """The caller's turn was ended too soon: what is being said belongs to it."""
        if self._gap_ms:
            self.ear.was_cut_in(self._gap_ms)
            self._gap_ms = 0.0

    def _ended(self, utterance: Utterance, *, insistent: bool, ends_speech: bool = True) -> None:
        self._last_end_ms = utterance.ended_ms
        if utterance.endpoint is not None:
            self._telling.emit("endpoint", **asdict(utterance.endpoint))
        self._post(machine.EndOfTurn(utterance, insistent=insistent, ends_speech=ends_speech))

    # What the ear tells -----------------------------------------------------------------

    def speech_started(self, at_ms: float) -> None:
        self._telling.emit("speech.started", media_ms=at_ms)
        if self._last_end_ms is not None:
            self._gap_ms, self._last_end_ms = at_ms - self._last_end_ms, None
        if self._planner is not None:
            self._planner.abandon()
        self._post(machine.SpeechStarted())

    def speech_stopped(self, at_ms: float) -> None:
        self._telling.emit("speech.stopped", media_ms=at_ms)
        if self._planner is not None:
            self._planner.paused()

    def barge_in(self, at_ms: float) -> None:
        self._post(machine.BargeInHeard())

    def partial(self, transcript: Transcript) -> None:
        self._telling.emit(
            f"transcript.{transcript.kind}", text=transcript.text, language=transcript.language,
            engine=transcript.engine, decode_ms=transcript.decode_ms, stable=transcript.stable,
        )  # fmt: skip
        if self._planner is not None:
            self._planner.heard_so_far(transcript)

    def candidate(self, transcript: Transcript) -> None:
        """The words at the first silence; they are the final ones if the caller does not go on."""
        if self._planner is not None:
            self._planner.candidate(transcript)

    def end_of_turn(self, utterance: Utterance) -> None:
        self._ended(utterance, insistent=utterance.barged_in)

    def vad_failed(self, message: str) -> None:
        self._telling.degrade("vad_down", f"speech is told from silence by loudness: {message}")

    # Recognisers ------------------------------------------------------------------------

    def _open_recogniser(self) -> Recogniser:
        now = self._clock.now_ms()
        providers = sorted(
            self._ports.stt, key=lambda p: self._stt_rests_until_ms.get(p.capabilities.name, 0.0) > now
        )
        return Recogniser(
            providers, language=self._language(), hints=self._plan.hints, clock=self._clock,
            timeout_ms=self._plan.agent.budget.stt_timeout_ms, failed=self._stt_failed,
            second=self._second_opinion,
        )  # fmt: skip

    def _stt_failed(self, provider: str, code: str, message: str) -> None:
        self._stt_rests_until_ms[provider] = self._clock.now_ms() + STT_REST_MS
        self._telling.error("stt", code, message)
        self._telling.degrade("stt_failover", f"{provider}: {message} ({code})")
