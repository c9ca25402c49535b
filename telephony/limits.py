"""What one call socket may take, and how a refusal is said on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

NORMAL = 1000
GOING_AWAY = 1001
NO_CODE = 1006
FRAME_TOO_LARGE = 1009
"""The websocket server's own close of a frame above its limit."""
INTERNAL = 4011
RESTART = 4012
TRY_LATER = 4013
SLOW = 4008
TOO_LARGE = 4009
"""Our own codes are 1000 and 4000 to 4999: some servers let an application send no others. Those
that have a standard meaning end in the digits of their standard code."""
REFUSED = 4400
"""The close code of a refusal that has no code of its own."""

CLOSE_CODES: Mapping[str, int] = {
    "malformed_json": 4007,
    "wrong_media_format": 4003,
    "frame_too_large": TOO_LARGE,
    "slow_client": SLOW,
    "at_capacity": TRY_LATER,
    "token_store_unavailable": TRY_LATER,
    "going_away": RESTART,
    "login_required": 4401,
    "token_missing": 4403,
    "token_unknown": 4403,
    "token_used": 4403,
    "token_expired": 4403,
    "token_other_call": 4403,
    "agent_unknown": 4404,
    "no_start": 4408,
    "idle": 4408,
    "silent": 4408,
    "too_long": 4408,
    "too_many_refusals": 4429,
}
"""Websocket close code by refusal code."""

_MEANINGS: Mapping[int, str] = {
    NO_CODE: "cut without a goodbye",
    4003: "the audio format is not heard",
    4007: "a malformed message",
    SLOW: "too slow a reader",
    TOO_LARGE: "a frame too large",
    INTERNAL: "an internal error; the media process's log says which",
    RESTART: "the media process is stopping",
    TRY_LATER: "the platform is full or its media process is not reachable",
    REFUSED: "messages out of order",
    4401: "log in first",
    4403: "the stream token was refused: used, expired, or of another call",
    4404: "nobody answers there",
    4408: "a time limit",
    4429: "too many refused messages",
}


def meaning(code: int | None) -> str:
    """A close code in words, for a close that came without a reason."""
    return _MEANINGS.get(code or NO_CODE, "")


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Seconds and counts after which the edge ends a socket by itself."""

    start_s: float = 10.0
    """From connection to an accepted start."""
    idle_s: float = 30.0
    """Without any message. Carriers send a frame every 20 ms, also in silence."""
    silence_s: float = 300.0
    """Without a sound, a typed line or a digit from the caller."""
    call_s: float = 3600.0
    send_s: float = 5.0
    """For one message to leave; a slower reader is cut off."""
    grace_s: float = 4.0
    """For a call to end by itself after the other side left."""
    refusals: int = 50
    """Refused messages on one socket."""
    calls: int = 200
    """Live calls on the whole platform; 0 for no limit."""

    @classmethod
    def of(cls, settings: Mapping[str, Any], *, idle_s: float | None = None) -> Self:
        """From `settings.VOICEOPS`."""
        return cls(
            idle_s=settings["MEDIA_IDLE_S"] if idle_s is None else idle_s,
            silence_s=settings["MEDIA_SILENCE_S"],
            call_s=settings["MAX_CALL_S"],
            calls=settings["MAX_CALLS"],
        )
