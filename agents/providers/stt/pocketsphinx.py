"""Pocketsphinx on the speech server: weak, English only, and independent of Whisper's model."""

from __future__ import annotations

from agents.providers.settings import Settings, text
from agents.providers.stt.remote import RemoteRecogniser
from voiceops.core.ports import Capabilities


def create(settings: Settings) -> RemoteRecogniser:
    """Uses SPEECH_TARGET."""
    return RemoteRecogniser(
        text(settings, "SPEECH_TARGET"),
        engine="pocketsphinx",
        capabilities=Capabilities(
            name="pocketsphinx", engine="pocketsphinx (US English)", languages=frozenset({"en"})
        ),
    )
