"""The caller's words of one turn against what memory holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from agents.pipeline.entities import find_yes_no
from agents.pipeline.memory.clauses import told_clauses
from agents.pipeline.memory.extract import Setting, heard_facts
from agents.pipeline.memory.facts import STATED, Change, Heard, Known, Merged, merge, settle

REPLY_WORDS = 6
"""Up to here "yes" or "no" is taken for the answer to the question that memory asked."""


@dataclass(eq=False)
class Hearing:
    """The caller's words of one turn against what was known when it began."""

    text: str
    turn: int
    setting: Setting
    known: Mapping[str, Known]
    asking: str

    @cached_property
    def heard(self) -> list[Heard]:
        return heard_facts(self.text, self.setting)

    @cached_property
    def merged(self) -> Merged:
        """What would be known after this turn, the answer to a question of memory's own included."""
        known = dict(self.known)
        changes: list[Change] = []
        verdict = self.verdict
        if (
            verdict is not None
            and (before := known.get(self.asking)) is not None
            and before.rival is not None
        ):
            known[self.asking] = after = settle(before, self.turn, newer=verdict)
            said = before.rival.said if verdict else before.said
            changes.append(
                Change(self.asking, "corrected" if verdict else "kept", before.value, after.value, said)
            )
        heard = [item for item in self.heard if verdict is None or item.name != self.asking]
        merged = merge(known, heard, self.turn)
        return Merged(merged.facts, (*changes, *merged.changes))

    @cached_property
    def verdict(self) -> bool | None:
        """After "shall I take Hebbal instead?": True for the newer value, False for the older one,
        None when the words do not say."""
        known = self.known.get(self.asking)
        if known is None or known.rival is None:
            return None
        for item in self.heard:
            if item.name == self.asking and not item.refused:
                if item.value == known.rival.value:
                    return item.retract is False
                if item.value == known.value:
                    return item.retract
                return None
        if len(self.text.split()) > REPLY_WORDS or self.asks:
            return None
        return find_yes_no(self.text)

    @cached_property
    def asks(self) -> bool:
        return any(clause.asks for clause in told_clauses(self.text))

    @cached_property
    def told(self) -> list[Heard]:
        """What was said of oneself, not merely asked about."""
        return [item for item in self.heard if item.confidence >= STATED]
