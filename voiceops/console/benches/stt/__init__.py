"""Speech recognition: words got wrong, time taken, and how steady it is while somebody speaks.

Needs the inference servers of a running ./run, not the applications. Callers are synthesised and sent
through a phone line; recordings are of people, when the package that carries them is installed.
"""

from __future__ import annotations

import asyncio
import os
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from voiceops.console.benches.stt.bench import Bench, Settings
from voiceops.console.benches.stt.corpus import SENTENCES, VOICES

HELP = "word error rate, latency and steadiness of speech recognition, beside the stock decoder"

Say = Callable[[str], None]


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--sentences",
        type=int,
        default=len(SENTENCES),
        help=f"of {len(SENTENCES)}, by each voice (default all)",
    )
    parser.add_argument("--voices", default=",".join(VOICES), help=f"of {','.join(VOICES)} (default all)")
    parser.add_argument(
        "--no-stream", action="store_true", help="whole utterances only: no real-time listening"
    )
    parser.add_argument("--no-stock", action="store_true", help="leave the stock decoder out")
    parser.add_argument("--no-recordings", action="store_true", help="leave the recordings of people out")


def measure(options: Mapping[str, Any], say: Say) -> dict[str, Any]:
    """Raises: VoiceOpsError when a server does not answer or an option is wrong."""
    chosen = Settings(
        speech_target=settings.VOICEOPS["SPEECH_TARGET"],
        voice_targets={
            "hibari": settings.VOICEOPS["VOICE_TARGET"],
            "piper": settings.VOICEOPS["PIPER_TARGET"],
        },
        sentences=options["sentences"],
        voices=tuple(name for name in options["voices"].split(",") if name),
        stream=not options["no_stream"],
        stock=not options["no_stock"],
        recordings=not options["no_recordings"],
    )
    result = asyncio.run(Bench(chosen, say).run())
    one, five, _ = os.getloadavg()
    result["conditions"] = {
        "cores": os.cpu_count(), "load_average_1_min": round(one, 1), "load_average_5_min": round(five, 1),
        **result.pop("conditions"),
    }  # fmt: skip
    return result
