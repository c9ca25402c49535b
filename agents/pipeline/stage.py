"""One turn on stage: hear the words, answer clause by clause, never leave silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace

from agents.pipeline.fallback import SilenceWatch, settled
from agents.pipeline.hearing import Utterance
from agents.pipeline.intent import UNKNOWN
from agents.pipeline.language import LanguageState, heard_of
from agents.pipeline.lines import say
from agents.pipeline.mouth import FILLER_VOICE_MS, Mouth, Voiced
from agents.pipeline.normalise import normalise
from agents.pipeline.playout import Playout, Purpose, Segment
from agents.pipeline.responder import Responder
from agents.pipeline.speculation import Planner
from agents.pipeline.turn import Clause, Turn, clause_pieces
from voiceops.core.clock import Clock
from voiceops.core.events import Span, Transcript
from voiceops.core.plan import CallPlan
from voiceops.core.streams import Blocking

_log = logging.getLogger(__name__)

CLAUSES = 3
"""Clauses that may wait for their voice; more make the language model wait."""


@dataclass(slots=True, eq=False)
class Stage:
    """One per call; runs the turns that the turn machine opens, one at a time."""

    plan: CallPlan
    responder: Responder
    mouth: Mouth
    playout: Playout
    clock: Clock
    call_ms: Callable[[], float]
    language: LanguageState
    planner: Planner | None = None
    _names: int = 0

    async def perform(self, turn: Turn, utterances: Sequence[Utterance]) -> bool:
        """Run one turn to the end of its audio. False when there was nothing to answer.

        Catches the errors of its stages; raises only CancelledError.
        """
        try:
            async with asyncio.TaskGroup() as scope:
                watch = scope.create_task(self._watch(turn, utterances[-1])) if utterances else None
                try:
                    took_place = await self._perform(turn, utterances)
                finally:
                    if watch is not None:
                        watch.cancel()
            return took_place
        except* Exception as group:
            error = group.exceptions[0]
            _log.error(
                "turn_failed", exc_info=error, extra={"call": self.plan.session_id, "turn": turn.index}
            )
            turn.emit("error", turn.index, stage="turn", code="error", message=repr(error))
            turn.decide("degrade", "turn_failed", repr(error))
        await self._apologise(turn)
        return True

    async def _perform(self, turn: Turn, utterances: Sequence[Utterance]) -> bool:
        if turn.kind != "answer":
            await self._fixed_turn(turn)
            return True
        text = await self._words(turn, utterances)
        if text is None:
            return False
        turn.heard, turn.heard_normalised = text, normalise(text)
        if text:
            self._hear_language(turn)
            if self.planner is not None:
                self.planner.commit(turn)
            await self._speak(turn, text)
        await self.playout.drained()
        turn.commit_now()
        if text:
            self._doubt_language(turn, understood=turn.intent != UNKNOWN)
        return True

    async def _fixed_turn(self, turn: Turn) -> None:
        turn.source = "fixed"
        turn.intent = "greeting" if turn.kind == "greeting" else "silence"
        if turn.kind == "silent_goodbye":
            turn.ends_call = "caller_silent"
        purpose: Purpose = "greeting" if turn.kind == "greeting" else "fallback"
        line = say(self.plan.agent, turn.kind, turn.language)
        await self._voice(turn, Clause(line, "fixed", fixed=True), purpose)
        await self.playout.drained()

    # Words ------------------------------------------------------------------------------

    async def _words(self, turn: Turn, utterances: Sequence[Utterance]) -> str | None:
        """What was said; "" after a line was spoken instead; None for noise."""
        texts: list[str] = []
        failed = unclear = False
        for utterance in utterances:
            await settled(utterance.words)
            turn.partials += utterance.partials
            transcript = _result(utterance)
            if transcript is None:
                failed = True
            elif transcript.text.strip():
                texts.append(transcript.text.strip())
                turn.transcripts.append(transcript)
                self._account(turn, utterance, transcript)
            elif utterance.is_real_speech:
                unclear = True
        text = " ".join(texts)
        if text:
            return text
        if failed or unclear:
            code = "stt_down" if failed else "not_understood"
            turn.intent, turn.source = "unknown", "fixed"
            line = say(self.plan.agent, code, turn.language)
            if not failed:
                self._doubt_language(turn, understood=False)
            await self._voice(turn, Clause(line, "fixed", fixed=True), "fallback")
            return ""
        return None

    def language_of(self, transcript: Transcript) -> str:
        """In which language an utterance would be answered."""
        return self.language.hear(heard_of([transcript]))[0].current

    def _hear_language(self, turn: Turn) -> None:
        """The answer's language. The call's own follows when the answer is heard: words that the
        caller goes on from are judged again, as one utterance, in the next turn."""
        state, reading = self.language.hear(heard_of(turn.transcripts))
        turn.language = state.current
        turn.language_reading = reading
        turn.commit.append(lambda: setattr(self, "language", state))
        turn.emit("language", turn.index, **asdict(reading))

    def _doubt_language(self, turn: Turn, *, understood: bool) -> None:
        """Turns that nobody understood, one after the other, may be in another language."""
        before = turn.language_reading
        self.language, turn.language_reading = self.language.answered(before, understood=understood)
        if (reading := turn.language_reading) is not None and reading is not before:
            turn.emit("language", turn.index, **asdict(reading))

    def _account(self, turn: Turn, utterance: Utterance, transcript: Transcript) -> None:
        now = self.call_ms()
        turn.speech_ended_ms = utterance.ended_ms
        turn.endpoint = utterance.endpoint
        if not utterance.typed:
            done = min(now, utterance.words_ready_ms or now)
            turn.stt_ms = max(0.0, done - utterance.ended_ms)
            waited = utterance.decided_ms - utterance.ended_ms
            turn.waited["endpoint"] = max(0.0, waited)
            turn.waited["stt"] = max(0.0, done - utterance.decided_ms)
            turn.spans.append(Span("endpointing", utterance.ended_ms, waited))
            turn.spans.append(
                Span(
                    "stt",
                    utterance.stt_started_ms,
                    max(0.0, done - utterance.stt_started_ms),
                    self.plan.agent.budget.stt_ms,
                    {
                        "engine": transcript.engine,
                        "decode_ms": round(transcript.decode_ms, 1),
                        "speech_started_ms": round(utterance.started_ms, 1),
                        "speech_ended_ms": round(utterance.ended_ms, 1),
                    },
                )
            )
        turn.emit(
            "transcript.final", turn.index, text=transcript.text, language=transcript.language,
            engine=transcript.engine, decode_ms=transcript.decode_ms, confidence=transcript.confidence,
            normalised=transcript.normalised,
        )  # fmt: skip

    # Speech -----------------------------------------------------------------------------

    async def _speak(self, turn: Turn, text: str) -> None:
        """Think and speak at the same time: clauses wait for their voice in a small stream."""
        clauses: Blocking[Clause] = Blocking(CLAUSES)

        async def think() -> None:
            try:
                async with aclosing(self.responder.respond(turn, text)) as answer:
                    async for clause in answer:
                        await clauses.put(clause)
            finally:
                if (task := asyncio.current_task()) is None or not task.cancelling():
                    await clauses.close()

        async with asyncio.TaskGroup() as scope:
            scope.create_task(think())
            async for clause in clauses:
                if clause.source == "flow" or (clause.source != "fixed" and turn.source != "flow"):
                    turn.source = clause.source
                for text in clause_pieces(clause):
                    await self._voice(turn, replace(clause, text=text), "answer")

    async def _voice(self, turn: Turn, clause: Clause, purpose: Purpose) -> Voiced:
        segment = self._segment(turn, clause.text, purpose)
        turn.segments.append(segment)
        turn.planned.append(clause.text)
        turn.emit("clause", turn.index, text=clause.text, source=clause.source)
        started = self.call_ms()
        voiced = await self.mouth.say(
            segment, turn.language, fixed=clause.fixed,
            first_audio=lambda: self._first_audio(turn, started),
        )  # fmt: skip
        budget = self.plan.agent.budget.tts_ms if len(turn.segments) == 1 else None
        turn.spans.append(
            Span("tts", started, voiced.first_audio_ms or self.call_ms() - started, budget,
                 {"provider": voiced.provider, "cached": voiced.cached, "text": clause.text})
        )  # fmt: skip
        if voiced.first_audio_ms is None:
            # Nobody could voice it; a page or a chat window can still show it.
            turn.emit("agent.speaking", turn.index, text=clause.text, purpose=purpose, silent=True)
        return voiced

    def _first_audio(self, turn: Turn, started: float) -> None:
        if turn.tts_ms is None:
            turn.tts_ms = turn.waited["tts"] = self.call_ms() - started
            turn.emit("tts.first_audio", turn.index, after_ms=turn.tts_ms)

    def _segment(self, turn: Turn, text: str, purpose: Purpose) -> Segment:
        self._names += 1
        return Segment(f"t{turn.index}.{self._names}", turn.index, text, purpose)

    async def _watch(self, turn: Turn, last: Utterance) -> None:
        """Fillers while the caller waits, for the first word of the answer or for the next."""

        def silent_since() -> float | None:
            quiet = self.playout.silent_since_ms
            if quiet is None:
                return None
            return self.clock.now_ms() - (self.call_ms() - max(quiet, last.ended_ms))

        def expected_after() -> float | None:
            """Silence after which the answer should be heard, as far as anybody can say."""
            if turn.expected_ms is None:
                return None
            due = turn.expected_ms + self.mouth.first_audio_ms(turn.language)
            return due - max(self.playout.silent_since_ms or 0.0, last.ended_ms)

        watch = SilenceWatch(
            clock=self.clock,
            budget=self.plan.agent.budget,
            expected_after_ms=expected_after,
            speak=lambda code: self._filler(turn, code),
            silent_since_ms=silent_since,
            in_hand=lambda: self.playout.awaits_audio,
        )
        await watch.run()

    async def _filler(self, turn: Turn, code: str) -> None:
        text = say(self.plan.agent, code, turn.language)
        segment = self._segment(turn, text, "filler")
        turn.fillers.append(segment)
        turn.decide("degrade", "filler", "the answer would leave the caller in silence for too long")
        voiced = await self.mouth.say(segment, turn.language, fixed=True, timeout_ms=FILLER_VOICE_MS)
        if voiced.first_audio_ms is None:
            turn.emit("agent.speaking", turn.index, text=text, purpose="filler", silent=True)

    async def _apologise(self, turn: Turn) -> None:
        """After an unforeseen error: say sorry, ask for a colleague, and let the call go on."""
        turn.commit.clear()
        try:
            clause = await self.responder.hand_over(turn, "something went wrong in a turn", "apology")
            turn.source = "fixed"
            await self._voice(turn, replace(clause, fixed=True), "fallback")
            await self.playout.drained()
        except Exception as error:
            _log.error("apology_failed", exc_info=error, extra={"call": self.plan.session_id})


def _result(utterance: Utterance) -> Transcript | None:
    words = utterance.words
    if words.cancelled() or words.exception() is not None:
        return None
    return words.result()
