"""The real engines for conformance tests: one set of servers a test session, on free ports."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import numpy as np
import soxr

from voiceops.core.budget import Deadline
from voiceops.core.ports import TextToSpeech
from voiceops.inference import wire

START_S = 100.0
MODEL = "smollm2-135m-instruct"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child that is gone when the block ends."""
    child = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL, env=os.environ)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def inference_server(engines: str) -> Iterator[str]:
    """Target of a server whose engines are warm."""
    target = f"127.0.0.1:{free_port()}"
    with process("voiceops.inference.serve", "--engines", engines, "--listen", target) as child:
        health = grpc.insecure_channel(target).unary_unary(
            wire.path("Health"), request_serializer=wire.pack, response_deserializer=wire.unpack
        )
        until_s = time.monotonic() + START_S
        while health({}, timeout=START_S, wait_for_ready=True)["status"] != "ok":
            assert child.poll() is None, f"the server of {engines} died"
            assert time.monotonic() < until_s, f"{engines} did not get warm"
            time.sleep(0.1)
        yield target


@contextmanager
def llm_server(model: Path) -> Iterator[str]:
    """URL (ending in /v1) of a llama.cpp server that answers."""
    port = free_port()
    command = ("voiceops.launch.llm_server", "--model", str(model), "--port", str(port), "--threads", "1")
    with process(*command) as child:
        until_s = time.monotonic() + START_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                pass
            assert child.poll() is None, "the LLM server died"
            assert time.monotonic() < until_s, "the LLM server did not get warm"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"


async def speak(voice: TextToSpeech, text: str, language: str = "en") -> bytes:
    """`text` as 16 kHz int16 mono."""
    pieces = []
    rate_hz = 0
    async for chunk in voice.synthesize(text, language=language, deadline=Deadline.after_ms(30_000)):
        pieces.append(np.frombuffer(chunk.pcm, "<i2"))
        rate_hz = chunk.sample_rate_hz
    audio = soxr.resample(np.concatenate(pieces).astype(np.float32) / 32768, rate_hz, 16_000)
    return (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()
