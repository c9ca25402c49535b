"""Piper: the second neural English voice, on a server of its own (GPL-3)."""

from __future__ import annotations

from agents.providers.settings import Settings, text
from agents.providers.tts.remote import RemoteVoice
from voiceops.core.ports import Capabilities


def create(settings: Settings) -> RemoteVoice:
    """Uses PIPER_TARGET."""
    return RemoteVoice(
        text(settings, "PIPER_TARGET"),
        engine="piper",
        capabilities=Capabilities(
            name="piper", engine="Piper (neural, ONNX)", languages=frozenset({"en"}), sample_rate_hz=22_050
        ),
    )
