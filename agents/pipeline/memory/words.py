"""The words of one call's agent for what it remembers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from agents.pipeline.entities import Place
from agents.pipeline.lines import say
from agents.pipeline.memory import wording
from voiceops.core.plan import AgentProfile, CallPlan


@dataclass(frozen=True, slots=True)
class Words:
    agent: AgentProfile
    hindi: Mapping[str, str]
    """Names of places in Devanagari."""

    @classmethod
    def of(cls, plan: CallPlan, places: Sequence[Place]) -> Self:
        hindi = {
            place.name: alias
            for place in places
            for alias in place.aliases[:1]
            if re.search(r"[\u0900-\u097f]", alias)
        }
        return cls(plan.agent, hindi)

    def line(self, code: str, language: str, **values: str) -> str:
        if code == "unclear":
            return say(self.agent, code, language)
        return wording.line(self.agent, code, language, **values)

    def written(self, name: str, value: Any, language: str) -> str:
        return wording.written(name, value, language, self.hindi)

    def sentence(self, name: str, value: Any, language: str) -> str:
        return wording.sentence(name, value, language, self.hindi)
