"""The browser softphone: binary messages are int16 mono PCM at 16 kHz, text messages JSON.

In: start, text, mark, dtmf, hangup. Out: ready, mark, clear, event, error, ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from voiceops.core.audio import PIPELINE_RATE_HZ, SAMPLE_WIDTH_BYTES
from voiceops.core.errors import TransportError
from voiceops.core.events import (
    CallEvent,
    WireAudio,
    WireDtmf,
    WireEvent,
    WireMark,
    WireStarted,
    WireStopped,
    WireText,
)

MAX_MESSAGE_CHARS = 16 * 1024
MAX_AUDIO_BYTES = PIPELINE_RATE_HZ * SAMPLE_WIDTH_BYTES
"""One second. The page sends 20 to 64 ms."""
MAX_TEXT_CHARS = 1000
MAX_NAME_CHARS = 256
DIGITS = frozenset("0123456789*#ABCD")


def _refusal(code: str, message: str, *, permanent: bool = False) -> TransportError:
    return TransportError(message, code=code, permanent=permanent)


def _word(body: dict[str, Any], name: str, *, limit: int = MAX_NAME_CHARS) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= len(value) <= limit:
        raise _refusal("malformed_message", f"{name!r} must be a text of 1 to {limit} characters")
    return value.strip()


class BrowserCodec:
    """One socket's codec. PCM is int16 mono at 16 kHz on both sides of it."""

    sample_rate_hz = PIPELINE_RATE_HZ

    def __init__(self) -> None:
        self.ignored: Counter[str] = Counter()
        self._started = False
        self._stopped = False
        self._heard_samples = 0

    def decode(self, message: str | bytes) -> Sequence[WireEvent]:
        if isinstance(message, bytes):
            return self._audio(message)
        if len(message) > MAX_MESSAGE_CHARS:
            raise _refusal(
                "frame_too_large", f"{len(message)} characters; the limit is {MAX_MESSAGE_CHARS}",
                permanent=True,
            )  # fmt: skip
        try:
            body = orjson.loads(message)
        except orjson.JSONDecodeError:
            raise _refusal("malformed_json", "the message is not JSON") from None
        if not isinstance(body, dict) or not isinstance(kind := body.get("type"), str):
            raise _refusal("malformed_message", "the message is not an object with a 'type'")
        if kind == "start":
            return self._start(body)
        if kind not in {"text", "mark", "dtmf", "hangup"}:
            self.ignored[kind[:32] if len(self.ignored) < 16 else "other"] += 1
            return ()
        self._in_order(kind)
        match kind:
            case "text":
                return (WireText(_word(body, "text", limit=MAX_TEXT_CHARS)),)
            case "mark":
                return (WireMark(_word(body, "name")),)
            case "dtmf":
                if (digit := _word(body, "digit")) not in DIGITS:
                    raise _refusal("malformed_message", "'digit' must be one of 0-9, *, #, A-D")
                return (WireDtmf(digit),)
        self._stopped = True
        return (WireStopped("hangup"),)

    def encode(self, pcm: bytes) -> bytes:
        return pcm

    def mark(self, name: str) -> str:
        return self.message("mark", name=name)

    def clear(self) -> str:
        return self.message("clear")

    @staticmethod
    def message(kind: str, /, **fields: object) -> str:
        """`{"type": kind, …}`; what JSON cannot hold is written as text."""
        return orjson.dumps(
            {"type": kind, **fields}, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
        ).decode()

    def event(self, event: CallEvent) -> str:
        return self.message(
            "event", kind=event.kind, at_ms=round(event.at_ms), turn=event.turn, data=dict(event.data)
        )

    def _start(self, body: dict[str, Any]) -> Sequence[WireEvent]:
        if self._started:
            raise _refusal("start_twice", "a second 'start' on one socket", permanent=True)
        rate = body.get("sample_rate_hz", PIPELINE_RATE_HZ)
        if rate != PIPELINE_RATE_HZ or isinstance(rate, bool):
            raise _refusal(
                "wrong_media_format", f"audio at {str(rate)[:16]} Hz; only {PIPELINE_RATE_HZ} Hz is heard",
                permanent=True,
            )  # fmt: skip
        agent = body.get("agent") or ""
        if not isinstance(agent, str) or len(agent) > MAX_NAME_CHARS:
            raise _refusal("malformed_message", "'agent' must be an agent's slug", permanent=True)
        self._started = True
        return (WireStarted("browser", None, PIPELINE_RATE_HZ, {"agent": agent}),)

    def _audio(self, pcm: bytes) -> Sequence[WireEvent]:
        if len(pcm) > MAX_AUDIO_BYTES:
            raise _refusal(
                "frame_too_large",
                f"{len(pcm)} bytes of audio; the limit is {MAX_AUDIO_BYTES}",
                permanent=True,
            )
        self._in_order("audio")
        if not pcm or len(pcm) % SAMPLE_WIDTH_BYTES:
            raise _refusal("bad_audio", "audio must be whole int16 samples")
        at_ms = self._heard_samples * 1000 // PIPELINE_RATE_HZ
        self._heard_samples += len(pcm) // SAMPLE_WIDTH_BYTES
        return (WireAudio(pcm, at_ms),)

    def _in_order(self, kind: str) -> None:
        if not self._started:
            raise _refusal("out_of_order", f"{kind!r} before 'start'", permanent=True)
        if self._stopped:
            raise _refusal("out_of_order", f"{kind!r} after 'hangup'")
