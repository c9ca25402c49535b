"""A recording over HTTP, whole or by the range a player asks for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

_PIECE = 64 * 1024
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


class Unsatisfiable(Exception):
    """The range begins behind the end of the file."""


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the one range asked for; None: send everything (no range, several,
    or a form that RFC 9110 lets a server ignore).

    Raises: Unsatisfiable.
    """
    match = _RANGE.match(header.strip())
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        if int(last) == 0 or size == 0:
            raise Unsatisfiable
        return max(0, size - int(last)), size - 1
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, end


def audio_response(request: HttpRequest, path: Path) -> HttpResponseBase:
    """The WAV file at `path`: 200, 206 or 416. Raises FileNotFoundError."""
    file = path.open("rb")
    size = path.stat().st_size
    try:
        wanted = byte_range(request.headers.get("Range", ""), size)
    except Unsatisfiable:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = wanted or (0, size - 1)
    length = end - start + 1
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(length),
        "Content-Disposition": f'inline; filename="{path.name}"',
        "Cache-Control": "private, no-store",
    }
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    file.seek(start)
    served = _read_async if isinstance(request, ASGIRequest) else _read
    return StreamingHttpResponse(
        served(file, length), status=206 if wanted else 200, content_type="audio/wav", headers=headers
    )


def _read(file: BinaryIO, length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (piece := file.read(min(_PIECE, length))):
            length -= len(piece)
            yield piece


async def _read_async(file: BinaryIO, length: int) -> AsyncIterator[bytes]:
    with file:
        while length > 0 and (piece := await asyncio.to_thread(file.read, min(_PIECE, length))):
            length -= len(piece)
            yield piece
