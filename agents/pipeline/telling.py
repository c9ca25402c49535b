"""What a call tells of itself: events to listeners, payloads to the trace, decisions to the turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agents.pipeline.turn import Turn
from voiceops.core.events import CallEvent
from voiceops.core.ports import Listener, TraceSink

_log = logging.getLogger(__name__)


class Telling:
    """One per call. None of its methods blocks or raises."""

    def __init__(
        self,
        *,
        session_id: str,
        listeners: Sequence[Listener],
        trace: TraceSink,
        call_ms: Callable[[], float],
    ) -> None:
        self._session_id = session_id
        self._listeners = tuple(listeners)
        self._trace = trace
        self._call_ms = call_ms
        self.turn: Turn | None = None
        """The open turn; the call sets and clears it."""
        self.degraded = False
        self._before_turn: list[tuple[str, str]] = []
        """Degrade decisions taken while no turn was open; the next turn's record shows them."""

    def emit(self, kind: str, turn: int | None = None, /, **data: Any) -> None:
        event = CallEvent(kind, self._call_ms(), turn, data)
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                _log.exception("listener_failed", extra={"call": self._session_id, "kind": kind})

    def put_trace(self, kind: str, payload: Mapping[str, Any]) -> None:
        self._trace.put(kind, payload)

    @property
    def dropped_traces(self) -> int:
        return int(getattr(self._trace, "dropped", 0))

    @property
    def turn_index(self) -> int | None:
        return self.turn.index if self.turn is not None else None

    def opens(self, turn: Turn) -> None:
        """A turn begins: it takes the decisions that waited for one."""
        self.turn = turn
        self.emit("turn.started", turn.index, purpose=turn.kind)
        before, self._before_turn = self._before_turn, []
        for code, reason in before:
            turn.decide("degrade", code, reason)

    def degrade(self, code: str, reason: str) -> None:
        """A decision of the open turn, or of the next one when none is open."""
        self.degraded = True
        if self.turn is not None:
            self.turn.decide("degrade", code, reason)
        else:
            self._before_turn.append((code, reason))

    def error(self, stage: str, code: str, message: str, turn: int | None = None) -> None:
        self.emit("error", self.turn_index if turn is None else turn, stage=stage, code=code, message=message)

    def voice_failed(self, turn: int, provider: str, following: str, code: str, message: str) -> None:
        """A voice of `turn` failed; `following` is the next one, or empty."""
        what = f"{following} takes over" if following else "no other voice is left"
        self.error("tts", code, message, turn)
        self.degrade("tts_failover" if following else "tts_down", f"{provider}: {message or code}; {what}")
