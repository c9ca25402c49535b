"""Whether a frame carries any sound at all: a coarse check, far below a VAD's."""

from __future__ import annotations

import numpy as np

FLOOR = 250
"""Peak of int16 PCM; about -42 dBFS. Line noise of a mu-law trunk stays below 64."""


def is_sound(pcm: bytes) -> bool:
    samples = np.frombuffer(pcm, "<i2", count=len(pcm) // 2)
    return bool(samples.size) and int(samples.max()) - int(samples.min()) > 2 * FLOOR
