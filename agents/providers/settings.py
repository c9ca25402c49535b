"""Reading the settings mapping that every provider factory takes."""

from __future__ import annotations

from collections.abc import Mapping

from voiceops.core.errors import ConfigurationError

Settings = Mapping[str, object]
"""`settings.VOICEOPS`: LLM_URL, SPEECH_TARGET, VOICE_TARGET, PIPER_TARGET, SIM_*…"""


def text(settings: Settings, key: str, default: str | None = None) -> str:
    """Raises ConfigurationError naming the environment variable."""
    value = settings.get(key, default)
    if not isinstance(value, str):
        raise ConfigurationError(f"VOICEOPS_{key} is not set: set it in the environment")
    return value


def whole(settings: Settings, key: str, default: int) -> int:
    """Raises ConfigurationError naming the environment variable."""
    value = settings.get(key, default)
    if not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"VOICEOPS_{key}={value!r} is not a whole number of at least 0")
    return value
