"""Measure the engines of running inference servers: `python -m voiceops.inference.measure [--json]`.

One request at a time, through the same client that calls use, so the figures hold waiting and
transport. Targets come from VOICEOPS_SPEECH_TARGET, VOICEOPS_VOICE_TARGET and VOICEOPS_PIPER_TARGET
or from a running ./run. A server that is down is reported, not measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import soxr

from voiceops.core.audio import PIPELINE_RATE_HZ, pcm_bytes
from voiceops.core.budget import Deadline
from voiceops.core.errors import VoiceOpsError
from voiceops.inference.client import InferenceClient
from voiceops.settings import env

TIMEOUT_MS = 60_000
CLAUSES = {
    "en": (
        "Yes.",
        "The price is one crore twenty lakh rupees.",
        "It has a pool, a gym, and a garden for children.",
    ),
    "hi": ("हाँ।", "इसकी कीमत एक करोड़ बीस लाख रुपये है।"),
}
SPOKEN = (
    "Yes.",
    "What is the price of a three bedroom flat in Whitefield?",
    "I would like to visit the flat in Whitefield on Saturday morning, and I want to know what the monthly "
    "payment would be for twenty years.",
)
QUERIES = ("price?", "What is the price of a 3BHK in Whitefield?", "इस फ्लैट की कीमत क्या है?")


@dataclass(frozen=True, slots=True)
class Row:
    engine: str
    what: str
    p50_ms: float
    p95_ms: float
    note: str = ""


async def _times(run: Callable[[], Awaitable[object]], repeats: int) -> tuple[float, float]:
    """(p50, p95) in milliseconds after one run that is not counted."""
    await run()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        await run()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken), float(np.percentile(taken, 95))


async def _speech(client: InferenceClient, engine: str, language: str, repeats: int) -> AsyncIterator[Row]:
    for text in CLAUSES[language]:
        first: list[float] = []
        audio_ms = 0.0

        async def say(text: str = text, first: list[float] = first) -> None:
            nonlocal audio_ms
            started = time.perf_counter()
            heard = False
            audio_ms = 0.0
            async for chunk in client.synthesize(
                text, engine=engine, language=language, deadline=Deadline.after_ms(TIMEOUT_MS)
            ):
                if not heard:
                    first.append((time.perf_counter() - started) * 1000)
                    heard = True
                audio_ms += len(chunk.pcm) / 2 / chunk.sample_rate_hz * 1000

        whole_p50_ms, _ = await _times(say, repeats)
        yield Row(
            engine,
            f"first audio, {language}, {audio_ms / 1000:.1f} s of speech",
            statistics.median(first[1:]),
            float(np.percentile(first[1:], 95)),
            f"all of it {whole_p50_ms:.0f} ms",
        )


async def _recognition(
    client: InferenceClient, engine: str, utterances: Sequence[bytes], repeats: int
) -> AsyncIterator[Row]:
    for pcm in utterances:
        text = ""

        async def hear(pcm: bytes = pcm) -> None:
            nonlocal text
            heard = await client.transcribe(
                pcm, engine=engine, language="en", deadline=Deadline.after_ms(TIMEOUT_MS)
            )
            text = heard.text

        p50_ms, p95_ms = await _times(hear, repeats)
        seconds = len(pcm) / 2 / PIPELINE_RATE_HZ
        yield Row(engine, f"decode of {seconds:.1f} s", p50_ms, p95_ms, text)


async def _embedding(client: InferenceClient, repeats: int) -> AsyncIterator[Row]:
    for text in QUERIES:

        async def embed(text: str = text) -> None:
            await client.embed([text], engine="e5", kind="query", deadline=Deadline.after_ms(TIMEOUT_MS))

        p50_ms, p95_ms = await _times(embed, repeats)
        yield Row("e5", f"query of {len(text.split())} words", p50_ms, p95_ms)


async def _utterances(client: InferenceClient, engine: str) -> list[bytes]:
    """The sentences of `SPOKEN` as 16 kHz int16 mono."""
    made = []
    for text in SPOKEN:
        pieces: list[bytes] = []
        rate_hz = PIPELINE_RATE_HZ
        async for chunk in client.synthesize(
            text, engine=engine, language="en", deadline=Deadline.after_ms(TIMEOUT_MS)
        ):
            pieces.append(chunk.pcm)
            rate_hz = chunk.sample_rate_hz
        audio = np.frombuffer(b"".join(pieces), "<i2").astype(np.float32)
        at_16k = soxr.resample(audio, rate_hz, PIPELINE_RATE_HZ)
        made.append(np.clip(at_16k, -32768, 32767).astype("<i2").tobytes())
    return made


async def measure(targets: Sequence[str], *, repeats: int, say: Callable[[Row], None]) -> list[Row]:
    """Every engine of every server that answers, one after the other. Raises VoiceOpsError."""
    rows: list[Row] = []
    clients: dict[str, InferenceClient] = {}
    for target in dict.fromkeys(targets):
        client = InferenceClient(target)
        try:
            health = await client.health(deadline=Deadline.after_ms(5000))
        except VoiceOpsError as error:
            print(f"not measured: {error}", file=sys.stderr)
            await client.aclose()
            continue
        clients.update(dict.fromkeys(health["engines"], client))
    speaker = next((name for name in ("hibari", "piper", "espeak") if name in clients), None)
    # Without any voice there is nothing to hear: noise still takes the encoder's time.
    noise = np.random.default_rng(0).normal(0, 300, pcm_bytes(3000, PIPELINE_RATE_HZ) // 2)
    utterances = await _utterances(clients[speaker], speaker) if speaker else [noise.astype("<i2").tobytes()]
    for name, client in clients.items():
        measured: list[AsyncIterator[Row]] = []
        if name in ("hibari", "piper", "espeak"):
            measured.append(_speech(client, name, "en", repeats))
        if name == "espeak":
            measured.append(_speech(client, name, "hi", repeats))
        if name in ("whisper", "pocketsphinx"):
            measured.append(_recognition(client, name, utterances, repeats))
        if name == "e5":
            measured.append(_embedding(client, repeats))
        for source in measured:
            async for row in source:
                rows.append(row)
                say(row)
    for client in set(clients.values()):
        await client.aclose()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="voiceops.inference.measure", description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("targets", nargs="*", help="HOST:PORT of inference servers")
    arguments = parser.parse_args()
    targets = arguments.targets or [
        env.text(f"VOICEOPS_{name}_TARGET", f"127.0.0.1:{port}")
        for name, port in (("SPEECH", 8013), ("VOICE", 8014), ("PIPER", 8015))
    ]

    def show(row: Row) -> None:
        if not arguments.json:
            print(
                f"{row.engine:13} {row.what:38} p50 {row.p50_ms:7.1f}  p95 {row.p95_ms:7.1f} ms  {row.note}"
            )

    rows = asyncio.run(measure(targets, repeats=max(1, arguments.repeats), say=show))
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1))
    if not rows:
        print("no inference server answers: start ./run, or name targets", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
