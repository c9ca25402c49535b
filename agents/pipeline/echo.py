"""The agent's own voice in the caller's microphone: told from a talker by its loudness over time.

What was sent is known. If the sound that comes in follows its loudness with some delay, the line
has an echo of that delay and strength; sound no louder than that echo is nobody's speech. An echo
is learned where the two agree, and kept: over a talker they no longer agree.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float64]

HOP_MS = 16.0
"""Half a VAD window."""
DELAYS_MS = np.arange(0.0, 528.0, HOP_MS)
"""Delays looked at: a mobile network both ways, its jitter buffers, and a room."""
MEMORY_MS = 1100.0
"""Of inbound loudness that is compared."""
ENOUGH_MS = 190.0
"""Of agent speech, before which nothing can be compared."""
ALIKE = 0.7
"""Correlation of the two loudness curves that makes an echo."""
MARGIN = 1.8
"""A talker stands 5 dB above the echo that is expected."""
STEADY_PERCENT = 25.0
STEADY_MARGIN = 1.5
"""The echo is at most this much stronger than in the quarter of the time when it was weakest."""
TAIL_MS = DELAYS_MS[-1]
_AROUND_MS = np.array([-HOP_MS, 0.0, HOP_MS])
LOUD_RMS = 60.0
"""int16 RMS from which a frame of the agent's counts as sound."""


class EchoGuard:
    """One per call. Times are call times in milliseconds."""

    def __init__(self) -> None:
        self._sent: deque[tuple[float, float, float]] = deque(maxlen=160)
        """(start, length, RMS) of what was played."""
        self._heard: deque[tuple[float, float]] = deque(maxlen=int(MEMORY_MS / HOP_MS))
        """(middle, RMS) of what came in."""
        self._delay_ms: float | None = None
        self._gain = 0.0
        """Echo over what was sent, once an echo was found."""

    def sent(self, pcm: bytes, duration_ms: float, at_ms: float) -> None:
        """A frame of the agent's that plays from call time `at_ms`; int16 mono."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        self._sent.append((at_ms, duration_ms, float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0))

    def cut(self, at_ms: float) -> None:
        """What would have played after this was taken back."""
        while self._sent and self._sent[-1][0] >= at_ms:
            self._sent.pop()

    def heard(self, samples: NDArray[np.float32], until_ms: float, duration_ms: float) -> None:
        """One window that came in, whose last sample was heard at call time `until_ms`."""
        hops = max(1, round(duration_ms / HOP_MS))
        for position, piece in enumerate(np.array_split(samples, hops)):
            middle = until_ms - duration_ms + (position + 0.5) * duration_ms / hops
            self._heard.append((middle, float(np.sqrt(np.mean(piece * piece)))))

    def active(self, now_ms: float) -> bool:
        """Whether an echo may still be on its way."""
        return bool(self._sent) and self._sent[-1][0] + self._sent[-1][1] > now_ms - TAIL_MS

    def explains(self, now_ms: float) -> bool:
        """Whether the last window is nothing but the agent's own voice, as far as can be told."""
        if not self.active(now_ms) or not self._heard:
            return False
        times, levels = np.array(self._heard).T
        spoken = sum(length for at, length, rms in self._sent if rms >= LOUD_RMS and at <= now_ms)
        if spoken < ENOUGH_MS and self._delay_ms is None:
            return True  # nothing can be said yet; a talker will still talk in a moment
        self._learn(times, levels)
        if self._delay_ms is None:
            return False
        last = times[-2:]
        around = self._playing((last[:, None] - self._delay_ms + _AROUND_MS).ravel())
        expected = self._gain * float(around.max(initial=0.0))
        return float(np.sqrt(np.mean(levels[-2:] ** 2))) <= MARGIN * expected

    def _learn(self, times: Levels, levels: Levels) -> None:
        """Find the delay at which inbound loudness follows what was played."""
        since = self._sent[0][0]
        keep = times >= since
        if keep.sum() * HOP_MS < ENOUGH_MS:
            return
        times, levels = times[keep], levels[keep]
        # On one grid of hops: row n is what was played n hops before what came in.
        count, lags = len(times), len(DELAYS_MS)
        grid = self._playing(times[-1] - HOP_MS * np.arange(count + lags - 1)[::-1])
        played = np.lib.stride_tricks.sliding_window_view(grid, count)[::-1]
        heard = levels - levels.mean()
        apart = played - played.mean(axis=1, keepdims=True)
        power = np.sqrt((apart**2).sum(axis=1) * (heard**2).sum())
        alike = np.divide((apart * heard).sum(axis=1), power, out=np.zeros(len(power)), where=power > 1.0)
        best = int(alike.argmax())
        if alike[best] < ALIKE:
            return
        gain = float((played[best] * levels).sum() / max(1.0, (played[best] ** 2).sum()))
        loud = played[best] >= LOUD_RMS
        if loud.any():
            # An echo is as strong all the time; a talker who began soon after the agent is not.
            steady = float(np.percentile(levels[loud] / played[best][loud], STEADY_PERCENT))
            gain = min(gain, STEADY_MARGIN * steady)
        delay = float(DELAYS_MS[best])
        if self._delay_ms is None or abs(delay - self._delay_ms) > 2 * HOP_MS:
            self._delay_ms, self._gain = delay, gain
        else:
            self._delay_ms, self._gain = delay, 0.7 * self._gain + 0.3 * gain

    def _playing(self, at_ms: Levels) -> Levels:
        """Loudness of what was played at these times, on straight lines between frames."""
        starts, lengths, rms = np.array(self._sent).T
        found = np.interp(at_ms, starts + lengths / 2, rms, left=0.0, right=0.0)
        # Between two sentences nothing played: the line between their frames would say it did.
        nearest = np.clip(np.searchsorted(starts, at_ms, side="right") - 1, 0, len(starts) - 1)
        silent = at_ms > starts[nearest] + lengths[nearest] + HOP_MS
        found[silent] = 0.0
        return np.asarray(found, dtype=np.float64)
