"""A call by the browser's socket with typed words, as the softphone page makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from telephony.api import local_socket
from voiceops.core.errors import VoiceOpsError

ANSWER_S = 20.0
QUIET_S = 1.5
"""Silence after which an answer is over; audio arrives as it is spoken."""


class TypedCallFailed(VoiceOpsError):
    """The browser socket could not be used; the message says why."""


@dataclass(slots=True)
class TypedCall:
    session_id: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    """int16 mono PCM at 16 kHz that the agent sent."""


def session_cookie(user: User) -> str:
    """A logged-in session of `user`, as a Cookie header's value. Synchronous ORM."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.set_expiry(3600)
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


async def place_typed_call(*, cookie: str, says: Sequence[str], agent: str = "") -> TypedCall:
    """Type each line when the agent has finished, then hang up.

    Raises: TypedCallFailed when the platform cannot be reached or refuses the call.
    """
    web = settings.VOICEOPS["WEB_URL"]
    url = local_socket(web, "/telephony/browser/")
    call = TypedCall()
    try:
        async with connect(
            url,
            additional_headers={"Cookie": cookie},
            origin=f"{urlsplit(web).scheme}://{urlsplit(web).netloc}",  # type: ignore[arg-type]
            compression=None,
            max_size=2**20,
            proxy=None,
        ) as socket:
            await socket.send(orjson.dumps({"type": "start", "agent": agent}).decode())
            await _hear_out(socket, call)
            for line in says:
                await socket.send(orjson.dumps({"type": "text", "text": line}).decode())
                await _hear_out(socket, call)
            await socket.send(orjson.dumps({"type": "hangup"}).decode())
            await _hear_out(socket, call)
    except ConnectionClosed as error:
        if not call.session_id:
            raise TypedCallFailed(f"the call was refused: {error}") from error
    except (OSError, TimeoutError, WebSocketException) as error:
        raise TypedCallFailed(f"the browser socket at {web} cannot be used: {error}") from error
    return call


async def _hear_out(socket: ClientConnection, call: TypedCall) -> None:
    """Take in what comes until the agent has spoken and is quiet."""
    loop = asyncio.get_running_loop()
    spoken_until_s: float | None = None
    give_up_s = loop.time() + ANSWER_S
    while loop.time() < give_up_s:
        if spoken_until_s is not None and loop.time() > spoken_until_s + QUIET_S:
            return
        try:
            async with asyncio.timeout(0.2):
                message = await socket.recv()
        except TimeoutError:
            continue
        if isinstance(message, bytes):
            call.audio += message
            spoken_until_s = max(spoken_until_s or 0.0, loop.time()) + len(message) / 32_000
            continue
        body = orjson.loads(message)
        call.events.append(body)
        match body.get("type"):
            case "ready":
                call.session_id = body["session_id"]
            case "mark":
                await socket.send(orjson.dumps({"type": "mark", "name": body["name"]}).decode())
            case "clear":
                spoken_until_s = loop.time()
            case "error":
                raise TypedCallFailed(f"{body.get('code')}: {body.get('message')}")
            case "ended":
                return
