"""Engines by name. Each is one file; a server loads the ones it was asked for."""

from __future__ import annotations

from voiceops.core.registry import Registry

_HERE = "voiceops.inference.engines"

REGISTRY = Registry(
    "inference engine",
    {
        "whisper": f"{_HERE}.whisper:Whisper",
        "pocketsphinx": f"{_HERE}.pocketsphinx:Pocketsphinx",
        "e5": f"{_HERE}.e5:E5",
        "hibari": f"{_HERE}.hibari:HibariVoice",
        "piper": f"{_HERE}.piper:PiperVoices",
        "espeak": f"{_HERE}.espeak:Espeak",
    },
)
