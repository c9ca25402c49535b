"""What travels between `client` and `serve`: gRPC methods with msgpack maps, no generated code.

Transcribe  {engine, pcm, language, hints, priority, prefix, identify}
            -> {text, language, confidence, no_speech, audio_ms, compute_ms, language_scores}
Embed       {engine, texts, kind, priority} -> {vectors, dim, compute_ms}
Synthesize  {engine, text, language, voice, priority} -> stream of {pcm, sample_rate_hz}
Health      {} -> {status, engines: {name: {status, engine, languages, ...}}}

`pcm` is int16 little-endian mono; 16 kHz towards the server. `vectors` is float32 little-endian,
shape (len(texts), dim). `prefix`: leading words that are certain; the engine may spare itself their
decoding, and `text` begins with them. `identify`: fill `language_scores`, {tag: probability}. Both
may be left out. The deadline and the cancellation of a call are gRPC's own.
"""

from __future__ import annotations

from typing import Any, get_args

import msgpack

from voiceops.core.ports import Priority

SERVICE = "voiceops.inference.v1.Inference"
PRIORITIES: tuple[str, ...] = get_args(Priority)
MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024
"""Eight minutes of 16 kHz audio; a larger message is refused by gRPC itself."""
LIMITS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MESSAGE_LIMIT_BYTES),
    ("grpc.max_send_message_length", MESSAGE_LIMIT_BYTES),
)
"""gRPC options of both sides."""


def path(method: str) -> str:
    """The gRPC path of `method`."""
    return f"/{SERVICE}/{method}"


def pack(message: dict[str, Any]) -> bytes:
    packed: bytes = msgpack.packb(message)
    return packed


def unpack(data: bytes) -> dict[str, Any]:
    """The map inside `data`. Raises ValueError when it is not one."""
    try:
        message = msgpack.unpackb(data)
    except Exception as error:
        raise ValueError(f"not msgpack: {error}") from error
    if not isinstance(message, dict):
        raise ValueError("the message is not a map")
    return message
