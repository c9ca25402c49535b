"""Twilio Media Streams, bidirectional: JSON text messages, mu-law 8 kHz in base64.

In: connected, start, media, mark, dtmf, stop. Out: media, mark, clear.
"""

from __future__ import annotations

import binascii
from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from telephony.transports import mulaw
from voiceops.core.errors import TransportError
from voiceops.core.events import WireAudio, WireDtmf, WireEvent, WireMark, WireStarted, WireStopped

RATE_HZ = 8000
MAX_MESSAGE_CHARS = 32 * 1024
MAX_PAYLOAD_BYTES = RATE_HZ
"""One second of mu-law. Twilio sends 20 ms."""
MAX_NAME_CHARS = 256
MAX_PARAMETERS = 32
DIGITS = frozenset("0123456789*#ABCD")


def _refusal(code: str, message: str, *, permanent: bool = False) -> TransportError:
    return TransportError(message, code=code, permanent=permanent)


def _part(message: dict[str, Any], name: str) -> dict[str, Any]:
    part = message.get(name)
    if not isinstance(part, dict):
        raise _refusal("malformed_message", f"the {name} event has no {name!r} object")
    return part


def _word(part: dict[str, Any], name: str, *, required: bool = True) -> str:
    value = part.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS or (required and not value):
        raise _refusal("malformed_message", f"{name!r} must be a text of 1 to {MAX_NAME_CHARS} characters")
    return value


def _number(part: dict[str, Any], name: str) -> int | None:
    """Twilio writes numbers as text; some senders write them as numbers."""
    value = part.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _refusal("malformed_message", f"{name!r} must be a whole number")
    try:
        number = int(value)
    except ValueError:
        raise _refusal("malformed_message", f"{name!r} must be a whole number") from None
    if not 0 <= number < 2**53:
        raise _refusal("malformed_message", f"{name!r} is out of range")
    return number


class TwilioCodec:
    """One socket's codec. PCM on this side of it is int16 mono at 8 kHz."""

    sample_rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.stream_sid = ""
        self.ignored: Counter[str] = Counter()
        """Messages that were understood and need nothing: unknown events, the outbound track."""
        self._connected = False
        self._stopped = False
        self._sequence = -1

    def decode(self, message: str | bytes) -> Sequence[WireEvent]:
        if len(message) > MAX_MESSAGE_CHARS:
            raise _refusal(
                "frame_too_large", f"{len(message)} characters; the limit is {MAX_MESSAGE_CHARS}",
                permanent=True,
            )  # fmt: skip
        if isinstance(message, bytes):
            raise _refusal("binary_message", "Twilio sends text messages only")
        try:
            body = orjson.loads(message)
        except orjson.JSONDecodeError:
            raise _refusal("malformed_json", "the message is not JSON") from None
        if not isinstance(body, dict) or not isinstance(event := body.get("event"), str):
            raise _refusal("malformed_message", "the message is not an object with an 'event'")
        match event:
            case "media":
                return self._media(body)
            case "mark":
                self._in_order(body)
                return (WireMark(_word(_part(body, "mark"), "name")),)
            case "dtmf":
                return self._dtmf(body)
            case "connected":
                return self._connect()
            case "start":
                return self._start(body)
            case "stop":
                self._in_order(body)
                self._stopped = True
                return (WireStopped("hangup"),)
        self.ignored[event[:32] if len(self.ignored) < 16 else "other"] += 1
        return ()

    def encode(self, pcm: bytes) -> str:
        payload = binascii.b2a_base64(mulaw.encode(pcm), newline=False).decode("ascii")
        return self._out({"event": "media", "streamSid": self._sid(), "media": {"payload": payload}})

    def mark(self, name: str) -> str:
        return self._out({"event": "mark", "streamSid": self._sid(), "mark": {"name": name}})

    def clear(self) -> str:
        return self._out({"event": "clear", "streamSid": self._sid()})

    def _connect(self) -> Sequence[WireEvent]:
        if self._connected:
            raise _refusal("out_of_order", "a second 'connected'", permanent=True)
        self._connected = True
        return ()

    def _start(self, body: dict[str, Any]) -> Sequence[WireEvent]:
        if not self._connected:
            raise _refusal("out_of_order", "'start' before 'connected'", permanent=True)
        if self.stream_sid:
            raise _refusal("start_twice", "a second 'start' on one socket", permanent=True)
        start = _part(body, "start")
        self._check_format(start)
        stream_sid = _word(start, "streamSid")
        call_sid = _word(start, "callSid")
        parameters = start.get("customParameters") or {}
        if (
            not isinstance(parameters, dict)
            or len(parameters) > MAX_PARAMETERS
            or not all(isinstance(value, str) for value in parameters.values())
        ):
            raise _refusal("malformed_message", "'customParameters' must map names to texts", permanent=True)
        self._sequence = _number(body, "sequenceNumber") or 0
        self.stream_sid = stream_sid
        return (WireStarted(stream_sid, call_sid, RATE_HZ, parameters),)

    @staticmethod
    def _check_format(start: dict[str, Any]) -> None:
        media_format = _part(start, "mediaFormat")
        wanted = {"encoding": "audio/x-mulaw", "sampleRate": RATE_HZ, "channels": 1}
        got = {
            "encoding": media_format.get("encoding"),
            "sampleRate": _number(media_format, "sampleRate"),
            "channels": _number(media_format, "channels"),
        }
        if got != wanted:
            shown = {name: str(value)[:32] for name, value in got.items()}
            raise _refusal(
                "wrong_media_format", f"mediaFormat {shown}; only {wanted} is heard", permanent=True
            )

    def _media(self, body: dict[str, Any]) -> Sequence[WireEvent]:
        self._in_order(body)
        media = _part(body, "media")
        if media.get("track", "inbound") != "inbound":
            self.ignored["outbound track"] += 1
            return ()
        payload = media.get("payload")
        if not isinstance(payload, str) or not payload:
            raise _refusal("malformed_message", "the media event has no payload")
        if len(payload) > MAX_PAYLOAD_BYTES * 4 // 3 + 4:
            raise _refusal("frame_too_large", "more than one second of audio in one frame", permanent=True)
        try:
            codes = binascii.a2b_base64(payload, strict_mode=True)
        except ValueError:
            raise _refusal("bad_base64", "the media payload is not base64") from None
        return (WireAudio(mulaw.decode(codes), _number(media, "timestamp")),)

    def _dtmf(self, body: dict[str, Any]) -> Sequence[WireEvent]:
        self._in_order(body)
        digit = _word(_part(body, "dtmf"), "digit")
        if digit not in DIGITS:
            raise _refusal("malformed_message", "'digit' must be one of 0-9, *, #, A-D")
        return (WireDtmf(digit),)

    def _in_order(self, body: dict[str, Any]) -> None:
        if not self.stream_sid:
            raise _refusal("out_of_order", f"{body['event']!r} before 'start'", permanent=True)
        if self._stopped:
            raise _refusal("out_of_order", f"{body['event']!r} after 'stop'")
        if body.get("streamSid") != self.stream_sid:
            raise _refusal("wrong_stream", "the message names another streamSid")
        sequence = _number(body, "sequenceNumber")
        if sequence is None:
            return
        if sequence <= self._sequence:
            raise _refusal("out_of_order", "sequenceNumber did not grow")
        self._sequence = sequence

    def _sid(self) -> str:
        if not self.stream_sid:
            raise _refusal("out_of_order", "nothing can be sent before 'start'")
        return self.stream_sid

    @staticmethod
    def _out(body: dict[str, Any]) -> str:
        return orjson.dumps(body).decode()
