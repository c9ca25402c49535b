"""When the caller has finished: the turn model of this call, asked at every window of silence."""

from __future__ import annotations

from collections.abc import Callable

from agents.providers.turn import REGISTRY
from voiceops.core.errors import ConfigurationError
from voiceops.core.events import Endpoint
from voiceops.core.ports import Expecting, Judgement, Pause, TurnJudge

__all__ = ["FALLBACK", "Endpointing", "Expecting", "Judgement", "Pause"]

FALLBACK = "silence"
"""What ends turns when an agent names a turn model that does not exist."""
LEARN_FROM_MS = 120.0
"""Gaps below this are sounds of speech, not pauses."""


class Endpointing:
    """One per call."""

    def __init__(
        self, judge: TurnJudge, *, name: str, expecting: Callable[[], Expecting] = lambda: ""
    ) -> None:
        """`expecting` says what the agent has just asked for; `name` is the model's in records."""
        self._judge = judge
        self._expecting = expecting
        self.name = name

    @classmethod
    def of(cls, name: str, *, expecting: Callable[[], Expecting] = lambda: "") -> Endpointing:
        """Raises: ConfigurationError naming the known turn models."""
        return cls(REGISTRY.load(name)({}).open(), name=name, expecting=expecting)

    @classmethod
    def chosen(
        cls,
        name: str,
        *,
        expecting: Callable[[], Expecting] = lambda: "",
        unknown: Callable[[str], None],
    ) -> Endpointing:
        """The model `name`, else plain silence; `unknown` hears why."""
        try:
            return cls.of(name, expecting=expecting)
        except ConfigurationError as error:
            unknown(f"{error}; {FALLBACK} is used")
            return cls.of(FALLBACK, expecting=expecting)

    @property
    def speculate_ms(self) -> float:
        return self._judge.speculate_ms

    def decide(
        self,
        *,
        silence_ms: float,
        speech_ms: float,
        text: str,
        words_known: bool,
        language: str,
        overlapping: bool = False,
        confidence: float = 0.0,
    ) -> Endpoint | None:
        """The end of the turn, or None while the caller may go on."""
        pause = Pause(
            silence_ms, speech_ms, text, language, words_known, self._expecting(), overlapping, confidence
        )
        judged = self._judge.judge(pause)
        if silence_ms < judged.wait_ms:
            return None
        return self.forced(judged.reason, silence_ms, judged)

    def forced(self, reason: str, silence_ms: float, judged: Judgement | None = None) -> Endpoint:
        """An end that something else decided: too_long, cut_off."""
        wait, completeness = (judged.wait_ms, judged.completeness) if judged else (0.0, 0.0)
        return Endpoint(silence_ms, wait, completeness, reason, self.name)

    def went_on(self, gap_ms: float) -> None:
        """The caller spoke on after a silence, inside an utterance or after an end too soon."""
        if gap_ms >= LEARN_FROM_MS:
            self._judge.went_on(gap_ms)
