"""What a customer told in earlier calls, as the plan brings it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents.pipeline.memory.facts import STATED
from agents.pipeline.memory.wording import SENTENCES
from agents.pipeline.templates import day_seen_from
from voiceops.core.plan import CallPlan


@dataclass(frozen=True, slots=True)
class EarlierFact:
    value: Any
    said: str
    at: datetime
    """When the call began in which it was said."""
    session_id: str

    def day_seen_from(self, now: datetime, language: str) -> str:
        """ "yesterday", "on Saturday, 21 November"."""
        day = day_seen_from(self.at.astimezone(now.tzinfo), now, language)
        return day.removesuffix(" को") if language == "hi" else day


@dataclass(frozen=True, slots=True)
class LongTerm:
    """Facts of a customer's earlier calls, the newest statement of each."""

    facts: Mapping[str, EarlierFact] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: CallPlan) -> LongTerm:
        """From `plan.extra["long_term"]`: name → {value, said, at (ISO 8601), session_id}."""
        told = plan.extra.get("long_term") or {}
        return cls(
            {
                name: EarlierFact(
                    value=tuple(row["value"]) if isinstance(row["value"], list) else row["value"],
                    said=str(row["said"]),
                    at=datetime.fromisoformat(row["at"]),
                    session_id=str(row["session_id"]),
                )
                for name, row in told.items()
                if name in SENTENCES["en"]
            }
        )

    def fact(self, name: str) -> EarlierFact | None:
        return self.facts.get(name)

    def as_json(self) -> dict[str, Any]:
        return {
            name: {
                "value": list(fact.value) if isinstance(fact.value, tuple) else fact.value,
                "said": fact.said, "at": fact.at.isoformat(), "session_id": fact.session_id,
            }
            for name, fact in self.facts.items()
        }  # fmt: skip


def worth_keeping(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Of a call's session facts, those that a later call may tell back: stated and not disputed."""
    return {
        name: fact
        for name, fact in facts.items()
        if float(fact.get("confidence", 0.0)) >= STATED and not fact.get("rival")
    }
