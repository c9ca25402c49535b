"""Runs the clips through our decoder, ours while it streams, and the stock one."""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.providers.stt.remote import RemoteRecogniser
from agents.providers.stt.vocabulary import vocabulary
from agents.providers.vad import silero
from voiceops.console.benches.stt import corpus
from voiceops.console.benches.stt.corpus import Clip
from voiceops.console.benches.stt.scoring import plain, word_error_rate
from voiceops.console.benches.stt.streaming import Listened, listen
from voiceops.core.budget import Deadline
from voiceops.core.errors import ConfigurationError
from voiceops.core.ports import Capabilities
from voiceops.inference.client import InferenceClient
from voiceops.launch.weights import model_path
from voiceops.settings import env

THREADS = 2
"""Of the stock decoder, as many as the server's."""


@dataclass(frozen=True, slots=True)
class Settings:
    speech_target: str
    voice_targets: Mapping[str, str]
    sentences: int
    voices: tuple[str, ...]
    stream: bool
    stock: bool
    recordings: bool


@dataclass(slots=True)
class Heard:
    clip: Clip
    text: str
    decode_ms: float


class Bench:
    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        unknown = set(settings.voices) - set(corpus.VOICES)
        if unknown or not settings.voices:
            raise ConfigurationError(f"--voices: use some of {', '.join(corpus.VOICES)}")
        if not 1 <= settings.sentences <= len(corpus.SENTENCES):
            raise ConfigurationError(f"--sentences: use 1 to {len(corpus.SENTENCES)}")
        self._settings = settings
        self._say = say

    async def run(self) -> dict[str, Any]:
        clips = await self._phone_clips()
        recorded = list(corpus.recordings()) if self._settings.recordings else []
        if self._settings.recordings and not recorded:
            self._say("recordings left out: pip install --no-deps moonshine-voice carries them")
        result: dict[str, Any] = {"phone": await self._compare(clips)}
        if recorded:
            result["recordings"] = await self._compare(recorded, hints=())
        result["conditions"] = {
            "sentences": self._settings.sentences, "voices": ", ".join(self._settings.voices),
            "line": "8 kHz mu-law; white noise at 20 and 10 dB", "hints": ", ".join(corpus.HINTS),
            "stock": f"faster-whisper defaults (beam 5, 30 s windows), int8, {THREADS} threads, same weights",
        }  # fmt: skip
        return result

    async def _phone_clips(self) -> list[Clip]:
        clips = []
        for voice in self._settings.voices:
            for text in corpus.SENTENCES[: self._settings.sentences]:
                speech = await corpus.synthesised(
                    text, voice=voice, target=self._settings.voice_targets[voice]
                )
                clips += [
                    corpus.on_the_phone(speech, text=text, voice=voice, noise_db=noise_db)
                    for noise_db in corpus.NOISE_DB
                ]
            self._say(f"{voice} has spoken {self._settings.sentences} sentences")
        return clips

    async def _compare(self, clips: Sequence[Clip], hints: Sequence[str] = corpus.HINTS) -> dict[str, Any]:
        result: dict[str, Any] = {}
        whole = await self._ours(clips, hints) if hints else []
        if whole:
            result["ours"] = _figures(whole)
        if self._settings.stock:
            result["stock"] = _figures(await asyncio.to_thread(self._stock, clips, ""))
        if self._settings.stock and hints:
            hinted = await asyncio.to_thread(self._stock, clips, " " + ", ".join(hints) + ".")
            result["stock, with the same hints as its prompt"] = _figures(hinted)
        if self._settings.stream:
            listened = await self._streamed(clips, hints)
            result["ours, streamed in real time"] = _streamed_figures(listened)
        return result

    async def _ours(self, clips: Sequence[Clip], hints: Sequence[str]) -> list[Heard]:
        """Whole utterances, at once."""
        client = InferenceClient(self._settings.speech_target)
        names = vocabulary(tuple(hints))
        heard = []
        try:
            for clip in clips:
                pcm = (np.clip(clip.audio, -1, 1) * 32767).astype("<i2").tobytes()
                started = time.perf_counter()
                answer = await client.transcribe(
                    pcm, engine="whisper", language="en", hints=hints,
                    deadline=Deadline.after_ms(corpus.TIMEOUT_MS),
                )  # fmt: skip
                taken = (time.perf_counter() - started) * 1000
                heard.append(Heard(clip, names.repair(answer.text), taken))
        finally:
            await client.aclose()
        self._say(f"ours has heard {len(heard)} clips")
        return heard

    def _stock(self, clips: Sequence[Clip], prompt: str) -> list[Heard]:
        from faster_whisper import WhisperModel

        logging.getLogger("faster_whisper").setLevel(logging.WARNING)

        folder = Path(env.raw("VOICEOPS_WHISPER_MODEL") or model_path("whisper-base", env.data_dir()))
        model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=THREADS)
        heard = []
        for clip in clips:
            started = time.perf_counter()
            segments, _ = model.transcribe(clip.audio, language="en", initial_prompt=prompt or None)
            text = " ".join(segment.text.strip() for segment in segments)
            heard.append(Heard(clip, text, (time.perf_counter() - started) * 1000))
        self._say(f"stock has heard {len(heard)} clips{' with hints' if prompt else ''}")
        return heard

    async def _streamed(self, clips: Sequence[Clip], hints: Sequence[str]) -> list[Listened]:
        recogniser = RemoteRecogniser(
            self._settings.speech_target,
            engine="whisper",
            capabilities=Capabilities(name="faster_whisper", engine="faster-whisper"),
        )
        vad = silero.create({})
        await vad.warm()
        try:
            await recogniser.warm()
            listened = []
            for clip in clips:
                # Read prose is one turn after another: plain silence parts it as any sentence.
                model = "adaptive" if hints else "silence"
                listened.append(
                    await listen(clip, recogniser=recogniser, vad=vad, hints=hints, turn_model=model)
                )
        finally:
            await recogniser.aclose()
            await vad.aclose()
        self._say(f"listened to {len(listened)} clips in real time")
        return listened


def _by_condition(clips: Iterable[Clip]) -> list[str]:
    return list(dict.fromkeys(clip.condition for clip in clips))


def _rates(rows: Sequence[tuple[Clip, str]]) -> dict[str, Any]:
    rates: dict[str, Any] = {}
    for condition in _by_condition(clip for clip, _ in rows):
        chosen = [(clip.text, text) for clip, text in rows if clip.condition == condition]
        rates[condition] = word_error_rate([said for said, _ in chosen], [heard for _, heard in chosen])
    return rates


def _figures(heard: Sequence[Heard]) -> dict[str, Any]:
    return {
        "word_error_rate_percent": _rates([(h.clip, h.text) for h in heard]),
        **percentiles("decode", [h.decode_ms for h in heard]),
        "wrong": wrong([(h.clip, h.text) for h in heard]),
    }


def _streamed_figures(listened: Sequence[Listened]) -> dict[str, Any]:
    finals = [u.words.result() for heard in listened for u in heard.utterances]
    gaps = [gap for heard in listened for gap in heard.partial_gaps_ms()]
    firsts = [at for heard in listened if (at := heard.first_partial_ms()) is not None]
    after = [at for heard in listened if (at := heard.final_after_ms()) is not None]
    after_voice = [at for heard in listened if (at := heard.final_after_voice_ms()) is not None]
    utterances = sum(len(heard.utterances) for heard in listened)
    words = sum(len(final.text.split()) for final in finals if final is not None)
    stable = sum(len(final.stable.split()) for final in finals if final is not None)
    return {
        "word_error_rate_percent": _rates([(heard.clip, heard.text) for heard in listened]),
        "clips": len(listened),
        "utterances": utterances,
        "voice_detector_too_late": sum(heard.vad_failures for heard in listened),
        "stable_words_taken_back": sum(heard.taken_back() for heard in listened),
        "stable_before_the_end_percent": round(100 * stable / words, 1) if words else None,
        **percentiles("partial_interval", gaps),
        **percentiles("first_partial_after_speech_began", firsts),
        **percentiles("final_decode", [final.decode_ms for final in finals if final is not None]),
        **percentiles("final_after_last_word", after),
        **percentiles("final_after_last_voiced_window", after_voice),
        "decodes_on_suspicion_per_utterance": round(
            sum(heard.suspicions for heard in listened) / max(1, utterances), 2
        ),
        "wrong": wrong([(heard.clip, heard.text) for heard in listened]),
    }


def wrong(rows: Sequence[tuple[Clip, str]]) -> list[str]:
    """What was misheard, for reading."""
    return [
        f"{clip.voice}, {clip.condition}: {clip.text} => {text}"
        for clip, text in rows
        if plain(clip.text) != plain(text)
    ]


def percentiles(name: str, values: Sequence[float]) -> dict[str, float | None]:
    if len(values) < 2:
        return {f"{name}_p50_ms": round(values[0], 1) if values else None, f"{name}_p95_ms": None}
    ranks = statistics.quantiles(values, n=100, method="inclusive")
    return {f"{name}_p50_ms": round(ranks[49], 1), f"{name}_p95_ms": round(ranks[94], 1)}
