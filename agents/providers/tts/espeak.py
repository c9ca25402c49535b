"""eSpeak NG: robotic, but it speaks Hindi and never fails: the last resort."""

from __future__ import annotations

from agents.providers.settings import Settings, text
from agents.providers.tts.remote import RemoteVoice
from voiceops.core.ports import Capabilities


def create(settings: Settings) -> RemoteVoice:
    """Uses VOICE_TARGET."""
    return RemoteVoice(
        text(settings, "VOICE_TARGET"),
        engine="espeak",
        capabilities=Capabilities(
            name="espeak",
            engine="eSpeak NG (formant)",
            languages=frozenset({"en", "hi"}),
            sample_rate_hz=22_050,
        ),
    )
