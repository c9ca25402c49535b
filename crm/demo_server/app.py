"""The demo CRM as an ASGI application.

GET /               a page of what was received
GET /healthz        {"status": "ok"}
GET /api/activities?key=…   {"activities": [record, …]}
POST /api/activities        with Idempotency-Key: 201 and the record; 200 when it was there before
POST /faults        {"mode": "ok" | "down" | "slow" | "flaky"}: how the interface misbehaves

`down` answers 503; `slow` answers too late, after it has written; `flaky` writes, and answers
500 every other time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any
from urllib.parse import parse_qs

from crm.demo_server.store import Activities, KeyReused

MODES = ("ok", "down", "slow", "flaky")
SLOW_S = 8.0
"""Longer than the connector waits."""
MAX_BODY_BYTES = 64 * 1024

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = tuple[int, str, bytes]


class DemoCrm:
    def __init__(self, activities: Activities, *, slow_s: float = SLOW_S) -> None:
        self._activities = activities
        self._slow_s = slow_s
        self._mode = "ok"
        self._calls = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, content_type, body = await self._answer(scope, receive)
        headers = [
            (b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode()),
        ]  # fmt: skip
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        route = (scope["method"], scope["path"])
        if route == ("GET", "/healthz"):
            return _json(200, {"status": "ok", "mode": self._mode})
        if route == ("GET", "/"):
            return 200, "text/html; charset=utf-8", _page(self._activities.newest(), self._mode).encode()
        if route == ("POST", "/faults"):
            return await self._set_mode(receive)
        if scope["path"] != "/api/activities" or scope["method"] not in ("GET", "POST"):
            return _json(404, {"error": "not found"})
        return await self._activity(scope, receive)

    async def _set_mode(self, receive: Receive) -> Answer:
        body = await _read_json(receive)
        mode = body.get("mode") if body else None
        if mode not in MODES:
            return _json(400, {"error": f"mode must be one of {', '.join(MODES)}"})
        self._mode, self._calls = mode, 0
        return _json(200, {"mode": mode})

    async def _activity(self, scope: Scope, receive: Receive) -> Answer:
        if self._mode == "down":
            return _json(503, {"error": "down for maintenance"})
        answer = self._read(scope) if scope["method"] == "GET" else await self._write(scope, receive)
        self._calls += 1
        if self._mode == "slow":
            await asyncio.sleep(self._slow_s)
        if self._mode == "flaky" and self._calls % 2:
            return _json(500, {"error": "something broke after the record was written"})
        return answer

    def _read(self, scope: Scope) -> Answer:
        key = parse_qs(scope["query_string"].decode()).get("key", [""])[0]
        if not key:
            return _json(200, {"activities": self._activities.newest()})
        record = self._activities.find(key)
        return _json(200, {"activities": [record] if record else []})

    async def _write(self, scope: Scope, receive: Receive) -> Answer:
        key = dict(scope["headers"]).get(b"idempotency-key", b"").decode("latin-1").strip()
        if not key or len(key) > 200:
            return _json(400, {"error": "send an Idempotency-Key header of 1 to 200 characters"})
        body = await _read_json(receive)
        if not body or not isinstance(body.get("kind"), str):
            return _json(422, {"error": "send a JSON object with a kind"})
        try:
            record, replayed = self._activities.write(key, body)
        except KeyReused:
            return _json(422, {"error": "this Idempotency-Key was used for other content"})
        return _json(200 if replayed else 201, {**record, "replayed": replayed})


async def _read_json(receive: Receive) -> dict[str, Any] | None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES or message["type"] == "http.disconnect":
            return None
        if not message.get("more_body"):
            break
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _json(status: int, value: Any) -> Answer:
    return status, "application/json", json.dumps(value, ensure_ascii=False).encode()


def _page(records: list[dict[str, Any]], mode: str) -> str:
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(str(value or '–'))}</td>"
            for value in (
                record["id"], record["received_at"], record["body"].get("kind"), record["body"].get("name"),
                record["body"].get("phone"), record["body"].get("project"),
                record["body"].get("starts_at") or record["body"].get("reason"), record["key"],
            )
        )
        + "</tr>"
        for record in records
    )  # fmt: skip
    table = (
        "<table><tr><th>Record<th>Received<th>Kind<th>Name<th>Phone<th>Project<th>When / why<th>Key</tr>"
        f"{rows}</table>"
        if records
        else "<p>Nothing was received yet. Book a site visit with the agent.</p>"
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width'><title>Demo CRM</title><style>"
        ":root{color-scheme:light dark}body{font:15px system-ui;margin:2rem auto;max-width:72rem;"
        "padding:0 1rem}div{overflow-x:auto}table{border-collapse:collapse;width:100%}"
        "th,td{text-align:left;padding:.5rem .75rem;border-bottom:1px solid #8884}"
        "td{font-variant-numeric:tabular-nums}</style>"
        f"<h1>Demo CRM</h1><p>What the platform delivered, newest first. Mode: {escape(mode)}.</p>"
        f"<div>{table}</div></html>"
    )
