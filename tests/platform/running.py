"""A real ./run in a folder and on a port of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from voiceops.launch import runtime

ROOT = Path(__file__).resolve().parents[2]
START_S = 300


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what the test session set for itself."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("VOICEOPS_", "DJANGO_", "PYTEST_", "PROMETHEUS_"))
        and name not in {"DATABASE_URL", "REDIS_URL"}
    }
    return {**kept, **more}


class Run:
    """One ./run; its output is kept line by line."""

    def __init__(self, data: Path, port: int, *arguments: str, **environment: str) -> None:
        self.data = data
        self.port = port
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [str(ROOT / "run"), "--port", str(port), "--data-dir", str(data), *arguments],
            cwd=ROOT,
            env=clean_environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def ready(self) -> None:
        """Return when the banner was printed; fail with the output when the run ends first."""
        deadline = time.monotonic() + START_S
        while not any("Ctrl-C stops" in line for line in self.lines):
            assert self.process.poll() is None, f"./run ended:\n{self.output}"
            assert time.monotonic() < deadline, f"./run is not ready:\n{self.output}"
            time.sleep(0.2)

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def manage(self, *arguments: str, **environment: str) -> str:
        """`manage.py` as in another terminal: it only knows the data directory."""
        done = subprocess.run(
            [str(ROOT / ".venv" / "bin" / "python"), "manage.py", *arguments],
            cwd=ROOT,
            env=clean_environment(VOICEOPS_DATA_DIR=str(self.data), **environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill_supervisord(self) -> None:
        os.kill(int((self.data / "run" / "supervisord.pid").read_text()), signal.SIGKILL)

    def wait(self, timeout_s: float) -> int:
        """Exit code; TimeoutExpired when it takes longer."""
        code = self.process.wait(timeout_s)
        self._reader.join(5)
        return code

    def end(self) -> None:
        """Whatever a test left: stopped."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        for process in runtime.leftovers(self.data):
            process.kill()


def left(data: Path) -> list[str]:
    """Command lines of processes that belong to a run on `data` and still live."""
    found = []
    for process in runtime.leftovers(data):
        try:
            found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found
