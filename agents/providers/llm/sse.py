"""Server-sent events of a chat completion, as text and as deltas."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from voiceops.core.errors import LlmError
from voiceops.core.ports import LlmDelta

LINE_LIMIT_BYTES = 1_000_000


async def data_lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """The payload of every `data:` line; comments and other fields are skipped.

    Splits at newlines only, as the format says: the payload may hold any other character.
    Raises: LlmError(code="bad_output") for a line without end or not in UTF-8.
    """
    buffer = b""
    async for chunk in chunks:
        buffer += chunk
        *lines, buffer = buffer.split(b"\n")
        if len(buffer) > LINE_LIMIT_BYTES:
            raise LlmError("the answer holds a line without end", code="bad_output")
        for line in lines:
            if (payload := _payload(line)) is not None:
                yield payload
    if (payload := _payload(buffer)) is not None:
        yield payload


def _payload(line: bytes) -> str | None:
    if not line.startswith(b"data:"):
        return None
    try:
        return line[5:].strip().decode()
    except UnicodeDecodeError as error:
        raise LlmError("the answer is not UTF-8", code="bad_output") from error


def delta_of(event: dict[str, Any]) -> LlmDelta:
    """One `chat.completion.chunk`; usage may stand on a chunk of its own without choices.

    Raises: LlmError(code="bad_output") when the chunk has another shape.
    """
    try:
        choices = event.get("choices") or []
        text = (choices[0].get("delta") or {}).get("content") or "" if choices else ""
        finish = choices[0].get("finish_reason") if choices else None
        usage = event.get("usage") or {}
        details = usage.get("prompt_tokens_details") or {}
        if not isinstance(text, str):
            raise TypeError("content is not text")
        return LlmDelta(
            text=text,
            prompt_tokens=usage.get("prompt_tokens"),
            completion_tokens=usage.get("completion_tokens"),
            cached_tokens=details.get("cached_tokens"),
            finish_reason=finish,
        )
    except (AttributeError, LookupError, TypeError) as error:
        raise LlmError(f"a chunk of the answer has an unknown shape: {error}", code="bad_output") from error
