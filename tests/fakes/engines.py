"""Engines without models, for tests of everything around an engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from voiceops.core.errors import ConfigurationError
from voiceops.core.registry import Registry
from voiceops.inference.engines.base import (
    Emit,
    EngineInfo,
    InvalidRequest,
    IsCancelled,
    Options,
    Recognised,
)

_HERE = "tests.fakes.engines"
REGISTRY = Registry(
    "fake engine",
    {
        "echo": f"{_HERE}:Echo",
        "endless": f"{_HERE}:Endless",
        "broken": f"{_HERE}:Broken",
        "missing": f"{_HERE}:Missing",
        "slow_to_warm": f"{_HERE}:SlowToWarm",
        "e5": f"{_HERE}:Echo",
    },
)


class Echo:
    """Hears the length of its audio, embeds the length of a text, speaks one sample a character."""

    dim = 2

    def __init__(self, options: Options) -> None:
        self.info = EngineInfo("echo", frozenset({"en"}), 8000)

    def warm(self) -> None:
        return None

    def transcribe(
        self,
        audio: NDArray[np.float32],
        *,
        language: str,
        hints: Sequence[str],
        cancelled: IsCancelled,
        prefix: str = "",
        identify: bool = False,
    ) -> Recognised:
        if language != "en":
            raise InvalidRequest(f"language {language!r}: use en")
        scores = {"en": 0.75, "hi": 0.25} if identify else {}
        text = f"{prefix} {len(audio)} samples {' '.join(hints)}".strip()
        return Recognised(text, 0.5, 0.25, scores)

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "passage"]) -> NDArray[np.float32]:
        return np.array([[len(text), kind == "query"] for text in texts], np.float32)

    def synthesize(self, text: str, *, language: str, voice: str, emit: Emit, cancelled: IsCancelled) -> None:
        for word in text.split(" "):
            emit(b"\0\x10" * len(word))


class Endless(Echo):
    """Works until it is told to stop; `started` and `stopped` say so."""

    started = threading.Event()
    stopped = threading.Event()

    def _work(self, cancelled: IsCancelled) -> None:
        self.started.set()
        give_up_s = time.monotonic() + 20
        while not cancelled() and time.monotonic() < give_up_s:
            time.sleep(0.002)
        if cancelled():
            self.stopped.set()

    def transcribe(
        self,
        audio: NDArray[np.float32],
        *,
        language: str,
        hints: Sequence[str],
        cancelled: IsCancelled,
        prefix: str = "",
        identify: bool = False,
    ) -> Recognised:
        self._work(cancelled)
        return Recognised("stopped", 0.0)

    def synthesize(self, text: str, *, language: str, voice: str, emit: Emit, cancelled: IsCancelled) -> None:
        emit(b"\0\x10" * 80)
        self._work(cancelled)


class Broken(Echo):
    def transcribe(
        self,
        audio: NDArray[np.float32],
        *,
        language: str,
        hints: Sequence[str],
        cancelled: IsCancelled,
        prefix: str = "",
        identify: bool = False,
    ) -> Recognised:
        raise RuntimeError("the model returned NaN")

    def synthesize(self, text: str, *, language: str, voice: str, emit: Emit, cancelled: IsCancelled) -> None:
        if text != "silence":
            emit(b"\0\x10" * 80)
            raise RuntimeError("the voice broke")


class Missing(Echo):
    def __init__(self, options: Options) -> None:
        raise ConfigurationError("no model in /nowhere: set VOICEOPS_MISSING_MODEL")


class SlowToWarm(Echo):
    release = threading.Event()

    def warm(self) -> None:
        self.release.wait(20)
