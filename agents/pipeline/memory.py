"""What the call remembers: turns as played, and typed values with the turn they came from."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WORKING_TURNS = 8


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    index: int
    heard: str
    said: str
    """Only what the caller really heard."""
    intent: str


@dataclass(frozen=True, slots=True)
class Slot:
    value: Any
    turn: int
    """Index of the turn it was heard in."""


@dataclass(slots=True)
class Memory:
    """Of one call. Written when a turn has really taken place, never by a cancelled one."""

    turns: deque[PlayedTurn] = field(default_factory=lambda: deque(maxlen=WORKING_TURNS))
    slots: dict[str, Slot] = field(default_factory=dict)
    last_intent: str = ""
    flow: Any = None
    """State of the flow in progress (a frozen dataclass of that flow), or None."""

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
        if turn.intent and turn.heard:
            self.last_intent = turn.intent
