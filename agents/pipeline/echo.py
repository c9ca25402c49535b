"""The agent's own voice in the caller's microphone: how loud it can be at most.

What was sent is known. For every delay an echo may have, the guard keeps how strong it can be:
whenever loud sound of the agent's came back quieter than that, it is less. Somebody talking only
raises what comes in, which lowers nothing: an echo is learnt from the greeting on, and no
caller spoils it. Sound no louder than the loudest echo that is still possible is nobody's speech.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float64]

HOP_MS = 16.0
"""Half a VAD window."""
DELAYS = 41
"""0 to 640 ms: a mobile network both ways, its jitter buffers, and a room."""
TAIL_MS = (DELAYS - 1) * HOP_MS
WORST_GAIN = 0.5
"""Echo over what was sent on a line nothing is known of: 6 dB below."""
MARGIN = 1.8
"""A talker stands 5 dB above the loudest echo that is possible."""
LOUD_RMS = 300.0
"""int16 RMS of the agent's sound from which an echo can be judged."""
FLOOR_RMS = 60.0
"""Of what comes in: below this it is line noise."""
FALL = 0.35
"""To this of a gain one window may lower it, and only a second window as quiet: lost packets are silence
that says nothing of the line."""
GROW = 1.008
"""Forgotten at about 2 dB for each second the agent is heard, for lines change."""


SURE_MARGIN = 0.7
SURE_MS = 250.0
"""Right after a window that no echo explains somebody is talking: less is asked of the next ones."""
KEPT = 64
"""Frames: the last second and what was sent ahead."""


_BEFORE_MS: Levels = HOP_MS / 2 - HOP_MS * np.arange(DELAYS + 3, dtype=np.float64)
"""Middles of the hops looked at, from the end of a window."""


class EchoGuard:
    """One per call. Times are call times in milliseconds."""

    def __init__(self) -> None:
        self._starts: Levels = np.full(KEPT, -1e9)
        self._ends: Levels = np.full(KEPT, -1e9)
        self._rms: Levels = np.zeros(KEPT)
        """Of the frames that were played, the latest last."""
        self._gains: Levels = np.full(DELAYS, WORST_GAIN)
        """By delay in hops: what its echo may be of what was sent, at most."""
        self._level = 0.0
        self._possible = 0.0
        """RMS of the last window, and of the loudest echo that may be in it."""
        self._talker_until_ms = -1e9

    def sent(self, pcm: bytes, duration_ms: float, at_ms: float) -> None:
        """A frame of the agent's that plays from call time `at_ms`; int16 mono."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        for kept, new in (
            (self._starts, at_ms),
            (self._ends, at_ms + duration_ms),
            (self._rms, math.sqrt(float(samples @ samples) / max(1, len(samples)))),
        ):
            kept[:-1] = kept[1:]
            kept[-1] = new

    def cut(self, at_ms: float) -> None:
        """What would have played after this was taken back."""
        self._rms[self._starts >= at_ms] = 0.0
        self._ends = np.minimum(self._ends, at_ms)
        self._starts = np.minimum(self._starts, at_ms)

    def heard(self, samples: NDArray[np.float32], until_ms: float, duration_ms: float) -> None:
        """One window that came in, whose last sample was heard at call time `until_ms`."""
        before, self._level = self._level, math.sqrt(float(samples @ samples) / max(1, len(samples)))
        self._possible = 0.0
        if not self.active(until_ms):
            return
        # Row n: loudness of what played while this window did, n - 1 hops earlier.
        power = self._playing(until_ms + _BEFORE_MS) ** 2
        rows = np.sqrt((power[:-1] + power[1:]) / 2)
        # A path falls between two hops, and frames do not arrive to the millisecond.
        loudest = np.maximum(np.maximum(rows[:-2], rows[1:-1]), rows[2:])
        quietest = np.minimum(np.minimum(rows[:-2], rows[1:-1]), rows[2:])
        told = quietest >= LOUD_RMS
        most = max(before, self._level, FLOOR_RMS) / np.maximum(quietest, LOUD_RMS)
        gains = np.minimum(self._gains * GROW, np.maximum(most, FALL * self._gains))
        self._gains = np.where(told, np.minimum(gains, WORST_GAIN), self._gains)
        self._possible = float((self._gains * loudest).max())
        if self._level >= MARGIN * self._possible and self._level >= MARGIN * FLOOR_RMS:
            self._talker_until_ms = until_ms + SURE_MS

    def active(self, now_ms: float) -> bool:
        """Whether an echo may still be on its way."""
        return bool(self._ends[-1] > now_ms - TAIL_MS)

    def explains(self, now_ms: float) -> bool:
        """Whether the last window is nothing but the agent's own voice, as far as can be told."""
        margin = SURE_MARGIN if now_ms <= self._talker_until_ms else MARGIN
        return self.active(now_ms) and self._level < margin * self._possible

    def _playing(self, at_ms: Levels) -> Levels:
        """Loudness of what was played at these times, on straight lines between frames."""
        found = np.interp(at_ms, (self._starts + self._ends) / 2, self._rms, left=0.0, right=0.0)
        # Between two sentences nothing played: the line between their frames would say it did.
        nearest = np.maximum(np.searchsorted(self._starts, at_ms, side="right") - 1, 0)
        found[at_ms > self._ends[nearest] + HOP_MS] = 0.0
        return np.asarray(found, dtype=np.float64)
