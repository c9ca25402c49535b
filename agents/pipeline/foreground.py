"""The caller, told from people behind by loudness: a voice detector hears both."""

from __future__ import annotations

from collections import deque

LEVEL_WINDOWS = 5
"""160 ms: the caller is as loud as the loudest such stretch."""
NOW_WINDOWS = 6
"""192 ms: longer than a soft consonant between two vowels."""
BELOW_DB = 8.0
"""So far below that stretch, and for `GRACE_MS`, a voice is not the caller's: about 6 dB below the mean of
what was said, as the loudest stretch lies above it."""
GRACE_MS = 250.0
"""A sentence may end this softly and is still the caller's."""
FADE_DB_PER_S = 2.0
"""Of the loudest stretch, for one loud word must not make the rest of a sentence silence."""
ABOVE_DB = 6.0
"""By which the caller's next words must stand above the people behind."""
LEARN = 0.1
FORGET = 0.97
"""Of the people behind, for each window in which nobody is heard: half in 0.7 s."""


class Foreground:
    """Fed with the windows of one call in which somebody's voice is, and told of those without."""

    def __init__(self, window_ms: float) -> None:
        self._window_ms = window_ms
        self._fade = 10 ** (-FADE_DB_PER_S * window_ms / 1000 / 10)
        self._powers: deque[float] = deque(maxlen=NOW_WINDOWS)
        self._level = 0.0
        """Power of the loudest stretch of the utterance in progress."""
        self._soft_ms = 0.0
        self._behind = 0.0
        """Power of the voices behind; 0 when none were met."""

    def opens(self) -> None:
        """The caller begins to speak."""
        self._powers.clear()
        self._level = self._soft_ms = 0.0

    def stands_out(self, rms: float) -> bool:
        """Whether a voice while nobody was speaking may be the caller's."""
        power = rms * rms
        if power >= self._behind * 10 ** (ABOVE_DB / 10):
            return True
        self._behind += LEARN * (power - self._behind)
        return False

    def is_caller(self, rms: float) -> bool:
        """Whether a voice in the caller's utterance is still the caller's."""
        power = rms * rms
        self._powers.append(power)
        recent = list(self._powers)
        loudest = recent[-LEVEL_WINDOWS:]
        self._level = max(self._level * self._fade, sum(loudest) / LEVEL_WINDOWS)
        if sum(recent) / len(recent) >= self._level * 10 ** (-BELOW_DB / 10):
            self._soft_ms = 0.0
            return True
        self._soft_ms += self._window_ms
        if self._soft_ms <= GRACE_MS:
            return True
        self._behind = power if not self._behind else self._behind + LEARN * (power - self._behind)
        return False

    def nobody(self, rms: float) -> None:
        """A window without any voice in it."""
        self._powers.append(rms * rms)
        self._behind = self._behind * FORGET if self._behind > 1.0 else 0.0
