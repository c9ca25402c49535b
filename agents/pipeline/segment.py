"""One clause on its way to the caller, and how much of it was heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FRAME_MS = 20.0
CHARACTER_MS = 65.0
"""Speaking time of one character, until the real length is known: Hibari takes 50 to 67."""
WORD_SLACK_MS = 160.0
"""How far the real start of a word may lie from where its letters put it."""

Purpose = Literal["answer", "filler", "greeting", "fallback"]


@dataclass(eq=False, slots=True)
class Segment:
    """One clause on its way to the caller. Times are on the call's clock, in milliseconds."""

    name: str
    turn: int
    text: str
    """As written: what captions show."""
    purpose: Purpose
    queued_ms: float = 0.0
    sent_ms: float = 0.0
    complete: bool = False
    """No more audio will come."""
    first_sent_at_ms: float | None = None
    first_audible_at_ms: float | None = None
    """When its first frame with sound in it was sent."""
    plays_at_ms: float | None = None
    """When its first frame reaches the caller's ear, as far as pacing can tell."""
    confirmed: bool = False
    """The transport's mark came back: all of it was heard."""
    cut_heard_ms: float | None = None
    """Set while it is held and when it was cut off: how much of it was heard."""
    resumed_from_ms: float = 0.0
    """Where in its audio it went on after an interruption that was none."""

    @property
    def length_ms(self) -> float:
        """Real length when all audio is known, else an estimate from the text."""
        if self.complete:
            return self.queued_ms
        return max(self.queued_ms, len(self.text) * CHARACTER_MS)

    def heard_ms(self, now_ms: float, lag_ms: float = 0.0) -> float:
        if self.cut_heard_ms is not None:
            return self.cut_heard_ms
        if self.confirmed:
            return self.sent_ms
        if self.plays_at_ms is None:
            return self.resumed_from_ms
        return min(self.sent_ms, max(self.resumed_from_ms, now_ms - lag_ms - self.plays_at_ms))

    def heard_text(self, now_ms: float, lag_ms: float = 0.0) -> str:
        """The words that were played, by their share of the duration."""
        heard = self.heard_ms(now_ms, lag_ms)
        if heard <= 0:
            return ""
        length = self.length_ms
        if self.complete and heard >= length - FRAME_MS:
            return self.text
        # A word counts once most of it was played.
        said = []
        for word, _, until in self._words():
            if until > heard + 0.3 * len(word) / (len(self.text) + 1) * length:
                break
            said.append(word)
        return " ".join(said)

    def text_from(self, position_ms: float) -> str:
        """The words from this point of its audio on."""
        return " ".join(word for word, start, _ in self._words() if start >= position_ms - WORD_SLACK_MS)

    def word_start_ms(self, position_ms: float) -> float:
        """Where the word begins that is being said at this point of its audio."""
        starts = [start for _, start, _ in self._words() if start <= position_ms]
        return starts[-1] if starts else 0.0

    def _words(self) -> list[tuple[str, float, float]]:
        """(word, start, end): lengths in letters stand for durations."""
        words = self.text.split()
        total = sum(len(word) + 1 for word in words)
        found, position = [], 0.0
        for word in words:
            start, position = position, position + len(word) + 1
            found.append((word, start / total * self.length_ms, position / total * self.length_ms))
        return found
