"""Batching many calls' windows must not change what any caller's detector says."""

from __future__ import annotations

import asyncio

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from agents.providers.vad import REGISTRY
from agents.providers.vad.silero import (
    CONTEXT_SAMPLES,
    GATHER_FROM_STREAMS,
    MODEL_FILE,
    WINDOW_SAMPLES,
    SileroVad,
)
from voiceops.core.errors import ConfigurationError, VadError
from voiceops.launch.weights import package_file

pytestmark = pytest.mark.models


def babble(seed: int, windows: int) -> NDArray[np.float32]:
    """Something between speech and noise, so that probabilities spread: shape (windows, 512)."""
    rng = np.random.default_rng(seed)
    at_s = np.arange(windows * WINDOW_SAMPLES) / 16_000
    pitch = 110 + 40 * np.sin(2 * np.pi * 3 * at_s + seed)
    voice = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / 16_000) / k for k in range(1, 12))
    envelope = np.clip(np.sin(2 * np.pi * 2.2 * at_s + seed), 0, 1)
    audio = 0.2 * voice * envelope + rng.normal(0, 0.01, len(at_s))
    quantised = np.round(np.clip(audio, -1, 1) * 32767).astype("<i2").astype(np.float32) / 32768
    return quantised.reshape(windows, WINDOW_SAMPLES)


def pcm(window: NDArray[np.float32]) -> bytes:
    return (window * 32768).astype("<i2").tobytes()


def alone(windows: NDArray[np.float32]) -> list[float]:
    """The model as its authors run it: one window at a time, no batch."""
    session = onnxruntime.InferenceSession(str(package_file(MODEL_FILE)), providers=["CPUExecutionProvider"])
    state = np.zeros((2, 1, 128), np.float32)
    context = np.zeros(CONTEXT_SAMPLES, np.float32)
    heard = []
    for window in windows:
        audio = np.concatenate((context, window))[None]
        output, state = session.run(None, {"input": audio, "state": state, "sr": np.array(16_000)})
        context = window[-CONTEXT_SAMPLES:]
        heard.append(float(output[0, 0]))
    return heard


@pytest.fixture
async def vad() -> SileroVad:
    detector: SileroVad = REGISTRY.load("silero")({})
    await detector.warm()
    return detector


@pytest.mark.parametrize("calls", [1, GATHER_FROM_STREAMS - 1, 40])
async def test_a_batch_says_what_each_call_would_hear_alone(vad: SileroVad, calls: int) -> None:
    windows = [babble(seed, 25) for seed in range(calls)]
    streams = [vad.open() for _ in range(calls)]

    async def listen(call: int) -> list[float]:
        return [await streams[call].probability(pcm(window)) for window in windows[call]]

    heard = await asyncio.gather(*(listen(call) for call in range(calls)))
    expected = [alone(call) for call in windows]
    assert np.abs(np.array(heard) - np.array(expected)).max() < 1e-5
    assert np.array(expected).max() > 0.2, "the sounds must not all be silence to the model"


async def test_windows_pushed_at_once_are_heard_in_order(vad: SileroVad) -> None:
    windows = babble(3, 20)
    stream = vad.open()
    heard = await asyncio.gather(*(stream.probability(pcm(window)) for window in windows))
    assert np.abs(np.array(heard) - np.array(alone(windows))).max() < 1e-5


async def test_reset_forgets_what_was_heard(vad: SileroVad) -> None:
    windows = babble(5, 12)
    stream = vad.open()
    first = [await stream.probability(pcm(window)) for window in windows]
    carried = await stream.probability(pcm(windows[0]))
    stream.reset()
    again = [await stream.probability(pcm(window)) for window in windows]
    assert again == pytest.approx(first, abs=1e-5)
    assert abs(carried - first[0]) > 1e-4, "without reset the memory would carry over"


async def test_a_caller_who_hangs_up_does_not_disturb_the_others(vad: SileroVad) -> None:
    windows = babble(7, 10)
    staying, leaving = vad.open(), vad.open()
    heard = []
    for window in windows:
        gone = asyncio.create_task(leaving.probability(pcm(window)))
        stays = asyncio.create_task(staying.probability(pcm(window)))
        await asyncio.sleep(0)
        gone.cancel()
        heard.append(await stays)
    assert np.abs(np.array(heard) - np.array(alone(windows))).max() < 1e-5


async def test_speech_is_told_from_silence(vad: SileroVad) -> None:
    stream = vad.open()
    assert max([await stream.probability(bytes(1024)) for _ in range(10)]) < 0.1


@pytest.mark.parametrize("size", [0, 1023, 1022, 1026])
async def test_a_wrong_window_is_refused(vad: SileroVad, size: int) -> None:
    with pytest.raises(VadError) as caught:
        await vad.open().probability(bytes(size))
    assert (caught.value.code, caught.value.permanent) == ("invalid", True)


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"/nowhere\.onnx"):
        REGISTRY.load("silero")({"SILERO_MODEL": "/nowhere.onnx"})
