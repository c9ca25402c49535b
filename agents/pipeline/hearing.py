"""The utterance in progress: its audio, its decodes while it lasts, and its words at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from agents.pipeline.recogniser import Recogniser
from voiceops.core.events import Endpoint, Partial, Transcript

T = TypeVar("T")

PARTIAL_EVERY_MS = 300.0
"""Voiced time between the starts of two decodes; longer when the recogniser is slower than that."""
REAL_SPEECH_MS = 400.0
"""Voiced time above which an empty transcript is the recogniser's failure, not noise."""


@dataclass(slots=True, eq=False)
class Utterance:
    """One stretch of caller speech (or one typed line) whose words may still be on their way."""

    started_ms: float
    """Call time of the first voiced window."""
    ended_ms: float
    """Call time of the last voiced window: latency is measured from here."""
    decided_ms: float
    """Call time at which the end of turn was decided."""
    speech_ms: float
    words: asyncio.Future[Transcript | None]
    """The final transcript; None when every recogniser failed."""
    stt_started_ms: float = 0.0
    words_ready_ms: float = 0.0
    """Call time at which the words were there; 0 while they are not."""
    typed: bool = False
    barged_in: bool = False
    over_agent: bool = False
    """The agent was heard when it began."""
    partials: list[Partial] = field(default_factory=list)
    endpoint: Endpoint | None = None
    """Why it was taken to be finished."""

    @property
    def is_real_speech(self) -> bool:
        return self.speech_ms >= REAL_SPEECH_MS


class Spawn(Protocol):
    """Starts work that ends with the call."""

    def __call__(self, work: Coroutine[Any, Any, T], /) -> asyncio.Task[T]: ...


class Hearing:
    """Push windows as `voiced` or `silent`; decodes run beside, and `finish` hands over the words."""

    def __init__(
        self,
        recogniser: Recogniser,
        *,
        spawn: Spawn,
        call_ms: Callable[[], float],
        partial: Callable[[Transcript], None],
        candidate: Callable[[Transcript], None] = lambda _: None,
        started_ms: float,
        speech_ms: float,
        last_voiced_ms: float,
    ) -> None:
        """`speech_ms`: voiced time that `recogniser` holds already. `partial` is told of every
        decode while the caller speaks, and once more (kind `stable`) when that made the stable prefix
        grow; `candidate` of the words of a final decode, which stand unless the caller speaks on."""
        self._recogniser = recogniser
        self._spawn = spawn
        self._call_ms = call_ms
        self._tell_partial = partial
        self._tell_candidate = candidate
        self.started_ms = started_ms
        self.speech_ms = speech_ms
        self.last_voiced_ms = last_voiced_ms
        self.silence_ms = 0.0
        """Since the last voiced window."""
        self.text = ""
        """Latest partial transcript."""
        self.text_confidence = 0.0
        self.wordless = False
        """The last decode found no words, nor did one before it."""
        self.stable = ""
        """Its leading words that no later decode takes back."""
        self.barged_in = False
        self._since_partial_ms = speech_ms
        self._partials: list[Partial] = []
        self._partial: asyncio.Task[Any] | None = None
        """The decode in flight while the caller speaks; one at a time, or a slow recogniser would fall
        behind more with every word."""
        self._final: asyncio.Task[Transcript | None] | None = None
        self._final_started_ms = 0.0
        self._final_ready_ms = 0.0
        self._held: list[bytes] = []
        """Silence heard since the speculative final began; pushed if speech resumes."""

    @property
    def audio_ms(self) -> float:
        return self._recogniser.audio_ms

    @property
    def is_decided(self) -> bool:
        """Whether a final decode runs or has run for all that was said so far."""
        return self._final is not None

    @property
    def words_known(self) -> bool:
        """Whether that decode has come; its words then stand in `latest`."""
        return self._final is not None and self._final.done() and not self._final.cancelled()

    @property
    def latest(self) -> str:
        """The best text so far: of the final decode if it has come, else of the last partial."""
        if self._final is None or not self.words_known or self._final.exception() is not None:
            return self.text
        transcript = self._final.result()
        return transcript.text if transcript is not None else self.text

    @property
    def confidence(self) -> float:
        """The recogniser's, of the final decode; 0 while that has not come."""
        if self._final is None or not self.words_known or self._final.exception() is not None:
            return 0.0
        transcript = self._final.result()
        return transcript.confidence if transcript is not None else 0.0

    def voiced(self, window: bytes, window_ms: float, now: float) -> None:
        """One window of speech, heard at call time `now`."""
        self._resume()
        self._recogniser.push(window)
        self.speech_ms += window_ms
        self.last_voiced_ms = now
        self._since_partial_ms += window_ms
        if self._since_partial_ms >= PARTIAL_EVERY_MS and self._partial is None:
            self._since_partial_ms = 0.0
            self._partial = self._spawn(self._run_partial())

    def silent(self, window: bytes, window_ms: float) -> None:
        """One window without speech."""
        self.silence_ms += window_ms
        if self._final is None:
            self._recogniser.push(window)
        else:
            self._held.append(window)

    def decode_final(self) -> None:
        """Decode all that was said. If the caller speaks on, it counts as a partial."""
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None
        self._final_started_ms = self._call_ms()
        self._final_ready_ms = 0.0
        self._final = self._spawn(self._run_final())

    def finish(self) -> Utterance:
        """The end of turn was decided: the utterance, whose words may still be on their way."""
        if self._final is None:
            self.decode_final()
        words = self._final
        assert words is not None
        utterance = Utterance(
            started_ms=self.started_ms,
            ended_ms=self.last_voiced_ms,
            decided_ms=self._call_ms(),
            speech_ms=self.speech_ms,
            words=words,
            stt_started_ms=self._final_started_ms,
            barged_in=self.barged_in,
            partials=self._partials,
        )
        if self._final_ready_ms:
            utterance.words_ready_ms = self._final_ready_ms
        else:
            words.add_done_callback(lambda _: setattr(utterance, "words_ready_ms", self._call_ms()))
        self._spawn(self._close_after(words))
        return utterance

    def _resume(self) -> None:
        self.silence_ms = 0.0
        if self._final is not None:
            if not self._final.done():
                self._partial = self._final
                self._since_partial_ms = 0.0
            self._final = None
            for window in self._held:
                self._recogniser.push(window)
            self._held.clear()

    async def _run_partial(self) -> None:
        transcript = await self._recogniser.partial()
        if self._partial is asyncio.current_task():
            self._partial = None
        if transcript is not None:
            self._take(transcript)

    async def _run_final(self) -> Transcript | None:
        transcript = await self._recogniser.final()
        task = asyncio.current_task()
        if self._partial is task:
            # The caller spoke on while it ran.
            self._partial = None
            if transcript is not None:
                self._take(replace(transcript, kind="partial"))
            return transcript
        self._final_ready_ms = self._call_ms()
        if self._final is task and transcript is not None and transcript.text:
            self._tell_candidate(transcript)
        return transcript

    def _take(self, transcript: Transcript) -> None:
        """Words of a decode while the caller speaks."""
        if not transcript.text:
            self.wordless = not self.text
            return
        self.text, self.text_confidence, self.wordless = transcript.text, transcript.confidence, False
        self._partials.append(Partial(self._call_ms(), transcript.text, transcript.kind))
        self._tell_partial(transcript)
        if len(transcript.stable) > len(self.stable):
            self.stable = transcript.stable
            self._partials.append(Partial(self._call_ms(), transcript.stable, "stable"))
            self._tell_partial(replace(transcript, kind="stable"))

    async def _close_after(self, words: asyncio.Future[Transcript | None]) -> None:
        await asyncio.wait([words])
        await self._recogniser.aclose()
