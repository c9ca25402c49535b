"""The adapters that the settings ask for, made once a process and warmed before calls come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agents.providers.llm import REGISTRY as LLMS
from agents.providers.stt import REGISTRY as STTS
from agents.providers.tts import REGISTRY as TTSS
from agents.providers.vad import REGISTRY as VADS
from voiceops.core.errors import StageError
from voiceops.core.plan import AgentProfile, VoiceSpec
from voiceops.core.ports import Embedder, LanguageModel, Provider, SpeechToText, TextToSpeech, VoiceActivity
from voiceops.inference.embedder import RemoteEmbedder

log = logging.getLogger(__name__)

WARM_RETRY_S = 1.0
SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Providers:
    """Every adapter a call may use, fallbacks included."""

    stt: tuple[SpeechToText, ...]
    llm: LanguageModel
    tts: Mapping[str, TextToSpeech]
    tts_order: tuple[str, ...]
    """Registry names: the preferred one, then its fallbacks."""
    vad: VoiceActivity
    embedder: Embedder
    states: dict[str, str] = field(default_factory=dict)
    """Readiness by component name: `ready`, or why not."""

    @classmethod
    def create(cls, settings: Mapping[str, Any]) -> Providers:
        """Raises: ConfigurationError naming the provider and the known ones."""
        stt_names = _chain(settings["STT"], settings["STT_FALLBACKS"])
        tts_names = _chain(settings["TTS"], settings["TTS_FALLBACKS"])
        return cls(
            stt=tuple(STTS.load(name)(settings) for name in stt_names),
            llm=LLMS.load(settings["LLM"])(settings),
            tts={name: TTSS.load(name)(settings) for name in tts_names},
            tts_order=tts_names,
            vad=VADS.load(settings["VAD"])(settings),
            embedder=RemoteEmbedder(settings["SPEECH_TARGET"]),
        )

    def parts(self) -> dict[str, Provider]:
        """Component name → adapter, as `/healthz` lists them."""
        return {
            **{f"stt:{stt.capabilities.name}": stt for stt in self.stt},
            "llm": self.llm,
            **{f"tts:{name}": tts for name, tts in self.tts.items()},
            "vad": self.vad,
            "embeddings": self.embedder,
        }

    def engines(self) -> dict[str, str]:
        """What is in use per stage, for people; a simulated engine says so."""
        return {
            "stt": self.stt[0].capabilities.engine,
            "llm": self.llm.capabilities.engine,
            "tts": self.tts[self.tts_order[0]].capabilities.engine,
            "vad": self.vad.capabilities.engine,
            "embedder": self.embedder.capabilities.engine,
        }

    async def warm(self) -> None:
        """Return when every adapter has answered one real inference; keeps trying."""
        async with asyncio.TaskGroup() as tasks:
            for name, provider in self.parts().items():
                self.states[name] = "warming"
                tasks.create_task(self._warm(name, provider))

    async def _warm(self, name: str, provider: Provider) -> None:
        while True:
            try:
                await provider.warm()
            except StageError as error:
                self.states[name] = f"{error.code}: {error}"
                await asyncio.sleep(WARM_RETRY_S)
            else:
                self.states[name] = "ready"
                log.info("provider ready name=%s engine=%s", name, provider.capabilities.engine)
                return

    async def aclose(self) -> None:
        await asyncio.gather(*(part.aclose() for part in self.parts().values()), return_exceptions=True)

    def voiced(self, profile: AgentProfile) -> AgentProfile:
        """The profile with the voices that this process really has.

        An agent's own order comes first, then the settings' order; a voice that does not speak
        the language, or is not configured, is left out. Simulated voices replace all others.
        """
        voices = {language: self._voices(profile, language) for language in profile.languages}
        return replace(profile, voices=voices)

    def _voices(self, profile: AgentProfile, language: str) -> tuple[VoiceSpec, ...]:
        if self.tts_order == (SIMULATED,):
            return (VoiceSpec(SIMULATED),)
        chosen = [spec for spec in profile.voices.get(language, ()) if spec.provider in self.tts]
        rest = [VoiceSpec(name) for name in self.tts_order if name not in {spec.provider for spec in chosen}]
        return tuple(
            spec for spec in (*chosen, *rest) if language in self.tts[spec.provider].capabilities.languages
        )


def _chain(first: str, fallbacks: list[str]) -> tuple[str, ...]:
    """Provider names in order. A simulated provider stands alone: a load test that fell back to
    a real engine would measure something else."""
    return (first,) if first == SIMULATED else tuple(dict.fromkeys([first, *fallbacks]))
