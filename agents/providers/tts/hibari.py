"""Hibari: the default English voice: neural and 14 ms for a short clause."""

from __future__ import annotations

from agents.providers.settings import Settings, text
from agents.providers.tts.remote import RemoteVoice
from voiceops.core.ports import Capabilities


def create(settings: Settings) -> RemoteVoice:
    """Uses VOICE_TARGET."""
    return RemoteVoice(
        text(settings, "VOICE_TARGET"),
        engine="hibari",
        capabilities=Capabilities(
            name="hibari", engine="Hibari (neural, ONNX)", languages=frozenset({"en"}), sample_rate_hz=24_000
        ),
    )
