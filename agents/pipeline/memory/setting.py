"""What a rule that finds facts is given and gives: a clause in its setting, and a value heard in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from agents.pipeline.entities import Place
from agents.pipeline.memory.clauses import ToldClause
from agents.pipeline.memory.facts import ASKED, CORRECTED, STATED, Heard

Rule = Callable[[ToldClause, "Setting"], Iterator[Heard]]


class Setting:
    """What an utterance is understood against: known places, the day, and what was asked."""

    __slots__ = ("expecting", "now", "places")

    def __init__(self, places: Sequence[Place], now: datetime, expecting: str = "") -> None:
        """`expecting` is the fact the agent has just asked for."""
        self.places = tuple(places)
        self.now = now
        self.expecting = expecting


def heard(name: str, value: object, clause: ToldClause, **more: object) -> Heard:
    """`value` as the caller's own statement. `more` are further fields of `Heard`."""
    confidence = CORRECTED if clause.corrects else STATED
    return Heard(name, value, clause.text, confidence, correction=clause.corrects, **more)  # type: ignore[arg-type]


def interest(
    name: str, value: object, clause: ToldClause, setting: Setting, *, retract: bool = False
) -> Heard:
    """A wish when it is said as one, else something that was only asked about."""
    means_it = not clause.asks and (clause.wants or clause.corrects or setting.expecting == name)
    if retract or means_it:
        return heard(name, value, clause, retract=retract)
    return Heard(name, value, clause.text, ASKED)
