"""`GET /healthz`: 200 when everything is warm, otherwise 503 naming what is not.

    {"status": "ok" | "starting",
     "components": {"database": {"status": "ok", "detail": "…"}, …},
     "engines": {"stt": {"engine": "…", "simulated": false}, …}}

Every check runs at once, has its own short time limit, and asks the part itself: embedded or not.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse

from voiceops.console.heartbeat import HEARTBEAT_KEY
from voiceops.core.budget import Deadline
from voiceops.core.errors import VoiceOpsError
from voiceops.inference.client import InferenceClient
from voiceops.providers import SIMULATED, Providers

CHECK_S = 2.0
FIRST_INFERENCE_S = 20.0
FRESH_S = 1.0
"""Answers to a crowd of probes come from the same look."""


@dataclass(frozen=True, slots=True)
class Component:
    status: str
    """`ok`, `warming` or `down`."""
    detail: str = ""


Check = Callable[[], Awaitable[Component]]

OK = "ok"


class NotReady(Exception):
    """A part answered, and is not warm."""


async def healthz(request: HttpRequest) -> JsonResponse:
    components = await look()
    ready = all(part.status == OK for part in components.values())
    body = {
        "status": OK if ready else "starting",
        "components": {name: asdict(part) for name, part in components.items()},
        "engines": engines(),
    }
    answer = JsonResponse(body, status=200 if ready else 503, headers={"Cache-Control": "no-store"})
    # Django logs every 5xx once; a probe's 503 is an answer, not an error of the page.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


_last: tuple[float, Mapping[str, Component]] = (0.0, {})


async def look() -> Mapping[str, Component]:
    """Every component now, or as it was less than `FRESH_S` ago."""
    global _last
    at, known = _last
    if known and time.monotonic() - at < FRESH_S:
        return known
    found = await _look(checks())
    _last = (time.monotonic(), found)
    return found


async def _look(todo: Mapping[str, Check]) -> Mapping[str, Component]:
    async with asyncio.TaskGroup() as tasks:
        running = {name: tasks.create_task(_bounded(check)) for name, check in todo.items()}
    return {name: task.result() for name, task in running.items()}


async def _bounded(check: Check) -> Component:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check()
    except TimeoutError:
        return Component("down", f"no answer in {CHECK_S:.0f} s")
    except NotReady as error:
        return Component("warming", str(error))
    except VoiceOpsError as error:
        return Component("down", str(error))
    except Exception as error:  # a probe says what is wrong; it never breaks the page
        return Component("down", _reason(error))


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def checks() -> dict[str, Check]:
    """What this configuration needs, by component name."""
    platform = settings.VOICEOPS
    todo: dict[str, Check] = {"database": _database, "redis": _redis}
    if platform["LLM"] != SIMULATED:
        todo["llm"] = _llm
    for name, (target, wanted) in servers(platform).items():
        if wanted:
            todo[name] = _inference(target, wanted)
    if platform["MEDIA_URL"]:
        todo["media"] = _media
    todo["worker"] = _worker
    todo["beat"] = _beat
    if platform["CRM_CONNECTOR"] == "http":
        todo["crm"] = _crm
    return todo


def servers(platform: Mapping[str, Any]) -> dict[str, tuple[str, set[str]]]:
    """Inference component → (its target, the engines that the settings need of it)."""
    adapters = providers()
    stt = {adapter.capabilities.name for adapter in adapters.stt}
    tts = set(adapters.tts)
    speech = {"whisper"} if "faster_whisper" in stt else set()
    speech |= {"pocketsphinx"} & stt
    return {
        "speech": (platform["SPEECH_TARGET"], speech | {"e5"}),
        "voice": (platform["VOICE_TARGET"], {"hibari", "espeak"} & tts),
        "piper": (platform["PIPER_TARGET"], {"piper"} & tts),
    }


@lru_cache(maxsize=1)
def providers() -> Providers:
    """The adapters that calls use, here only to say what they are. Opens no connection."""
    return Providers.create(settings.VOICEOPS)


def engines() -> dict[str, dict[str, Any]]:
    """Per stage: the engine's words for people, and whether it is simulated."""
    adapters = providers()
    parts = {
        "stt": adapters.stt[0],
        "llm": adapters.llm,
        "tts": adapters.tts[adapters.tts_order[0]],
        "vad": adapters.vad,
        "embedder": adapters.embedder,
    }
    return {
        name: {"engine": part.capabilities.engine, "simulated": part.capabilities.simulated}
        for name, part in parts.items()
    }


async def _database() -> Component:
    return await sync_to_async(_ask_database)()


def _ask_database() -> Component:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        row = cursor.fetchone()
    if row is None:
        raise NotReady("the database is not migrated")
    return Component(OK, f"pgvector {row[0]}")


def _redis_client() -> redis.asyncio.Redis:
    return redis.asyncio.from_url(settings.REDIS_URL, socket_timeout=CHECK_S)


async def _redis() -> Component:
    async with _redis_client() as client:
        await client.ping()
    return Component(OK)


async def _beats() -> tuple[bool, int]:
    """Whether the heartbeat stands, and how many tasks wait in the queue."""
    async with _redis_client() as client:
        alive = await client.exists(HEARTBEAT_KEY)
        waiting = await client.llen("celery")
    return bool(alive), int(waiting)


async def _worker() -> Component:
    alive, waiting = await _beats()
    if not alive and waiting:
        raise NotReady(f"{waiting} tasks wait and none was done lately")
    if not alive:
        raise NotReady("no task was done lately")
    return Component(OK, f"{waiting} tasks wait")


async def _beat() -> Component:
    alive, waiting = await _beats()
    if not alive and not waiting:
        raise NotReady("no task was sent lately")
    return Component(OK)


_inferred: set[tuple[str, str]] = set()
_inferring: dict[tuple[str, str], asyncio.Task[None]] = {}


async def _llm() -> Component:
    """The server lists its models, and has answered one real request of one token."""
    platform = settings.VOICEOPS
    key = (platform["LLM_URL"], platform["LLM_MODEL"])
    async with _llm_client() as client:
        answer = await client.get("models")
        answer.raise_for_status()
    if key not in _inferred:
        task = _inferring.get(key)
        if task is None or task.done():
            task = _inferring[key] = asyncio.create_task(_infer_once(key), name="llm-first-inference")
        await asyncio.wait({task}, timeout=CHECK_S / 2)
        if not task.done():
            raise NotReady("the first inference is running")
        task.result()
    return Component(OK, platform["LLM_MODEL"])


async def _infer_once(key: tuple[str, str]) -> None:
    async with _llm_client(timeout_s=FIRST_INFERENCE_S) as client:
        answer = await client.post(
            "chat/completions",
            json={"model": key[1], "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1},
        )
        answer.raise_for_status()
    _inferred.add(key)


def _llm_client(*, timeout_s: float = CHECK_S) -> httpx.AsyncClient:
    platform = settings.VOICEOPS
    headers = {"Authorization": f"Bearer {platform['LLM_API_KEY']}"} if platform["LLM_API_KEY"] else {}
    return httpx.AsyncClient(
        base_url=platform["LLM_URL"].rstrip("/") + "/", headers=headers, timeout=timeout_s,
        trust_env=False, verify=_trusted(),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """Read once: each client would read every certificate authority again, 50 ms in which this process
    passes no call's audio on."""
    return httpx.create_ssl_context(trust_env=False)


def _inference(target: str, wanted: set[str]) -> Check:
    async def check() -> Component:
        client = InferenceClient(target)
        try:
            body = await client.health(deadline=Deadline.after_ms(CHECK_S * 900))
        finally:
            await client.aclose()
        states = {name: entry.get("status") for name, entry in body.get("engines", {}).items()}
        if cold := sorted(name for name in wanted if states.get(name) != OK):
            raise NotReady(", ".join(f"{name} is {states.get(name) or 'not there'}" for name in cold))
        return Component(OK, ", ".join(sorted(wanted)))

    return check


async def _media() -> Component:
    parts = urlsplit(settings.VOICEOPS["MEDIA_URL"])
    scheme = "https" if parts.scheme == "wss" else "http"
    async with httpx.AsyncClient(timeout=CHECK_S, trust_env=False, verify=_trusted()) as client:
        answer = await client.get(urlunsplit((scheme, parts.netloc, "/healthz", "", "")))
    if answer.status_code != 200:
        states = answer.json().get("components", {})
        cold = [f"{name}: {state}" for name, state in states.items() if state != "ready"]
        raise NotReady("; ".join(cold) or "starting")
    return Component(OK)


async def _crm() -> Component:
    async with httpx.AsyncClient(timeout=CHECK_S, trust_env=False, verify=_trusted()) as client:
        answer = await client.get(settings.VOICEOPS["CRM_URL"].rstrip("/") + "/healthz")
        answer.raise_for_status()
    return Component(OK)
