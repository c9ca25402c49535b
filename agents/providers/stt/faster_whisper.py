"""Whisper on the speech server: English and Hindi, with vocabulary hints."""

from __future__ import annotations

from agents.providers.settings import Settings, text
from agents.providers.stt.remote import RemoteRecogniser
from voiceops.core.ports import Capabilities


def create(settings: Settings) -> RemoteRecogniser:
    """Uses SPEECH_TARGET."""
    return RemoteRecogniser(
        text(settings, "SPEECH_TARGET"),
        engine="whisper",
        capabilities=Capabilities(
            name="faster_whisper",
            engine="faster-whisper (CTranslate2 int8)",
            languages=frozenset({"en", "hi"}),
        ),
    )
