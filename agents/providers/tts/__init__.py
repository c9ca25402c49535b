"""Voices by name. Each entry is a factory `create(settings) -> TextToSpeech`."""

from voiceops.core.registry import Registry

REGISTRY = Registry(
    "TTS",
    {
        "hibari": "agents.providers.tts.hibari:create",
        "piper": "agents.providers.tts.piper:create",
        "espeak": "agents.providers.tts.espeak:create",
        "simulated": "agents.providers.tts.simulated:create",
    },
)
