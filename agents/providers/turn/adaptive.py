"""How long to wait, from what was said, what was asked, and how this caller pauses."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from agents.providers.settings import Settings
from agents.providers.turn.completeness import is_backchannel, read
from voiceops.core.ports import Capabilities, Judgement, Pause

SPECULATE_MS = 90.0
"""Three VAD windows: a shorter gap is a stop consonant more often than a pause."""
WAITS_MS = (
    (0.0, 1500.0),
    (0.15, 1250.0),
    (0.3, 1000.0),
    (0.5, 600.0),
    (0.7, 400.0),
    (0.85, 320.0),
    (1.0, 250.0),
)
"""(completeness, wait): straight lines between."""
WORDS_LATE_MS = 900.0
"""Silence without a transcript after which the end is decided all the same, from the last partial."""
OVERLAP_LATE_MS = 450.0
"""The same over the agent, who is silent meanwhile: its sentence is to go on within two seconds."""
SURE = 0.85
"""Confidence of the recogniser from which its words are taken as they stand; half of the ends in the
turn-taking dialogues are above 0.87, half of the pauses below 0.70."""
UNSURE_MS = 600.0
"""Wait more for each 1.0 that is missing to that: 210 ms at 0.5. With it 18 instead of 23 of the 66
pauses, and of those held out 6 instead of 11 of 27, are cut; the median wait is the same."""
BACKCHANNEL_MS = 200.0
GAPS = 24
"""The caller's last pauses that are remembered."""
GAPS_NEEDED = 3
QUANTILE = 0.8
MOST_PATIENCE_MS = 900.0


@dataclass(slots=True)
class AdaptiveJudge:
    """`TurnJudge`; remembers the pauses this caller made inside sentences."""

    speculate_ms: float = SPECULATE_MS
    gaps: deque[float] = field(default_factory=lambda: deque(maxlen=GAPS))
    _dictating: bool = False

    def judge(self, pause: Pause) -> Judgement:
        nothing = not pause.text.strip() or is_backchannel(pause.text)
        if pause.overlapping and pause.words_known and nothing:
            return Judgement(BACKCHANNEL_MS, 1.0, "backchannel")
        completeness, reason = read(pause.text, pause.expecting)
        wait = _between(completeness)
        self._dictating = reason == "dictation"
        if not self._dictating:
            wait = self._with_own_pace(wait, completeness)
            if pause.words_known and pause.confidence and not pause.overlapping:
                wait += UNSURE_MS * max(0.0, SURE - pause.confidence)
        if not pause.words_known:
            wait = OVERLAP_LATE_MS if pause.overlapping else max(wait, WORDS_LATE_MS)
        return Judgement(wait, completeness, reason)

    def went_on(self, gap_ms: float) -> None:
        # Between groups of digits everybody pauses; that says nothing of sentences.
        if not self._dictating:
            self.gaps.append(gap_ms)

    def _with_own_pace(self, wait: float, completeness: float) -> float:
        """Somebody who pauses long inside sentences is given longer; least after a whole one."""
        if len(self.gaps) < GAPS_NEEDED:
            return wait
        ordered = sorted(self.gaps)
        usual = ordered[min(len(ordered) - 1, int(QUANTILE * len(ordered)))]
        share = 0.6 if completeness >= 0.85 else 1.15
        return max(wait, min(share * usual, MOST_PATIENCE_MS))


def _between(completeness: float) -> float:
    """The wait on the lines of `WAITS_MS`."""
    (low, wait), *rest = WAITS_MS
    for high, next_wait in rest:
        if completeness <= high:
            share = (completeness - low) / (high - low)
            return wait + share * (next_wait - wait)
        low, wait = high, next_wait
    return wait


@dataclass(frozen=True, slots=True)
class AdaptiveModel:
    """`TurnModel`."""

    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            "adaptive", "words, what was asked, and the caller's own pauses", frozenset({"en", "hi"})
        )
    )

    def open(self) -> AdaptiveJudge:
        return AdaptiveJudge()

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


def create(settings: Settings) -> AdaptiveModel:
    return AdaptiveModel()
