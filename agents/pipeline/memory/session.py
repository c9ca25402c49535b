"""What one call remembers: its last turns as played, and typed facts with the turn they came from."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.pipeline.memory.facts import MEMORY_INTENTS, Known, known_of

WORKING_TOKENS = 240
WORKING_TURNS = 8
BYTES_A_TOKEN = 3.5
"""Of English and Devanagari text alike, roughly, for tokenisers of small models."""


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    index: int
    heard: str
    said: str
    """Only what the caller really heard."""
    intent: str

    @property
    def tokens(self) -> int:
        """A rough count."""
        return round((len(self.heard.encode()) + len(self.said.encode())) / BYTES_A_TOKEN) + 4


@dataclass(frozen=True, slots=True)
class Slot:
    value: Any
    turn: int
    """Index of the turn it was heard in."""


@dataclass(slots=True)
class Memory:
    """Of one call. Written when a turn has really taken place, never by a draft or a cancelled one."""

    turns: deque[PlayedTurn] = field(default_factory=deque)
    """Working memory: the last turns, at most WORKING_TOKENS in all."""
    slots: dict[str, Slot] = field(default_factory=dict)
    """What is being talked about now: the home and the place of the last questions."""
    facts: dict[str, Known] = field(default_factory=dict)
    """Session memory: what the caller told of themselves and wants."""
    told: dict[str, PlayedTurn] = field(default_factory=dict)
    """By intent, the last factual answer that was played."""
    asking: str = ""
    """The fact that the caller has just been asked about, because two statements disagree."""
    asked: frozenset[str] = frozenset()
    """Facts whose disagreement was put to the caller already."""
    tellable: frozenset[str] = frozenset()
    """Intents whose answers are facts that may be asked for again."""
    last_intent: str = ""
    flow: Any = None
    """State of the flow in progress (a frozen dataclass of that flow), or None."""

    def ask(self, name: str) -> None:
        """The caller has just been asked which of two statements about `name` holds."""
        self.asking = name
        self.asked |= {name}

    def values(self) -> dict[str, Any]:
        return {name: slot.value for name, slot in self.slots.items()}

    def remember(self, found: Mapping[str, Any], turn: int) -> None:
        """Newer values supersede older ones; a new place forgets what belonged to the old one."""
        if "project" in found and "locality" not in found:
            self.slots.pop("locality", None)
        if "locality" in found and "project" not in found:
            self.slots.pop("project", None)
            self.slots.pop("project_slug", None)
        for name, value in found.items():
            self.slots[name] = Slot(value, turn)

    def played(self, turn: PlayedTurn) -> None:
        self.turns.append(turn)
        while len(self.turns) > WORKING_TURNS or (
            len(self.turns) > 1 and sum(kept.tokens for kept in self.turns) > WORKING_TOKENS
        ):
            self.turns.popleft()
        if turn.intent and turn.heard and turn.intent not in MEMORY_INTENTS:
            # "And the two bedroom?" goes on with the question before the remark about oneself.
            self.last_intent = turn.intent
        if turn.intent in self.tellable and turn.heard and turn.said:
            self.told[turn.intent] = turn

    def as_json(self) -> dict[str, Any]:
        """Everything but the flow, in values that JSON takes."""
        return {
            "working": [
                {"turn": t.index, "heard": t.heard, "said": t.said, "intent": t.intent} for t in self.turns
            ],
            "session": {name: fact.as_json() for name, fact in self.facts.items()},
            "focus": {name: {"value": slot.value, "turn": slot.turn} for name, slot in self.slots.items()},
            "told": {
                intent: {"turn": t.index, "heard": t.heard, "said": t.said, "intent": t.intent}
                for intent, t in self.told.items()
            },
            "asking": self.asking,
            "asked": sorted(self.asked),
            "last_intent": self.last_intent,
        }


def memory_of(told: Mapping[str, Any]) -> Memory:
    """The inverse of `Memory.as_json`. Raises KeyError, TypeError or ValueError on another shape."""

    def played(row: Mapping[str, Any]) -> PlayedTurn:
        return PlayedTurn(int(row["turn"]), str(row["heard"]), str(row["said"]), str(row["intent"]))

    return Memory(
        turns=deque(played(row) for row in told.get("working", ())),
        slots={name: Slot(row["value"], int(row["turn"])) for name, row in told.get("focus", {}).items()},
        facts={name: known_of(row) for name, row in told.get("session", {}).items()},
        told={intent: played(row) for intent, row in told.get("told", {}).items()},
        asking=str(told.get("asking", "")),
        asked=frozenset(told.get("asked", ())),
        last_intent=str(told.get("last_intent", "")),
    )
