"""What a call needs from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voiceops.core.ports import (
    Capabilities,
    Embedder,
    FactSink,
    LanguageModel,
    Retriever,
    SpeechToText,
    TextToSpeech,
    VoiceActivity,
)


@dataclass(frozen=True, slots=True)
class CallPorts:
    """What a call needs from outside, already opened and warm."""

    stt: tuple[SpeechToText, ...]
    """In order of preference."""
    llm: LanguageModel
    tts: Mapping[str, TextToSpeech]
    """By registry name, as `VoiceSpec.provider` says it."""
    vad: VoiceActivity
    embedder: Embedder
    retriever: Retriever
    facts: FactSink

    def capabilities(self) -> dict[str, Capabilities]:
        """What is in use per stage, for the trace."""
        first_voice = next(iter(self.tts.values()), None)
        found = {
            "stt": self.stt[0].capabilities if self.stt else None,
            "llm": self.llm.capabilities,
            "tts": first_voice.capabilities if first_voice else None,
            "vad": self.vad.capabilities,
            "embedder": self.embedder.capabilities,
        }
        return {stage: capabilities for stage, capabilities in found.items() if capabilities}
