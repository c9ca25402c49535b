"""The server as a process: starts with one clear line or not at all, and leaves when asked."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from voiceops.core.budget import Deadline
from voiceops.core.errors import StageError
from voiceops.inference.client import InferenceClient

COMMAND = [sys.executable, "-m", "voiceops.inference.serve"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, "VOICEOPS_LOG_LEVEL": "WARNING", **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (("--engines", "nobody", "--listen", "127.0.0.1:0"), {}, "use some of whisper"),
        (("--engines", ",", "--listen", "127.0.0.1:0"), {}, "--engines names none"),
        (("--engines", "espeak", "--listen", "nowhere.invalid:1"), {}, "cannot listen on nowhere.invalid:1"),
        (
            ("--engines", "whisper", "--listen", "127.0.0.1:0"),
            {"VOICEOPS_WHISPER_MODEL": "/nowhere"},
            "set VOICEOPS_WHISPER_MODEL to a CTranslate2 model folder",
        ),
        (
            ("--engines", "piper", "--listen", "127.0.0.1:0", "--piper-voice", "/nowhere.onnx"),
            {},
            "set VOICEOPS_PIPER_VOICE to an .onnx file",
        ),
    ],
)
def test_a_bad_start_is_one_line_that_says_what_to_do(
    arguments: tuple[str, ...], environment: dict[str, str], says: str
) -> None:
    done = run(*arguments, **environment)
    lines = [line for line in done.stderr.splitlines() if line.startswith("voiceops.inference.serve:")]
    assert done.returncode == 2
    assert len(lines) == 1
    assert says in lines[0]
    assert "Traceback" not in done.stderr


def test_a_corrupt_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"not a model")
    done = run("--engines", "whisper", "--listen", "127.0.0.1:0", "--whisper-model", str(tmp_path))
    assert done.returncode == 2
    assert f"the Whisper model in {tmp_path} does not load" in done.stderr


def test_a_busy_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("--engines", "espeak", "--listen", address)
    assert done.returncode == 2
    assert f"cannot listen on {address}" in done.stderr


@pytest.mark.models
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_answers_health_and_leaves_when_asked(number: signal.Signals, tmp_path: Path) -> None:
    target = f"unix:{tmp_path}/engine.sock"
    process = subprocess.Popen(  # noqa: ASYNC220
        [*COMMAND, "--engines", "espeak", "--listen", target], stderr=subprocess.DEVNULL
    )
    peer = InferenceClient(target)
    try:
        until = Deadline.after_ms(60_000)
        while True:
            assert process.poll() is None
            try:
                health = await peer.health(deadline=until)
            except StageError as error:
                assert error.code == "unavailable"
            else:
                if health["status"] == "ok":
                    break
            await asyncio.sleep(0.05)
        assert health["engines"]["espeak"]["languages"] == ["en", "hi"]
        process.send_signal(number)
        assert await asyncio.to_thread(process.wait, 10) == 0
    finally:
        await peer.aclose()
        process.kill()
        process.wait()
