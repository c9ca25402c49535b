"""Silence around synthesised speech, cut off before it is sent: the caller would wait for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

AUDIBLE = 300
"""Sample value (of 32767, about -41 dBFS) from which sound counts as speech."""
LEAD_MS = 20
"""Kept before the first sound, so that no consonant is clipped."""
TAIL_MS = 150
"""Kept after the last sound: the pause between two clauses. Hibari gives 300 ms before and 410
to 480 ms after whatever it says."""


class Trimmer:
    """Passes int16 mono PCM on to `emit` without its leading and trailing silence. Silence inside
    is passed on when sound follows it."""

    def __init__(self, emit: Callable[[bytes], None], *, rate_hz: int) -> None:
        self._emit = emit
        self._lead = rate_hz * LEAD_MS // 1000
        self._tail = rate_hz * TAIL_MS // 1000
        self._begun = False
        self._held = b""
        """Silence of which it is not known yet whether sound follows."""

    def push(self, pcm: bytes) -> None:
        pcm = self._held + pcm
        loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) >= AUDIBLE)
        if not loud.size:
            self._held = pcm if self._begun else pcm[-2 * self._lead :]
            return
        start = 0 if self._begun else max(0, int(loud[0]) - self._lead)
        end = int(loud[-1]) + 1
        self._begun = True
        self._held = pcm[2 * end :]
        self._emit(pcm[2 * start : 2 * end])

    def close(self) -> None:
        """The end of the speech: what is kept of the last silence."""
        if self._begun and (rest := self._held[: 2 * self._tail]):
            self._emit(rest)
        self._held = b""
