"""`manage.py media` and the web process in front of it, as `./run` starts them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.apps.telephony.conftest import eventually
from tests.apps.telephony.wire import Carrier

ROOT = Path(__file__).parents[3]
MANAGE = [sys.executable, str(ROOT / "manage.py")]
UP_S = 100


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(*command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "voiceops.settings.dev", **environment},
    )
    try:
        yield process
    finally:
        for child in (
            [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
        ):
            child.kill()
        process.kill()
        process.wait()


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def answers(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/other", timeout=10, trust_env=False)
    except httpx.TransportError:
        return False
    return True


@pytest.fixture(scope="module")
def media() -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    with running(*MANAGE, "media", "--port", str(port), "--workers", "2") as process:
        yield port, process


async def closed_with(url: str, *messages: str) -> tuple[int, str]:
    async with connect(url, max_size=None) as open_socket:
        for message in messages:
            await open_socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await open_socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def test_a_cold_node_says_what_it_waits_for(media: tuple[int, subprocess.Popen[bytes]]) -> None:
    await eventually(lambda: answers(media[0]), UP_S)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{media[0]}", trust_env=False) as client:
        answer = await client.get("/healthz")
        elsewhere = await client.get("/other")
    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "starting"
    assert elsewhere.status_code == 404


async def test_a_call_socket_is_reached_through_the_web_process(
    media: tuple[int, subprocess.Popen[bytes]],
) -> None:
    port = free_port()
    daphne = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "voiceops.asgi:application"]
    with running(*daphne, VOICEOPS_MEDIA_URL=f"ws://127.0.0.1:{media[0]}"):
        await eventually(lambda: answers(port) and answers(media[0]), UP_S)
        web = f"ws://127.0.0.1:{port}"
        carrier = Carrier("CA" + "9" * 32)
        start = (carrier.connected(), carrier.start())
        # Daphne sends close codes without their reasons.
        assert (await closed_with(f"{web}/telephony/twilio/stream/nonsense", *start))[0] == 4403
        assert (await closed_with(f"{web}/telephony/twilio/stream", "x" * 2**20))[0] == 4009
        for path in ("/telephony/browser/", "/nowhere/"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(web + path)
            assert refused.value.response.status_code == 403


async def test_a_megabyte_is_cut_off_by_the_server(media: tuple[int, subprocess.Popen[bytes]]) -> None:
    await eventually(lambda: answers(media[0]), UP_S)
    url = f"ws://127.0.0.1:{media[0]}/telephony/twilio/stream"
    assert (await closed_with(url, "x" * 2**20))[0] == 1009


def test_a_taken_port_is_one_line(media: tuple[int, subprocess.Popen[bytes]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*MANAGE, "media", "--port", port], capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    assert ended.stderr.strip().splitlines() == [
        f"CommandError: cannot listen on 127.0.0.1:{port}: Address already in use. "
        "Choose another --port or --host, or stop the program that uses it"
    ]


@pytest.mark.parametrize("arguments", [("--port", "0"), ("--port", "99999"), ("--workers", "0")])
def test_a_bad_number_is_one_line(arguments: tuple[str, str]) -> None:
    ended = subprocess.run([*MANAGE, "media", *arguments], capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    [line] = ended.stderr.strip().splitlines()
    assert " ".join(arguments) in line


async def test_a_stopped_node_leaves_no_process_behind(media: tuple[int, subprocess.Popen[bytes]]) -> None:
    port, process = media
    await eventually(lambda: answers(port), UP_S)
    workers = psutil.Process(process.pid).children(recursive=True)
    assert len(workers) >= 2
    process.send_signal(signal.SIGTERM)
    await eventually(lambda: process.poll() is not None, 8)
    assert process.returncode == 0
    await eventually(lambda: not any(map(alive, workers)), 5)
