"""Waiting for parts of the platform, and saying which one does not come."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from voiceops.launch.errors import LaunchError
from voiceops.launch.supervisor import Supervisord

_DEAD = {"FATAL", "EXITED", "UNKNOWN"}


class Watch:
    """Looks after the programs that were told to start: while starting, none may end."""

    def __init__(self, supervisord: Supervisord, logs: Path) -> None:
        self._supervisord = supervisord
        self._logs = logs
        self._pids: dict[str, int] = {}

    def check(self, names: set[str]) -> None:
        """Raises: LaunchError naming the first of `names` (`group:program`) that ended, and its log."""
        if self._supervisord.process.poll() is not None:
            raise LaunchError("supervisord was killed")
        for state in self._supervisord.states():
            if state.name not in names:
                continue
            known = self._pids.get(state.name)
            if state.state in _DEAD or (known and state.pid != known):
                raise LaunchError(died(state.name, self._logs))
            if state.pid:
                self._pids[state.name] = state.pid


def died(name: str, logs: Path) -> str:
    log = logs / f"{name.split(':')[-1]}.log"
    return f"{name.split(':')[-1]} does not stay up: {last_line(log)} (its log: {log})"


def last_line(log: Path) -> str:
    """The last line with words in it, for the person at the terminal."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return "no output"
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")[:300]


def until(
    ready: Callable[[], bool], *, check: Callable[[], None], timeout_s: float, what: str, pause_s: float = 0.2
) -> None:
    """Poll `ready`. Raises: LaunchError when the time is over, or what `check` raises."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        check()
        if time.monotonic() > deadline:
            raise LaunchError(f"{what} did not come up in {timeout_s:.0f} s")
        time.sleep(pause_s)


def health(url: str, *, timeout_s: float = 10) -> tuple[int, dict[str, Any]]:
    """Status and body of /healthz; (0, {}) when nobody answers."""
    try:
        with _DIRECT.open(f"{url}/healthz", timeout=timeout_s) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        try:
            return error.code, json.load(error)
        except ValueError:
            return error.code, {}
    except (OSError, ValueError):
        return 0, {}


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def engine_ready(target: str, engine: str) -> bool:
    """Whether an inference server says that this engine is warm."""
    from voiceops.core.budget import Deadline
    from voiceops.core.errors import VoiceOpsError
    from voiceops.inference.client import InferenceClient

    async def ask() -> bool:
        client = InferenceClient(target)
        try:
            body = await client.health(deadline=Deadline.after_ms(2000))
        except VoiceOpsError:
            return False
        finally:
            await client.aclose()
        return bool(body.get("engines", {}).get(engine, {}).get("status") == "ok")

    return asyncio.run(ask())


def check_database(url: str) -> None:
    """One connection to an external database. Raises: LaunchError naming DATABASE_URL."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"
            ).fetchone()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        raise LaunchError(f"DATABASE_URL does not work: {reason}") from None
    if known is None:
        raise LaunchError("DATABASE_URL: this PostgreSQL has no pgvector: install its extension `vector`")


def check_redis(url: str, variable: str = "REDIS_URL") -> None:
    """One command to an external Redis. Raises: LaunchError naming REDIS_URL."""
    import redis

    try:
        client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
        client.ping()
        client.close()
    except (redis.RedisError, OSError, ValueError) as error:
        raise LaunchError(f"{variable} does not work: {error}") from None


def check_llm(url: str, key: str) -> None:
    """Ask an external language model server for its models. Raises: LaunchError."""
    request = urllib.request.Request(f"{url.rstrip('/')}/models")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with _DIRECT.open(request, timeout=10) as answer:
            json.load(answer)
    except urllib.error.HTTPError as error:
        hint = "check VOICEOPS_LLM_API_KEY" if error.code in {401, 403} else "does it end in /v1?"
        raise LaunchError(f"VOICEOPS_LLM_URL={url} answers {error.code} for /models: {hint}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise LaunchError(f"VOICEOPS_LLM_URL={url} does not answer: {reason}") from None


def check_target(variable: str, target: str) -> None:
    """An external inference server's address. Raises: LaunchError naming the variable."""
    import socket

    if target.startswith("unix:"):
        return
    parts = urlsplit(f"//{target}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise LaunchError(f"{variable}={target!r} is not HOST:PORT or unix:PATH")
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        raise LaunchError(f"{variable}={target} does not answer: {error.strerror or error}") from None
