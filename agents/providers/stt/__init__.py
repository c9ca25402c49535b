"""Speech to text by name. Each entry is a factory `create(settings) -> SpeechToText`."""

from voiceops.core.registry import Registry

REGISTRY = Registry(
    "STT",
    {
        "faster_whisper": "agents.providers.stt.faster_whisper:create",
        "pocketsphinx": "agents.providers.stt.pocketsphinx:create",
        "simulated": "agents.providers.stt.simulated:create",
    },
)
