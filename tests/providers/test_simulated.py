"""A load test's figures mean something only if simulated providers take exactly what was set,
behave like the real ports, and never pass for real ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

import pytest

from agents.providers import llm, stt, tts
from voiceops.core.audio import pcm_duration_ms
from voiceops.core.budget import Deadline
from voiceops.core.clock import LoopClock
from voiceops.core.errors import ConfigurationError, LlmError, SttError, TtsError
from voiceops.core.ports import LlmRequest

T = TypeVar("T")
SETTINGS: dict[str, object] = {
    "SIM_STT_MS": 300,
    "SIM_LLM_FIRST_TOKEN_MS": 500,
    "SIM_LLM_TOKEN_MS": 20,
    "SIM_TTS_FIRST_AUDIO_MS": 250,
}
SECOND_OF_AUDIO = bytes(32_000)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now_s = max(self._now_s, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def virtually(work: Coroutine[Any, Any, T]) -> tuple[T, float]:
    """(result, virtual milliseconds)."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        result = runner.run(work)
        return result, round(runner.get_loop().time() * 1000, 3)


def within(duration_ms: float) -> Deadline:
    return Deadline.after_ms(duration_ms, LoopClock())


async def collect(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


@pytest.mark.parametrize("port", [stt, llm, tts])
def test_it_says_that_it_is_simulated(port: Any) -> None:
    capabilities = port.REGISTRY.load("simulated")(SETTINGS).capabilities
    assert capabilities.simulated
    assert "simulated" in capabilities.engine
    assert capabilities.name == "simulated"


def test_stt_takes_its_time_and_hears_nothing_in_no_audio() -> None:
    async def hear(audio: bytes) -> str:
        utterance = stt.REGISTRY.load("simulated")(SETTINGS).open(language="hi")
        utterance.push(audio)
        transcript = await utterance.final(deadline=within(5000))
        assert (transcript.language, transcript.engine, transcript.decode_ms) == ("hi", "simulated", 300.0)
        return str(transcript.text)

    assert virtually(hear(SECOND_OF_AUDIO)) == ("simulated utterance", 300.0)
    assert virtually(hear(b"")) == ("", 300.0)


def test_stt_follows_a_script_line_by_line() -> None:
    async def hear() -> list[str]:
        provider = stt.REGISTRY.load("simulated")({**SETTINGS, "SIM_STT_SCRIPT": ["first", "second"]})
        lines = []
        for _ in range(3):
            utterance = provider.open(language="en")
            utterance.push(SECOND_OF_AUDIO)
            partial = await utterance.partial(deadline=within(5000))
            final = await utterance.final(deadline=within(5000))
            assert (partial.text, partial.kind, final.kind) == (final.text, "partial", "final")
            lines.append(final.text)
        return lines

    assert virtually(hear())[0] == ["first", "second", "first"]


def test_llm_says_the_first_fact_at_the_set_pace() -> None:
    messages = [
        {"role": "system", "content": "You sell flats.\n- be brief"},
        {"role": "user", "content": "Facts:\n- Lakeview costs ₹1.2 crore\n- other\nPrice?"},
    ]

    async def say() -> list[Any]:
        model = llm.REGISTRY.load("simulated")(SETTINGS)
        return await collect(model.stream(LlmRequest(messages=messages), deadline=within(5000)))

    deltas, took_ms = virtually(say())
    assert "".join(delta.text for delta in deltas) == "Lakeview costs ₹1.2 crore."
    assert (deltas[-1].finish_reason, deltas[-1].completion_tokens) == ("stop", 4)
    assert took_ms == 500 + 3 * 20


def test_tts_speaks_as_long_as_the_words_would_take() -> None:
    async def say() -> list[Any]:
        voice = tts.REGISTRY.load("simulated")(SETTINGS)
        return await collect(voice.synthesize("x" * 50, language="en", deadline=within(5000)))

    chunks, took_ms = virtually(say())
    assert took_ms == 250
    assert sum(pcm_duration_ms(chunk.pcm, chunk.sample_rate_hz) for chunk in chunks) == 3000
    assert any(any(chunk.pcm) for chunk in chunks), "silence would not be heard as an answer"


def test_a_deadline_shorter_than_the_delay_is_a_timeout() -> None:
    async def late() -> list[str]:
        codes = []
        with pytest.raises(SttError) as heard:
            await stt.REGISTRY.load("simulated")(SETTINGS).open(language="en").final(deadline=within(100))
        codes.append(heard.value.code)
        model = llm.REGISTRY.load("simulated")(SETTINGS)
        with pytest.raises(LlmError) as thought:
            await collect(model.stream(LlmRequest(messages=[]), deadline=within(100)))
        codes.append(thought.value.code)
        voice = tts.REGISTRY.load("simulated")(SETTINGS)
        with pytest.raises(TtsError) as said:
            await collect(voice.synthesize("word", language="en", deadline=within(100)))
        codes.append(said.value.code)
        return codes

    assert virtually(late()) == (["timeout"] * 3, 300.0)


@pytest.mark.parametrize(
    ("port", "key"), [(stt, "SIM_STT_MS"), (llm, "SIM_LLM_TOKEN_MS"), (tts, "SIM_TTS_FIRST_AUDIO_MS")]
)
def test_a_bad_delay_is_named(port: Any, key: str) -> None:
    with pytest.raises(ConfigurationError, match=f"VOICEOPS_{key}"):
        port.REGISTRY.load("simulated")({**SETTINGS, key: "fast"})
