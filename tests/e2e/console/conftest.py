"""The console in a real browser: Chromium against the real pages, sockets and database."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from channels.auth import AuthMiddlewareStack
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application
from django.db import connections
from django.test import Client
from django.urls import path
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from telephony.consumers import BrowserConsumer
from tests.e2e.console.agent import FakeAgent
from voiceops.console.consumers import LiveConsumer

CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--disable-background-networking", "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


def chromium_path() -> str | None:
    """The browser to drive: VOICEOPS_CHROMIUM, else the system's."""
    named = os.environ.get("VOICEOPS_CHROMIUM")
    return (
        named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    )


@pytest.fixture(scope="session")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fake microphone hears: bursts of a 300 Hz tone, 48 kHz."""
    rate = 48_000
    t = np.arange(rate * 2) / rate
    pcm = (0.6 * 32767 * np.sin(2 * np.pi * 300 * t) * (t % 1 < 0.7)).astype("<i2")
    file = tmp_path_factory.mktemp("microphone") / "caller.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm.tobytes())
    return file


@pytest.fixture(scope="module")
def browser(microphone: Path) -> Iterator[Browser]:
    executable = chromium_path()
    if executable is None:
        pytest.skip("Chromium is not installed: apt-get install chromium, or name one in VOICEOPS_CHROMIUM")
    # Playwright keeps a loop in this thread; the ORM calls of these tests are made beside it on purpose.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable,
            args=[*CHROMIUM_ARGS, f"--use-file-for-fake-audio-capture={microphone}"],
        )
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclass
class Site:
    """The running console."""

    url: str
    agent: FakeAgent


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[Site]:
    """The console's pages and sockets on a free port, on the test database."""
    # No connection outlives its request: the test database must be droppable.
    connections.databases["default"]["CONN_MAX_AGE"] = 0
    agent = FakeAgent()
    sockets = URLRouter(
        [
            path("console/live/", LiveConsumer.as_asgi()),
            path("telephony/browser/", BrowserConsumer.as_asgi(answer=lambda *call: agent.answer(*call))),
        ]
    )
    application = ProtocolTypeRouter(
        {"http": get_asgi_application(), "websocket": AuthMiddlewareStack(sockets)}
    )
    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(
        uvicorn.Config(application, lifespan="off", log_level="warning", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not running.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the console's server did not start"
        time.sleep(0.05)
    yield Site(url=f"http://localhost:{listener.getsockname()[1]}", agent=agent)
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def site(server: Site, transactional_db: None) -> Iterator[Site]:
    server.agent.__init__()  # type: ignore[misc]
    yield server
    server.agent.__init__()  # type: ignore[misc]


@pytest.fixture
def operator(site: Site) -> User:
    return User.objects.create_user("operator", password="a-long-password", is_staff=True, is_superuser=True)


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(site: Site, browser: Browser, operator: User) -> Iterator[OpenPage]:
    """`open_page("/calls/", width=390, scheme="dark", signed_in=True, **context)` in a context of its own.

    Any script error, refused resource or policy violation on a page fails its test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def opened(
        address: str = "/", *, width: int = 1440, height: int = 900, scheme: str = "light",
        signed_in: bool = True, **options: Any,
    ) -> Page:  # fmt: skip
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, base_url=site.url,  # type: ignore[arg-type]
            **{"permissions": ["microphone"], "timezone_id": "Asia/Kolkata"} | options,
        )  # fmt: skip
        contexts.append(context)
        context.set_default_timeout(15_000)
        if signed_in:
            client = Client()
            client.force_login(operator)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": site.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.goto(address)
        return page

    opened.complaints = complaints  # type: ignore[attr-defined]
    yield opened
    for context in contexts:
        context.close()
    assert not complaints, complaints


def until(check: Callable[[], Any], page: Page, what: str, timeout_s: float = 10) -> None:
    """Wait, with the page alive, until `check()` is true."""
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, f"never happened: {what}"
        page.wait_for_timeout(50)


@pytest.fixture
def tell_live(site: Site) -> Callable[..., None]:
    """Send one call event to the live board, as a media process does."""
    from asgiref.sync import async_to_sync

    def send(kind: str, session_id: str = "live-1", turn: int | None = None, **data: Any) -> None:
        message = {
            "type": "call.event", "session_id": session_id, "kind": kind, "at_ms": 1200.0, "turn": turn,
            "data": data, "agent": "Property desk", "channel": "twilio",
        }  # fmt: skip

        def in_thread() -> None:
            layer = get_channel_layer()
            assert layer is not None
            async_to_sync(layer.group_send)("live", message)

        # A thread of its own: this one has Playwright's loop.
        worker = threading.Thread(target=in_thread)
        worker.start()
        worker.join(10)

    return send
