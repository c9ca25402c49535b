"""Other people's voice agents on the same models, measured from the same end of the line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

import agents.api
from voiceops.console.benches.pairing import Words
from voiceops.console.benches.questions import HISTORIES
from voiceops.console.trial import TrialFailed
from voiceops.launch.programs import MODULE
from voiceops.launch.weights import model_path
from voiceops.settings import env

FOLDER = env.ROOT / "tests" / "load" / "peers"
NAMES = ("pipecat",)
MAX_TOKENS = 64
"""As many as the platform allows its own answers."""
THREADS = 2
"""As many as `./run` gives the platform's recogniser."""
START_S = 240.0
STOP_S = 10.0
SETTLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer's process that answers calls at `url`."""

    url: str
    _events: list[dict[str, Any]]

    def words(self, carrier_ref: str) -> list[Words]:
        """What it understood and said in one call that has ended."""
        time.sleep(SETTLE_S)
        return [
            Words(event["at_s"], event["text"], "caller" if event["event"] == "heard" else "agent")
            for event in list(self._events)
            if event["call"] == carrier_ref and event["event"] in ("heard", "said")
        ]


def check(name: str, python: Path | None) -> tuple[Path, Path]:
    """(interpreter, script) of a peer that can be started. Raises: TrialFailed saying what to do."""
    if name not in NAMES:
        raise TrialFailed(f"--peer {name!r}: use {', '.join(NAMES)}")
    script = FOLDER / name / "agent.py"
    if not script.is_file():
        raise TrialFailed(f"{script} is missing: peers are part of the source tree, not of an image")
    if python is None:
        raise TrialFailed(
            f"--peer needs --peer-python: see {script.parent / 'README.md'} for its environment"
        )
    tried = subprocess.run([python, "-c", f"import {name}"], capture_output=True, text=True, check=False)
    if tried.returncode:
        last = (tried.stderr.strip().splitlines() or ["no error message"])[-1]
        raise TrialFailed(f"{python} has no {name} ({last}): see {script.parent / 'README.md'}")
    return python, script


@contextmanager
def started(name: str, python: Path | None) -> Iterator[Peer]:
    """The peer, warm and ready, until the block ends. Raises: TrialFailed."""
    python, script = check(name, python)
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="voiceops-peer-") as folder:
        config, log = Path(folder) / "config.json", Path(folder) / "log"
        config.write_text(json.dumps(_config(port)), encoding="utf-8")
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, *MODULE, python, script, config],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=_environment(),
                text=True,
            )
        events: list[dict[str, Any]] = []
        reader = threading.Thread(target=_read, args=(process, events), daemon=True)
        reader.start()
        failed = False
        try:
            _await_ready(process, events, name, log)
            failed = True
            yield Peer(f"ws://127.0.0.1:{port}/", events)
            failed = False
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join(STOP_S)
            if failed:
                sys.stderr.write(f"the last lines of {name}'s log:\n{_tail(log)}")


def _config(port: int) -> dict[str, Any]:
    known = settings.VOICEOPS
    profile = agents.api.load_profile()
    facts = (FOLDER / "facts.txt").read_text(encoding="utf-8")
    return {
        "port": port,
        "whisper_model": env.raw("VOICEOPS_WHISPER_MODEL") or str(model_path("whisper-base", env.data_dir())),
        "llm_url": known["LLM_URL"],
        "llm_model": known["LLM_MODEL"],
        "max_tokens": MAX_TOKENS,
        "voice_target": known["VOICE_TARGET"],
        "instructions": f"{profile.persona}\nFacts:\n{facts}",
        "histories": dict(HISTORIES),
        "greeting": profile.line("greeting", "en"),
    }


def _environment() -> dict[str, str]:
    """Nothing of the platform's Python; its threads as `./run` sets those of the recogniser."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VOICEOPS_"))}
    return {
        **kept,
        "PEER_LLM_API_KEY": settings.VOICEOPS["LLM_API_KEY"],
        "OMP_NUM_THREADS": str(THREADS),
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _read(process: subprocess.Popen[str], events: list[dict[str, Any]]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        try:
            events.append(json.loads(line))
        except ValueError:
            continue


def _await_ready(process: subprocess.Popen[str], events: list[dict[str, Any]], name: str, log: Path) -> None:
    give_up_s = time.monotonic() + START_S
    while not any(event["event"] == "ready" for event in list(events)):
        if process.poll() is not None:
            raise TrialFailed(f"{name} ended at its start:\n{_tail(log)}")
        if time.monotonic() > give_up_s:
            raise TrialFailed(f"{name} was not ready after {START_S:g} s:\n{_tail(log)}")
        time.sleep(0.1)


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-15:]) + "\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
