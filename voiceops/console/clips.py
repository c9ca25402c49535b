"""A stretch of a recording as a WAV of its own."""

from __future__ import annotations

import io
import wave
from pathlib import Path

MAX_CLIP_MS = 60_000


class NoSuchStretch(Exception):
    """The recording does not reach this far, or is no recording; the message says which."""


def cut(path: Path, start_ms: float, end_ms: float) -> bytes:
    """The WAV from `start_ms` to `end_ms`, at most a minute, both channels. Raises NoSuchStretch."""
    try:
        with wave.open(str(path), "rb") as whole:
            rate_hz = whole.getframerate()
            first = int(max(0.0, start_ms) * rate_hz / 1000)
            last = min(whole.getnframes(), int(min(end_ms, start_ms + MAX_CLIP_MS) * rate_hz / 1000))
            if first >= last:
                raise NoSuchStretch("The recording ends before these words.")
            whole.setpos(first)
            frames = whole.readframes(last - first)
            kind = whole.getparams()
    except (wave.Error, EOFError) as error:
        raise NoSuchStretch(f"The recording cannot be read: {error}") from error
    made = io.BytesIO()
    with wave.open(made, "wb") as clip:
        clip.setparams(kind._replace(nframes=0))
        clip.writeframes(frames)
    return made.getvalue()
