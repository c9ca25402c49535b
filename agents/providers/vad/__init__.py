"""Voice activity detectors by name. Each entry is a factory `create(settings) -> VoiceActivity`."""

from voiceops.core.registry import Registry

REGISTRY = Registry("VAD", {"silero": "agents.providers.vad.silero:create"})
