"""Every chosen dialogue with every chosen turn model, and what came of it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.providers.turn import REGISTRY
from agents.providers.vad.silero import create as open_vad
from voiceops.console.benches.turntaking.figures import Judged, Played, figures, judged
from voiceops.console.benches.turntaking.models import AgentVoice, Ledger, load_whisper
from voiceops.console.benches.turntaking.play import Bench, play
from voiceops.console.benches.turntaking.suite import Dialogue, chosen, load
from voiceops.console.benches.turntaking.voices import spoken
from voiceops.settings import env

MODELS = ("adaptive", "silence")


def run(
    *,
    models: Sequence[str] = (),
    only: Sequence[str] = (),
    decode_ms: float | None = None,
    dialogues: Sequence[Dialogue] | None = None,
    folder: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Play every dialogue once with each model; the same audio for all of them.

    Returns: conditions, and for each model its figures over all dialogues, by tag, for those held
    out from tuning and for the others, and the mistakes of each dialogue.
    """
    names = tuple(dict.fromkeys(models)) or MODELS
    for name in names:
        REGISTRY.load(name)
    script = chosen(load() if dialogues is None else dialogues, only)
    folder = folder or env.data_dir() / "bench" / "turntaking"
    voices = spoken(script, folder / "speech", say)
    fixed = decode_ms is not None
    # Where its time does not count, one thread wastes none on waiting for the other.
    whisper = load_whisper(env.data_dir(), folder if fixed else None, threads=1 if fixed else 2)
    agent = AgentVoice()
    results: dict[str, Any] = {}
    for name in names:
        ledger = Ledger(decode_ms)
        bench = Bench(voices, whisper, lambda: open_vad({}), agent, ledger)
        started = time.monotonic()
        played: list[Played] = []
        for number, dialogue in enumerate(script, 1):
            played.append(play(dialogue, name, bench))
            if number % 10 == 0:
                say(f"{name}: {number} of {len(script)} dialogues, {time.monotonic() - started:.0f} s")
        marks = [judged(one) for one in played]
        results[name] = {
            "figures": figures(marks),
            "tuned": figures(m for m in marks if not m.held_out),
            "held_out": figures(m for m in marks if m.held_out),
            "by_tag": {
                tag: figures(m for m in marks if tag in m.tags)
                for tag in sorted({tag for m in marks for tag in m.tags})
            },
            "decodes": ledger.decodes,
            "decode_ms_mean": round(sum(ledger.charged_ms) / max(1, len(ledger.charged_ms)), 1),
            "took_s": round(time.monotonic() - started, 1),
            "dialogues": [_marks(mark, one) for mark, one in zip(marks, played, strict=True)],
        }
    return {
        "conditions": {
            "dialogues": len(script),
            "only": list(only),
            "audio": "8 kHz mu-law; callers by Piper joe, Hibari heart and eSpeak NG",
            "recogniser": whisper.info.engine,
            "vad": "Silero VAD 6 (ONNX)",
            "decode_ms": "as measured" if decode_ms is None else decode_ms,
            "machine": f"{os.cpu_count()} cores {platform.machine()}, Python {platform.python_version()}",
            "load_average": round(os.getloadavg()[0], 1),
        },
        "models": results,
    }


def _marks(mark: Judged, played: Played) -> dict[str, Any]:
    return {
        **asdict(mark),
        "heard_as": [text for _, text in played.transcripts],
        "decided_ms": [round(at) for at in played.decided],
        "agent_heard_ms": [[round(a), round(b)] for a, b in played.heard],
        "said_ms": [
            [said.kind, said.text, [[round(a), round(b)] for a, b in said.spans]] for said in played.said
        ],
    }
