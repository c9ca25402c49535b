"""A load balancer or a person who is told "ok" too early sends callers into silence."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import AsyncClient

from voiceops.console import health, tasks
from voiceops.console.health import Component, NotReady
from voiceops.console.heartbeat import HEARTBEAT_KEY
from voiceops.core.errors import SttError
from voiceops.launch import banner, start
from voiceops.launch.probe import probe


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Every test looks anew."""

    def forget() -> None:
        health._last = (0.0, {})
        health._inferred.clear()
        health._inferring.clear()
        health.providers.cache_clear()
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.delete(HEARTBEAT_KEY)

    forget()
    yield
    forget()


class Part(http.server.BaseHTTPRequestHandler):
    """A language model server, CRM and media process in one; says what it was asked."""

    answers: Mapping[str, tuple[int, Any]] = {}
    asked: list[tuple[str, str, str]] = []

    def do_GET(self) -> None:
        type(self).asked.append((self.command, self.path, self.headers.get("Authorization", "")))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = self.answers.get(self.path, (404, {}))
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def part() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Part)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Part.asked = []
    Part.answers = {}
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


async def answers(detail: str = "") -> Component:
    return Component("ok", detail)


async def fails() -> Component:
    raise SttError("127.0.0.1:9: connection refused", code="unavailable")


async def warms() -> Component:
    raise NotReady("whisper is warming")


async def hangs() -> Component:
    await asyncio.sleep(60)
    return Component("ok")


async def test_ok_only_when_every_part_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "checks", lambda: {"database": answers, "speech": answers})
    answer = await AsyncClient().get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(answer.json()["components"]) == {"database", "speech"}
    assert answer["Cache-Control"] == "no-store"


async def test_what_is_not_warm_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_S", 0.05)
    monkeypatch.setattr(
        health, "checks", lambda: {"database": answers, "speech": warms, "voice": fails, "crm": hangs}
    )
    answer = await AsyncClient().get("/healthz")
    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] != "ok"
    assert body["components"]["speech"] == {"status": "warming", "detail": "whisper is warming"}
    assert body["components"]["voice"]["status"] == "down"
    assert "connection refused" in body["components"]["voice"]["detail"]
    assert "no answer" in body["components"]["crm"]["detail"]
    assert start.not_ready(body) == ["speech", "voice", "crm"]


async def test_a_crowd_of_probes_is_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def counted() -> Component:
        nonlocal looks
        looks += 1
        return Component("ok")

    monkeypatch.setattr(health, "checks", lambda: {"database": counted})
    for _ in range(5):
        await AsyncClient().get("/healthz")
    assert looks == 1


def with_platform(settings_fixture: Any, **changes: Any) -> None:
    settings_fixture.VOICEOPS = {**settings_fixture.VOICEOPS, **changes}


async def test_the_language_model_must_have_answered_once(settings: Any, part: str) -> None:
    with_platform(settings, LLM_URL=f"http://{part}/v1", LLM_API_KEY="key", LLM_MODEL="m")
    Part.answers = {"/v1/models": (200, {"data": []}), "/v1/chat/completions": (503, {})}
    broken = await health._bounded(health._llm)
    assert broken.status == "down"
    assert "503" in broken.detail
    Part.answers = {"/v1/models": (200, {"data": []}), "/v1/chat/completions": (200, {"choices": []})}
    assert (await health._bounded(health._llm)).status == "ok"
    assert (await health._bounded(health._llm)).status == "ok"
    inferences = [asked for asked in Part.asked if asked[1].endswith("completions")]
    assert len(inferences) == 2, "once after it worked"
    assert {asked[2] for asked in Part.asked} == {"Bearer key"}
    Part.answers = {}
    assert (await health._bounded(health._llm)).status == "down", "its server is asked every time"


async def test_media_says_which_engine_is_cold(settings: Any, part: str) -> None:
    with_platform(settings, MEDIA_URL=f"ws://{part}")
    Part.answers = {"/healthz": (503, {"components": {"llm": "ready", "vad": "warming"}})}
    assert await health._bounded(health._media) == Component("warming", "vad: warming")
    Part.answers = {"/healthz": (200, {"components": {"llm": "ready"}})}
    assert (await health._bounded(health._media)).status == "ok"


@pytest.mark.django_db
def test_the_database_is_really_asked() -> None:
    assert health._ask_database().detail.startswith("pgvector 0.")


async def test_redis_is_really_asked(settings: Any) -> None:
    assert (await health._bounded(health._redis)).status == "ok"
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert (await health._bounded(health._redis)).status == "down"


async def test_a_worker_that_takes_nothing_and_a_silent_beat_are_told_apart() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete("celery")
        assert (await health._bounded(health._beat)).detail == "no task was sent lately"
        client.lpush("celery", "task")
        try:
            assert (await health._bounded(health._beat)).status == "ok"
            assert (await health._bounded(health._worker)).detail == "1 tasks wait and none was done lately"
        finally:
            client.delete("celery")
        tasks.heartbeat()
        assert (await health._bounded(health._worker)).status == "ok"
        assert (await health._bounded(health._beat)).status == "ok"
        assert 0 < int(client.ttl(HEARTBEAT_KEY)) <= 30  # type: ignore[arg-type]


def test_only_what_the_settings_use_is_needed(settings: Any) -> None:
    with_platform(settings, STT="simulated", LLM="simulated", TTS="simulated", MEDIA_URL="ws://127.0.0.1:9")
    assert "llm" not in health.checks()
    assert set(health.checks()) == {"database", "redis", "speech", "media", "worker", "beat", "crm"}
    assert health.servers(settings.VOICEOPS)["speech"][1] == {"e5"}
    said = health.engines()
    assert {name for name, engine in said.items() if engine["simulated"]} == {"stt", "llm", "tts"}
    assert all("simulated" in said[name]["engine"] for name in ("stt", "llm", "tts"))


def test_a_container_probe_gives_the_reason(part: str) -> None:
    Part.answers = {"/healthz": (503, {"components": {"llm": "down"}})}
    assert "llm" in probe(f"http://{part}/healthz")
    Part.answers = {"/healthz": (200, {})}
    assert probe(f"http://{part}/healthz") == ""
    assert "refused" in probe("http://127.0.0.1:1/healthz")
    assert probe("grpc://127.0.0.1:1")


def test_memory_counts_this_process() -> None:
    import os

    used, kind = banner.memory(os.getpid())
    assert used > 10_000_000
    assert kind in {"PSS", "RSS"}
