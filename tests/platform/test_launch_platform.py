"""Without these, a user loses data at a crash, or has to hunt processes that ./run left behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform.running import Run, left
from voiceops.launch.runtime import free_ports

pytestmark = [pytest.mark.platform, pytest.mark.timeout(900)]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[list[Run]]:
    started: list[Run] = []
    yield started
    for run in started:
        run.end()


def all_gone(data: Path) -> list[str]:
    """What still lives after the time a killed run's programs may take to stop."""
    deadline = time.monotonic() + 15
    while (living := left(data)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return living


def test_a_life_with_two_kills_loses_nothing_and_leaves_nothing(tmp_path: Path, runs: list[Run]) -> None:
    data = tmp_path / "data"
    (port,) = free_ports(1)

    def begin() -> Run:
        run = Run(data, port, "--no-demo")
        runs.append(run)
        run.ready()
        return run

    # Everything is warm, and another terminal finds the platform.
    run = begin()
    status, body = run.health()
    assert status == 200, body
    assert {"database", "redis", "llm", "speech", "voice", "piper", "media", "worker", "beat"} <= set(
        body["components"]
    )
    run.manage(
        "createsuperuser",
        "--noinput",
        DJANGO_SUPERUSER_USERNAME="keeper",
        DJANGO_SUPERUSER_EMAIL="keeper@example.org",
        DJANGO_SUPERUSER_PASSWORD="a-long-enough-secret",
    )

    # A second start on the same folder, or on the same port, is told why not.
    second = Run(data, free_ports(1)[0], "--no-demo")
    runs.append(second)
    assert second.wait(60) == 1
    assert "already uses" in second.output and str(data) in second.output
    other = Run(tmp_path / "other", port, "--no-demo")
    runs.append(other)
    assert other.wait(60) == 1
    assert f"port {port} is in use" in other.output

    # The supervisor is killed: ./run says so, ends, and takes everything with it.
    run.kill_supervisord()
    assert run.wait(30) == 1
    assert "supervisord was killed" in run.output
    assert left(data) == []

    # ./run itself is killed: the kernel tells the rest.
    run = begin()
    run.process.kill()
    run.wait(10)
    assert all_gone(data) == []

    # Stale locks, pid files and addresses do not matter, and the data is there.
    run = begin()
    out = run.manage(
        "shell", "-c", "from django.contrib.auth.models import User; print('kept:', User.objects.count())"
    )
    assert "kept: 1" in out
    run.process.send_signal(signal.SIGTERM)
    assert run.wait(10) == 0
    assert left(data) == []
    assert not (data / "run" / "runtime.env").exists()
