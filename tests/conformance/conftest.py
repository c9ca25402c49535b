"""Fixtures that start real engines once a session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from agents.providers import llm, stt, tts, vad
from tests.conformance import providers
from voiceops.launch.weights import model_path

Settings = dict[str, Any]


@pytest.fixture(scope="session")
def engines() -> Iterator[Settings]:
    """Settings that point at running servers; simulated delays are short."""
    with ExitStack() as stack:
        speech = stack.enter_context(providers.inference_server("whisper,pocketsphinx,e5"))
        voice = stack.enter_context(providers.inference_server("hibari,espeak"))
        piper = stack.enter_context(providers.inference_server("piper"))
        model = model_path(providers.MODEL, Path())
        yield {
            "LLM_URL": stack.enter_context(providers.llm_server(model)),
            "LLM_MODEL": providers.MODEL,
            "LLM_API_KEY": "",
            "SPEECH_TARGET": speech,
            "VOICE_TARGET": voice,
            "PIPER_TARGET": piper,
            "SIM_STT_MS": 5,
            "SIM_LLM_FIRST_TOKEN_MS": 5,
            "SIM_LLM_TOKEN_MS": 1,
            "SIM_TTS_FIRST_AUDIO_MS": 5,
        }


@pytest.fixture
def nowhere(engines: Settings) -> Settings:
    """The same settings with every server down."""
    target = f"127.0.0.1:{providers.free_port()}"
    return {
        **engines,
        "LLM_URL": f"http://{target}/v1",
        "SPEECH_TARGET": target,
        "VOICE_TARGET": target,
        "PIPER_TARGET": target,
    }


@pytest.fixture
async def recogniser(request: pytest.FixtureRequest, engines: Settings) -> AsyncIterator[Any]:
    made = stt.REGISTRY.load(request.param)(engines)
    await made.warm()
    yield made
    await made.aclose()


@pytest.fixture
async def voice(request: pytest.FixtureRequest, engines: Settings) -> AsyncIterator[Any]:
    made = tts.REGISTRY.load(request.param)(engines)
    await made.warm()
    yield made
    await made.aclose()


@pytest.fixture
async def model(request: pytest.FixtureRequest, engines: Settings) -> AsyncIterator[Any]:
    made = llm.REGISTRY.load(request.param)(engines)
    await made.warm()
    yield made
    await made.aclose()


@pytest.fixture
async def detector(request: pytest.FixtureRequest, engines: Settings) -> AsyncIterator[Any]:
    made = vad.REGISTRY.load(request.param)(engines)
    await made.warm()
    yield made
    await made.aclose()


@pytest.fixture
async def best_voice(engines: Settings) -> AsyncIterator[Any]:
    """A clear caller."""
    made = tts.REGISTRY.load("hibari")(engines)
    yield made
    await made.aclose()


@pytest.fixture
async def best_recogniser(engines: Settings) -> AsyncIterator[Any]:
    made = stt.REGISTRY.load("faster_whisper")(engines)
    yield made
    await made.aclose()
