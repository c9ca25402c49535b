"""When a frame was really heard, in call time."""

from __future__ import annotations

from dataclasses import dataclass

STALL_MS = 500.0
"""A gap in inbound audio after which the transport's clock is taken anew."""


@dataclass(slots=True)
class MediaClock:
    """Dates frames by their media time on the steadiest offset seen, so that frames which waited
    in the inbound stream are not dated late."""

    _offset_ms: float | None = None
    _counted_ms: float = 0.0

    def heard_at_ms(self, duration_ms: float, at_ms: int | None, now_ms: float) -> float:
        """Call time of a frame's end. `at_ms` is the transport's own media time of its start;
        without it frames are counted."""
        self._counted_ms += duration_ms
        media_ms = self._counted_ms if at_ms is None else at_ms + duration_ms
        offset = now_ms - media_ms
        if self._offset_ms is None or offset < self._offset_ms or offset - self._offset_ms > STALL_MS:
            self._offset_ms = offset
        return media_ms + self._offset_ms
