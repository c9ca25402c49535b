"""Typed facts that a caller tells, and what a new one means for what is known already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

SOURCE = "memory"
"""Named by an intent's sources, and in citations and the retrieval log."""
TELLS = "about_caller"
RECALLS = "memory_recall"
MEMORY_INTENTS = (TELLS, RECALLS)
ASKED = 0.6
"""Confidence of what somebody only asked about: "the price of a 3BHK" is not yet a wish for one."""
STATED = 0.9
CORRECTED = 0.95
CONFIRMED = 1.0
DISPUTED = 0.5
"""Two statements that disagree, while nobody has said which one holds."""
HISTORY = 4
"""Earlier values kept of each fact."""

ChangeKind = Literal["new", "corrected", "contradicted", "confirmed", "kept", "retracted", "refused"]


@dataclass(frozen=True, slots=True)
class Heard:
    """A value in an utterance, before it is known what it means for what was known."""

    name: str
    value: Any
    said: str
    """The caller's words it stands in."""
    confidence: float = STATED
    correction: bool = False
    """Said so as to replace something: "no, make it two BHK"."""
    also: bool = False
    """Said so as to add to something: "Hebbal is fine too"."""
    retract: bool = False
    """The value is not wanted: "not in Whitefield"."""
    refused: str = ""
    """Why the value cannot be taken; empty when it can."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A later statement that disagrees, until the caller says which one holds."""

    value: Any
    turn: int
    said: str


@dataclass(frozen=True, slots=True)
class Known:
    """A fact of this call."""

    value: Any
    turn: int
    """Index of the turn it was said in."""
    confidence: float
    said: str
    earlier: tuple[Rival, ...] = ()
    """Values it superseded, oldest first, with where they were said."""
    rival: Rival | None = None

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "value": _plain(self.value), "turn": self.turn, "confidence": self.confidence, "said": self.said,
        }  # fmt: skip
        if self.earlier:
            told["earlier"] = [rival_json(was) for was in self.earlier]
        if self.rival is not None:
            told["rival"] = rival_json(self.rival)
        return told


def rival_json(rival: Rival) -> dict[str, Any]:
    return {"value": _plain(rival.value), "turn": rival.turn, "said": rival.said}


def known_of(told: Mapping[str, Any]) -> Known:
    """The inverse of `Known.as_json`. Raises KeyError or TypeError on another shape."""
    rival = told.get("rival")
    return Known(
        value=_typed(told["value"]),
        turn=int(told["turn"]),
        confidence=float(told["confidence"]),
        said=str(told["said"]),
        earlier=tuple(_rival_of(was) for was in told.get("earlier", ())),
        rival=_rival_of(rival) if rival else None,
    )


def _rival_of(told: Mapping[str, Any]) -> Rival:
    return Rival(_typed(told["value"]), int(told["turn"]), str(told["said"]))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _typed(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Change:
    """What an utterance did to a fact."""

    name: str
    change: ChangeKind
    before: Any
    after: Any
    said: str

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "change": self.change, "before": _plain(self.before),
            "after": _plain(self.after), "said": self.said,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Merged:
    """What is known after an utterance."""

    facts: Mapping[str, Known] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


def merge(known: Mapping[str, Known], heard: Sequence[Heard], turn: int) -> Merged:
    """Take in what was heard in `turn`. Pure: `known` stays as it is.

    A correction supersedes; a second statement that disagrees is kept beside the first as its
    rival until the caller has been asked; what was only asked about never replaces a statement.
    """
    facts = dict(known)
    changes: list[Change] = []
    for item in heard:
        before = facts.get(item.name)
        if item.refused:
            changes.append(Change(item.name, "refused", before and before.value, item.value, item.said))
            continue
        after, change = _taken(before, item, turn)
        if after is None:
            facts.pop(item.name, None)
        else:
            facts[item.name] = after
        if change is not None:
            changes.append(Change(item.name, change, before and before.value, item.value, item.said))
    return Merged(facts, tuple(changes))


def _taken(before: Known | None, item: Heard, turn: int) -> tuple[Known | None, ChangeKind | None]:
    fresh = Known(item.value, turn, item.confidence, item.said)
    if item.retract:
        if before is None:
            return None, None
        left = tuple(value for value in values_of(before.value) if value != item.value)
        if len(left) == len(values_of(before.value)):
            return before, None
        return (replace(before, value=left[0] if len(left) == 1 else left) if left else None), "retracted"
    if before is None:
        return fresh, "new"
    if item.value == before.value or item.value in values_of(before.value):
        if before.rival is not None and item.confidence >= STATED:
            return replace(before, rival=None, confidence=CONFIRMED), "kept"
        return replace(before, confidence=max(before.confidence, item.confidence)), None
    if item.confidence < STATED:
        if before.confidence < STATED and before.rival is None:
            return _superseding(fresh, before), "new"
        return before, None
    if item.also:
        return replace(fresh, value=(*values_of(before.value), item.value), earlier=before.earlier), "new"
    stated = before.confidence >= STATED or before.rival is not None
    if item.correction or not stated or _refines(before.value, item.value):
        confidence = CORRECTED if item.correction else item.confidence
        changed: ChangeKind = "corrected" if stated else "new"
        return _superseding(replace(fresh, confidence=confidence), before), changed
    if before.rival is not None and before.rival.value == item.value:
        # Said twice by now: the newer statement holds.
        return _superseding(replace(fresh, confidence=CORRECTED), before), "corrected"
    rival = Rival(item.value, turn, item.said)
    return replace(before, rival=rival, confidence=DISPUTED), "contradicted"


def settle(known: Known, turn: int, *, newer: bool) -> Known:
    """The fact after the caller has said which of two statements holds."""
    if known.rival is None:
        return known
    if newer:
        taken = Known(known.rival.value, known.rival.turn, CONFIRMED, known.rival.said)
        return _superseding(taken, replace(known, rival=None))
    return replace(known, rival=None, confidence=CONFIRMED)


def values_of(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _superseding(fresh: Known, before: Known) -> Known:
    earlier = (*before.earlier, Rival(before.value, before.turn, before.said))
    return replace(fresh, earlier=earlier[-HISTORY:])


def _refines(before: Any, after: Any) -> bool:
    """ "Asha" and then "Asha Rao" are one name."""
    return isinstance(before, str) and isinstance(after, str) and after.startswith(f"{before} ")
