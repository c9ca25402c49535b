"""Plain silence: what most agents do, and what the others are measured against."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.providers.settings import Settings
from voiceops.core.ports import Capabilities, Judgement, Pause


@dataclass(frozen=True, slots=True)
class SilenceJudge:
    """Quick with short questions, and it does cut into slow speech. Of the gaps that Silero sees in
    two recordings of read English (two_cities.wav and beckett.wav of moonshine-voice, 54 s, 24
    gaps), 21 % are below 200 ms and half below 550 ms."""

    speculate_ms: float = 200.0
    end_ms: float = 500.0

    def judge(self, pause: Pause) -> Judgement:
        return Judgement(self.end_ms, 0.5, "plain")

    def went_on(self, gap_ms: float) -> None:
        pass


@dataclass(frozen=True, slots=True)
class SilenceModel:
    """`TurnModel`."""

    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities("silence", "500 ms of silence", frozenset({"en", "hi"}))
    )

    def open(self) -> SilenceJudge:
        return SilenceJudge()

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


def create(settings: Settings) -> SilenceModel:
    return SilenceModel()
