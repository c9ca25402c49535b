"""What the pipeline relies on, asked of every registered provider with its real engine.

A new provider is tested by its registry line alone.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import Any

import httpx
import numpy as np
import pytest
import soxr

from agents.providers import llm, stt, tts, vad
from telephony.transports import mulaw
from tests.conformance.providers import speak
from voiceops.core.budget import Deadline
from voiceops.core.errors import LlmError, SttError, TtsError
from voiceops.core.ports import LlmRequest
from voiceops.inference.embedder import RemoteEmbedder, embed_sync

pytestmark = pytest.mark.models

PORTS = {"stt": stt.REGISTRY, "llm": llm.REGISTRY, "tts": tts.REGISTRY, "vad": vad.REGISTRY}
EVERY = [(port, name) for port, registry in PORTS.items() for name in registry]
HINTS = ("Lakeview Residency", "Whitefield", "Sarjapur", "3BHK", "EMI", "1 crore 20 lakh")
WEAK = {"pocketsphinx"}
"""Recognisers that keep a call alive but do not get every word."""


def soon() -> Deadline:
    return Deadline.after_ms(60_000)


def past() -> Deadline:
    return Deadline.after_ms(-1)


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


recognisers = pytest.mark.parametrize("recogniser", list(stt.REGISTRY), indirect=True)
voices = pytest.mark.parametrize("voice", list(tts.REGISTRY), indirect=True)
models = pytest.mark.parametrize("model", list(llm.REGISTRY), indirect=True)
detectors = pytest.mark.parametrize("detector", list(vad.REGISTRY), indirect=True)


@pytest.mark.parametrize(("port", "name"), EVERY)
async def test_it_says_what_it_is(engines: dict[str, Any], port: str, name: str) -> None:
    provider = PORTS[port].load(name)(engines)
    await provider.warm()
    said = provider.capabilities
    assert said.name == name
    assert said.simulated == (name == "simulated") == ("simulated" in said.engine)
    assert said.languages
    await provider.aclose()


@pytest.mark.parametrize(
    ("port", "name"), [(port, name) for port, name in EVERY if name not in ("simulated", "silero")]
)
async def test_warm_fails_when_its_server_is_down(nowhere: dict[str, Any], port: str, name: str) -> None:
    provider = PORTS[port].load(name)(nowhere)
    failure = {"stt": SttError, "llm": LlmError, "tts": TtsError}[port]
    with pytest.raises(failure) as caught:
        await provider.warm()
    assert (caught.value.code, caught.value.permanent) == ("unavailable", False)
    await provider.aclose()


# Speech to text ----------------------------------------------------------------------------


@recognisers
async def test_stt_hears_the_words(recogniser: Any, best_voice: Any) -> None:
    pcm = await speak(best_voice, "Please book a visit for tomorrow morning.")
    utterance = recogniser.open(language="en", hints=HINTS)
    for start in range(0, len(pcm), 640):
        utterance.push(pcm[start : start + 640])
    partial = await utterance.partial(deadline=soon())
    final = await utterance.final(deadline=soon())
    await utterance.aclose()
    assert (partial.kind, final.kind) == ("partial", "final")
    assert (final.engine, final.language) == (recogniser.capabilities.name, "en")
    assert final.audio_ms == pytest.approx(len(pcm) / 32, abs=1)
    assert 0 <= final.confidence <= 1
    assert final.text
    if not recogniser.capabilities.simulated:
        expected = {"book", "visit", "tomorrow", "morning"}
        missed = expected - words(final.text)
        assert len(missed) <= (3 if recogniser.capabilities.name in WEAK else 0), final.text


@recognisers
async def test_stt_final_may_be_asked_again_after_more_audio(recogniser: Any, best_voice: Any) -> None:
    utterance = recogniser.open(language="en")
    utterance.push(await speak(best_voice, "What is the price?"))
    first = await utterance.final(deadline=soon())
    utterance.push(await speak(best_voice, "And the possession date?"))
    second = await utterance.final(deadline=soon())
    assert second.audio_ms > first.audio_ms
    if not recogniser.capabilities.simulated:
        assert len(second.text.split()) > len(first.text.split())


@recognisers
async def test_stt_hears_nothing_in_nothing(recogniser: Any) -> None:
    utterance = recogniser.open(language="en", hints=HINTS)
    assert (await utterance.final(deadline=soon())).text == ""


@recognisers
async def test_stt_is_bound_by_its_deadline(recogniser: Any) -> None:
    utterance = recogniser.open(language="en")
    utterance.push(bytes(32_000))
    for decode in (utterance.partial, utterance.final):
        with pytest.raises(SttError) as caught:
            await decode(deadline=past())
        assert caught.value.code == "timeout"


@recognisers
async def test_stt_serves_many_utterances_at_once(recogniser: Any, best_voice: Any) -> None:
    pcm = await speak(best_voice, "Hello there.")

    async def hear() -> str:
        utterance = recogniser.open(language="en")
        utterance.push(pcm)
        return str((await utterance.final(deadline=soon())).text)

    heard = await asyncio.gather(*(hear() for _ in range(4)))
    assert len(set(heard)) == 1
    assert heard[0]


@pytest.mark.parametrize("recogniser", ["faster_whisper"], indirect=True)
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("What is the price of a three B H K in Whitefield?", {"price", "3bhk", "whitefield"}),
        ("My budget is one crore twenty lakh.", {"budget", "crore", "lakh"}),
        ("Sarjapur.", {"sarjapur"}),
        ("Yes.", {"yes"}),
        ("No.", {"no"}),
        ("Thank you.", {"thank", "you"}),
        (
            "I would like to visit the flat on Saturday, and I want to know what the monthly payment is.",
            {"visit", "saturday", "to", "know", "the", "monthly", "payment"},
        ),
    ],
)
async def test_whisper_hears_short_answers_once_and_local_words(
    recogniser: Any, best_voice: Any, said: str, expected: set[str]
) -> None:
    utterance = recogniser.open(language="en", hints=HINTS)
    utterance.push(await speak(best_voice, said))
    text = (await utterance.final(deadline=soon())).text
    assert expected <= words(text)
    assert len(text.split()) <= len(said.split()) + 1, "a repeated answer"
    assert len(text.split()) >= len(said.split()) * 2 / 3, "dropped words"


@pytest.mark.parametrize("recogniser", ["faster_whisper"], indirect=True)
async def test_whisper_understands_a_telephone(recogniser: Any, best_voice: Any) -> None:
    wide = np.frombuffer(await speak(best_voice, "What is the price in Whitefield?"), "<i2")
    narrow = soxr.resample(wide.astype(np.float32), 16_000, 8_000)
    carried = np.frombuffer(mulaw.decode(mulaw.encode(narrow.astype("<i2").tobytes())), "<i2")
    utterance = recogniser.open(language="en", hints=HINTS)
    utterance.push(soxr.resample(carried.astype(np.float32), 8_000, 16_000).astype("<i2").tobytes())
    text = (await utterance.final(deadline=soon())).text
    assert {"price", "whitefield"} <= words(text), text


@pytest.mark.parametrize("recogniser", ["faster_whisper"], indirect=True)
@pytest.mark.parametrize("hints", [(), HINTS])
@pytest.mark.parametrize("sound", ["silence", "hiss", "loud noise", "hum", "click"])
async def test_whisper_does_not_invent_words(recogniser: Any, hints: tuple[str, ...], sound: str) -> None:
    rng = np.random.default_rng(0)
    audio = {
        "silence": np.zeros(32_000),
        "hiss": rng.normal(0, 0.01, 32_000),
        "loud noise": rng.normal(0, 0.1, 48_000),
        "hum": 0.05 * np.sin(2 * np.pi * 50 * np.arange(32_000) / 16_000),
        "click": np.eye(1, 16_000, 5000)[0],
    }[sound]
    utterance = recogniser.open(language="en", hints=hints)
    utterance.push((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    assert (await utterance.final(deadline=soon())).text == ""


# Text to speech ----------------------------------------------------------------------------


@voices
async def test_tts_says_the_words(voice: Any, best_recogniser: Any) -> None:
    pcm = await speak(voice, "The price is one crore twenty lakh rupees.")
    assert 1000 < len(pcm) / 32 < 8000
    if not voice.capabilities.simulated:
        utterance = best_recogniser.open(language="en", hints=HINTS)
        utterance.push(pcm)
        heard = (await utterance.final(deadline=soon())).text
        assert {"price", "crore", "lakh", "rupees"} <= words(heard), heard


@voices
async def test_tts_speaks_each_of_its_languages(voice: Any) -> None:
    text = {"en": "Good morning.", "hi": "नमस्ते, आप कैसे हैं?"}
    for language in voice.capabilities.languages:
        pcm = np.frombuffer(await speak(voice, text[language], language), "<i2")
        assert np.abs(pcm).max() > 500


@voices
async def test_tts_chunks_carry_their_rate(voice: Any) -> None:
    chunks = [c async for c in voice.synthesize("Good morning.", language="en", deadline=soon())]
    assert {chunk.sample_rate_hz for chunk in chunks} == {voice.capabilities.sample_rate_hz}
    assert all(chunk.pcm and len(chunk.pcm) % 2 == 0 for chunk in chunks)


@voices
async def test_tts_is_bound_by_its_deadline(voice: Any) -> None:
    with pytest.raises(TtsError) as caught:
        await anext(voice.synthesize("Good morning.", language="en", deadline=past()))
    assert caught.value.code == "timeout"


@voices
async def test_tts_goes_on_after_a_listener_left(voice: Any) -> None:
    long = "This is the first sentence of a long answer. " * 5
    async with aclosing(voice.synthesize(long, language="en", deadline=soon())) as chunks:
        await anext(chunks)
    again = [c async for c in voice.synthesize("Good morning.", language="en", deadline=soon())]
    assert again


@voices
async def test_tts_refuses_what_it_cannot_say(voice: Any) -> None:
    with pytest.raises(TtsError) as empty:
        await anext(voice.synthesize(" ", language="en", deadline=soon()))
    assert (empty.value.code, empty.value.permanent) == ("invalid", True)
    if not voice.capabilities.simulated:
        with pytest.raises(TtsError) as foreign:
            await anext(voice.synthesize("Ni hao.", language="zh", deadline=soon()))
        assert (foreign.value.code, foreign.value.permanent) == ("invalid", True)


# Language model ----------------------------------------------------------------------------

MESSAGES = [
    {"role": "system", "content": "You answer in one short sentence."},
    {"role": "user", "content": "Facts:\n- Lakeview costs 1.2 crore.\nWhat does Lakeview cost?"},
]


@models
async def test_llm_streams_words_and_ends_with_usage(model: Any) -> None:
    request = LlmRequest(messages=MESSAGES, max_tokens=12)
    deltas = [delta async for delta in model.stream(request, deadline=soon())]
    assert "".join(delta.text for delta in deltas).strip()
    assert len([delta for delta in deltas if delta.text]) > 1
    assert deltas[-1].finish_reason in ("stop", "length")
    assert 0 < deltas[-1].completion_tokens <= 12
    assert deltas[-1].prompt_tokens > 10


@models
async def test_llm_says_the_same_twice(model: Any) -> None:
    request = LlmRequest(messages=MESSAGES, max_tokens=12)
    # The first request makes the prompt's cached prefix the same for the two that are compared.
    said = ["".join([delta.text async for delta in model.stream(request, deadline=soon())]) for _ in range(3)]
    assert said[1] == said[2]


@models
async def test_llm_is_bound_by_its_deadline(model: Any) -> None:
    with pytest.raises(LlmError) as caught:
        await anext(model.stream(LlmRequest(messages=MESSAGES), deadline=past()))
    assert caught.value.code == "timeout"


@pytest.mark.parametrize("model", ["openai"], indirect=True)
async def test_llm_keeps_a_warmed_prefix(model: Any) -> None:
    prefix = {"role": "system", "content": "You are the property desk of a builder in Bangalore. " * 8}
    await model.warm_prefix([prefix, {"role": "user", "content": "."}])
    request = LlmRequest(messages=[prefix, {"role": "user", "content": "Hello?"}], max_tokens=4)
    deltas = [delta async for delta in model.stream(request, deadline=soon())]
    assert deltas[-1].cached_tokens > 60


@pytest.mark.parametrize("model", ["openai"], indirect=True)
async def test_llm_stops_at_the_server_when_the_reader_leaves(model: Any, engines: dict[str, Any]) -> None:
    async def at_server() -> dict[str, float]:
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(engines["LLM_URL"].removesuffix("/v1") + "/metrics", timeout=30)).text
        return {
            line.split()[0].removeprefix("llamacpp:"): float(line.split()[1])
            for line in text.splitlines()
            if line.startswith("llamacpp:")
        }

    before = (await at_server())["tokens_predicted_total"]
    story = LlmRequest(messages=[{"role": "user", "content": "Tell a very long story."}], max_tokens=1500)
    async with aclosing(model.stream(story, deadline=soon())) as deltas:
        for _ in range(3):
            await anext(deltas)
    until = soon()
    while (now := await at_server())["requests_processing"]:
        assert not until.expired, "the server still works for nobody"
        await asyncio.sleep(0.05)
    assert now["tokens_predicted_total"] - before < 1000


@pytest.mark.parametrize("model", ["openai"], indirect=True)
async def test_llm_names_a_request_that_can_never_work(model: Any) -> None:
    too_long = LlmRequest(messages=[{"role": "user", "content": "word " * 9000}])
    with pytest.raises(LlmError) as caught:
        await anext(model.stream(too_long, deadline=soon()))
    assert (caught.value.code, caught.value.permanent) == ("rejected", True)


# Voice activity ----------------------------------------------------------------------------


@detectors
async def test_vad_tells_speech_from_silence(detector: Any, best_voice: Any) -> None:
    size = detector.window_samples * 2
    pcm = await speak(best_voice, "What is the price of a flat in Whitefield?")
    stream = detector.open()
    silence = [await stream.probability(bytes(size)) for _ in range(15)]
    speech = [await stream.probability(pcm[i : i + size]) for i in range(0, len(pcm) - size, size)]
    assert max(silence) < 0.2
    assert max(speech) > 0.9
    assert sum(p > 0.5 for p in speech) > len(speech) / 2
    stream.reset()
    assert await stream.probability(bytes(size)) < 0.2


# Embeddings ------------------------------------------------------------------------------------


async def test_embeddings_find_the_meaning_in_both_languages(engines: dict[str, Any]) -> None:
    embedder = RemoteEmbedder(engines["SPEECH_TARGET"])
    await embedder.warm()
    passages = np.array(
        await embedder.embed(
            ["The price of the flat is 1.2 crore rupees.", "The swimming pool opens at six."],
            kind="passage",
            deadline=soon(),
        )
    )
    queries = np.array(
        await embedder.embed(
            ["how much does it cost", "फ्लैट की कीमत क्या है", "when can I swim"],
            kind="query",
            deadline=soon(),
        )
    )
    await embedder.aclose()
    assert passages.shape == (2, 384)
    assert np.linalg.norm(queries, axis=1) == pytest.approx(1, abs=1e-3)
    assert (queries @ passages.T).argmax(axis=1).tolist() == [0, 0, 1]
    again = await asyncio.to_thread(
        embed_sync, ["how much does it cost"], kind="query", target=engines["SPEECH_TARGET"]
    )
    assert again[0] == pytest.approx(queries[0].tolist(), abs=1e-6)
