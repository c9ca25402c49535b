"""Memory in a turn: what the caller's words mean for it, what is answered from it, what is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agents.pipeline.entities import Place
from agents.pipeline.intent import UNKNOWN, IntentMatch
from agents.pipeline.lines import joined
from agents.pipeline.memory import wording
from agents.pipeline.memory.extract import Setting, heard_facts
from agents.pipeline.memory.facts import (
    MEMORY_INTENTS,
    RECALLS,
    SOURCE,
    STATED,
    TELLS,
    Change,
    Heard,
    Known,
    Rival,
)
from agents.pipeline.memory.hearing import Hearing
from agents.pipeline.memory.long_term import LongTerm
from agents.pipeline.memory.recall import Recall, asked_to_recall
from agents.pipeline.memory.recalling import RECALLED, Recalling
from agents.pipeline.memory.session import Memory
from agents.pipeline.memory.words import Words
from agents.pipeline.turn import Clause, Turn
from voiceops.core.plan import CallPlan, IntentSpec

BACKGROUND_CHARACTERS = 72
"""About 18 tokens of the prompt, whatever the length of the call."""
BEFORE_CHARACTERS = 110
_BACKGROUND = ("property_type", "preferred_location", "budget", "preferred_project", "purpose")
_SEARCHED = frozenset(["property_type", "preferred_location", "preferred_project", "city"])
"""What homes are looked up by: telling it asks for homes too."""
_PARTING = re.compile(r"\b(?:bye|goodbye|see you|alvida|milenge)\b|अलविदा|मिलेंगे|बाय")
_BOOKS = re.compile(
    r"\b(?:book|arrange|schedule|fix|reserve|appointment|come|see|look at|show|tomorrow|today|karni|karna"
    r"|dekhn\w+|aana)\b|बुक|देखन|आना"
)
_REFERS = re.compile(
    r"\b(?:it|its|that|there|they|them|this|those|same|wahan|uska|uske)\b|वहाँ|वहां|उसका|उसके|इसका"
)


def _expected(flow: Any) -> str:
    """The fact that a flow has just asked for."""
    step = getattr(flow, "step", "")
    return step if step in ("name", "phone") else ""


@dataclass(slots=True, eq=False)
class Recollection:
    """One per call. Reads `memory` while a turn is worked out, and writes it in the turn's commit."""

    plan: CallPlan
    memory: Memory
    places: Sequence[Place]
    now: Callable[[], datetime]
    long_term: LongTerm = field(init=False)
    words: Words = field(init=False)
    recalling: Recalling = field(init=False)

    def __post_init__(self) -> None:
        self.long_term = LongTerm.of(self.plan)
        self.words = Words.of(self.plan, self.places)
        self.recalling = Recalling(self.plan, self.memory, self.long_term, self.words, self.now)
        self.memory.tellable = frozenset(
            intent.slug
            for intent in self.plan.intents
            if intent.kind == "answer" and SOURCE not in intent.sources
        )

    # A turn -----------------------------------------------------------------------------

    def hear(self, turn: Turn, text: str) -> Hearing:
        """Take note of the words; they are understood when somebody asks, and kept at the commit."""
        memory = self.memory
        setting = Setting(self.places, self.now(), memory.asking or _expected(memory.flow))
        hearing = Hearing(text, turn.index, setting, dict(memory.facts), memory.asking)
        turn.memory = self.record(memory.facts, ())
        turn.background = self._background(text)
        turn.commit.append(lambda: self._commit(turn, hearing))
        return hearing

    def asked(self, text: str) -> bool:
        """Whether the words ask for something that was said, whatever the classifier made of them."""
        return asked_to_recall(text) is not None

    def checked(self, match: IntentMatch, text: str) -> IntentMatch:
        """The runner-up in place of an intent of memory's when memory finds nothing asked or told:
        "tell me more about the project" is near to both, and only one can answer it."""
        if match.slug not in MEMORY_INTENTS or match.method == "exact":
            return match
        if match.slug == RECALLS:
            stands = asked_to_recall(text, certain=True) is not None
        else:
            stands = any(item.confidence >= STATED for item in self._heard(text))
        if stands:
            return match
        runner_up = match.runner_up if match.runner_up not in MEMORY_INTENTS else UNKNOWN
        return replace(match, slug=runner_up or UNKNOWN, runner_up=match.slug)

    def _heard(self, text: str) -> list[Heard]:
        return heard_facts(text, Setting(self.places, self.now()))

    def _commit(self, turn: Turn, hearing: Hearing) -> None:
        memory, merged = self.memory, hearing.merged
        memory.facts = dict(merged.facts)
        if hearing.asking:
            memory.asking = ""
            self._refocus(hearing)
        turn.memory = self.record(merged.facts, merged.changes)
        if merged.changes:
            turn.emit("memory", turn.index, **turn.memory)

    def _refocus(self, hearing: Hearing) -> None:
        """Homes are looked up by what the caller decided for."""
        known = hearing.merged.facts.get(hearing.asking)
        slot = {"preferred_location": "locality", "property_type": "property_type"}.get(hearing.asking)
        if known is not None and slot and isinstance(known.value, str) and hearing.verdict is not None:
            self.memory.remember({slot: known.value}, hearing.turn)

    def record(self, facts: Mapping[str, Known], changes: Sequence[Change]) -> dict[str, Any]:
        """`TurnRecord.memory`."""
        return {
            "facts": {name: known.as_json() for name, known in facts.items()},
            "changes": [change.as_json() for change in changes],
        }

    def snapshot(self) -> dict[str, Any]:
        """Working, session and long-term memory as they stand, for the trace."""
        return {**self.memory.as_json(), "long_term": self.long_term.as_json()}

    # Answers ----------------------------------------------------------------------------

    def reply(
        self, turn: Turn, hearing: Hearing, match: IntentMatch, spec: IntentSpec | None
    ) -> list[Clause] | None:
        """The answer when it is memory's to give; None when it is not."""
        language = turn.language
        if hearing.verdict is not None and not hearing.asks:
            rest = [item for item in hearing.told if item.name != hearing.asking]
            if not rest or spec is None or spec.kind == "social":
                return self._settled(turn, hearing, language)
        certain = spec is not None and spec.slug == RECALLS
        if match.method != "exact" or certain:
            recall = asked_to_recall(hearing.text, certain=certain and match.method != "words")
            if recall is None and certain and match.method == "exact":
                recall = Recall("all")
            if recall is not None and not self._tells(recall, hearing):
                return self.recalling.answer(turn, recall, hearing)
        if self._is_told(hearing, match, spec):
            return self._noted(turn, hearing, language)
        if spec is not None and spec.slug in MEMORY_INTENTS:
            return [Clause(self.words.line("unclear", language), "fixed", fixed=True)]
        return None

    def question(self, turn: Turn, hearing: Hearing) -> Clause | None:
        """What has to be asked because two statements disagree, once for each fact."""
        memory = self.memory
        if memory.flow is not None or turn.ends_call or turn.intent == "site_visit_booking":
            return None
        for name, known in hearing.merged.facts.items():
            if known.rival is not None and name not in memory.asked:
                turn.commit.append(lambda name=name: memory.ask(name))  # type: ignore[misc]
                return self._clarify(name, known, known.rival, turn.language)
        return None

    def _clarify(self, name: str, known: Known, rival: Rival, language: str) -> Clause:
        code = "memory_clarify_place" if name == "preferred_location" else "memory_clarify"
        return Clause(
            self.words.line(
                code, language, before=self.words.written(name, known.value, language),
                after=self.words.written(name, rival.value, language),
            ),
            "template",
        )  # fmt: skip

    def _tells(self, recall: Recall, hearing: Hearing) -> bool:
        """ "I said my budget is 90 lakh" tells; it does not ask."""
        return recall.kind == "facts" and any(item.name in recall.names for item in hearing.told)

    def _is_told(self, hearing: Hearing, match: IntentMatch, spec: IntentSpec | None) -> bool:
        """Whether the caller only tells of themselves, so that noting it is the answer."""
        if spec is not None and spec.kind == "flow":
            times = all(item.name == "visit_time" for item in hearing.told)
            return (
                times and bool(hearing.told) and not hearing.asks and not _BOOKS.search(hearing.text.lower())
            )
        if spec is not None and spec.kind == "handover":
            return False
        if spec is not None and spec.slug == "goodbye" and _PARTING.search(hearing.text.lower()):
            return False
        if hearing.asks or not hearing.told:
            return False
        if spec is None or spec.kind == "social" or spec.slug == TELLS or spec.slug == RECALLS:
            return True
        looked_up = "listings" in spec.sources and any(item.name in _SEARCHED for item in hearing.told)
        return not looked_up

    def _settled(self, turn: Turn, hearing: Hearing, language: str) -> list[Clause]:
        turn.intent = TELLS
        name = hearing.asking
        code = "memory_changed" if hearing.verdict else "memory_kept"
        fact = self.words.sentence(name, hearing.merged.facts[name].value, language)
        return [Clause(self.words.line(code, language, fact=fact), "template")]

    def _noted(self, turn: Turn, hearing: Hearing, language: str) -> list[Clause]:
        turn.intent = TELLS
        refused = next((item for item in hearing.told if item.refused), None)
        if refused is not None:
            if isinstance(refused.value, int):
                value = self.words.written(refused.name, refused.value, language)
                return [Clause(self.words.line("memory_refused", language, value=value), "template")]
            return [Clause(self.words.line("memory_unclear", language), "fixed", fixed=True)]
        changed = {change.name: change.change for change in hearing.merged.changes}
        facts = [
            self.words.sentence(name, hearing.merged.facts[name].value, language)
            for name in dict.fromkeys(item.name for item in hearing.told)
            if name in hearing.merged.facts and changed.get(name) != "contradicted"
        ]
        if not facts:
            return []  # the question about the contradiction is the answer
        code = "memory_changed" if "corrected" in changed.values() else "memory_noted"
        said = joined(facts[:RECALLED], "और" if language == "hi" else "and")
        return [Clause(self.words.line(code, language, fact=said), "template")]

    # Words ------------------------------------------------------------------------------

    def _background(self, text: str) -> str:
        """Lines for a prompt: the caller's wishes, and the last turn when the words refer to it."""
        facts = [
            (name, known.value)
            for name in _BACKGROUND
            if (known := self.memory.facts.get(name)) is not None and known.rival is None
        ]
        wishes = wording.background(facts, BACKGROUND_CHARACTERS)
        lines = [f"Caller wants: {wishes}"] if wishes else []
        last = self.memory.turns[-1] if self.memory.turns else None
        if last is not None and last.heard and _REFERS.search(text.lower()):
            lines.append(f"Before: {last.heard} {last.said}"[:BEFORE_CHARACTERS])
        return "\n".join(lines)
