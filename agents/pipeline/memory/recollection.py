"""Memory in a turn: what the caller's words mean for it, what is answered from it, what is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from agents.pipeline.entities import Place, find_yes_no
from agents.pipeline.intent import UNKNOWN, IntentMatch
from agents.pipeline.lines import joined, say
from agents.pipeline.memory import wording
from agents.pipeline.memory.clauses import told_clauses
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
    Merged,
    Rival,
    merge,
    settle,
)
from agents.pipeline.memory.long_term import LongTerm
from agents.pipeline.memory.recall import Recall, asked_to_recall
from agents.pipeline.memory.session import Memory
from agents.pipeline.turn import Clause, Turn
from voiceops.core.events import RetrievalEntry
from voiceops.core.plan import CallPlan, IntentSpec

RECALLED = 4
"""Facts said at once; more cannot be kept in mind by ear."""
REPLY_WORDS = 6
"""Up to here "yes" or "no" is taken for the answer to the question that memory asked."""
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


@dataclass(slots=True, eq=False)
class Recollection:
    """One per call. Reads `memory` while a turn is worked out, and writes it in the turn's commit."""

    plan: CallPlan
    memory: Memory
    places: Sequence[Place]
    now: Callable[[], datetime]
    long_term: LongTerm = field(init=False)
    _hindi: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.long_term = LongTerm.of(self.plan)
        self._hindi = {
            place.name: alias
            for place in self.places
            for alias in place.aliases[:1]
            if re.search(r"[\u0900-\u097f]", alias)
        }
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
                return self._recalled(turn, recall, hearing, language)
        if self._is_told(hearing, match, spec):
            return self._noted(turn, hearing, language)
        if spec is not None and spec.slug in MEMORY_INTENTS:
            return [Clause(self._line("unclear", language), "fixed", fixed=True)]
        return None

    def question(self, turn: Turn, hearing: Hearing) -> Clause | None:
        """What has to be asked because two statements disagree, once for each fact."""
        memory = self.memory
        if memory.flow is not None or turn.ends_call or turn.intent == "site_visit_booking":
            return None
        for name, known in hearing.merged.facts.items():
            if known.rival is not None and name not in memory.asked:
                turn.commit.append(lambda name=name: self._asked(name))  # type: ignore[misc]
                return self._clarify(name, known, known.rival, turn.language)
        return None

    def _asked(self, name: str) -> None:
        self.memory.asking = name
        self.memory.asked |= {name}

    def _clarify(self, name: str, known: Known, rival: Rival, language: str) -> Clause:
        code = "memory_clarify_place" if name == "preferred_location" else "memory_clarify"
        return Clause(
            self._line(
                code, language, before=self._written(name, known.value, language),
                after=self._written(name, rival.value, language),
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
        fact = self._sentence(name, hearing.merged.facts[name].value, language)
        return [Clause(self._line(code, language, fact=fact), "template")]

    def _noted(self, turn: Turn, hearing: Hearing, language: str) -> list[Clause]:
        turn.intent = TELLS
        refused = next((item for item in hearing.told if item.refused), None)
        if refused is not None:
            if isinstance(refused.value, int):
                value = self._written(refused.name, refused.value, language)
                return [Clause(self._line("memory_refused", language, value=value), "template")]
            return [Clause(self._line("memory_unclear", language), "fixed", fixed=True)]
        changed = {change.name: change.change for change in hearing.merged.changes}
        facts = [
            self._sentence(name, hearing.merged.facts[name].value, language)
            for name in dict.fromkeys(item.name for item in hearing.told)
            if name in hearing.merged.facts and changed.get(name) != "contradicted"
        ]
        if not facts:
            return []  # the question about the contradiction is the answer
        code = "memory_changed" if "corrected" in changed.values() else "memory_noted"
        said = joined(facts[:RECALLED], "और" if language == "hi" else "and")
        return [Clause(self._line(code, language, fact=said), "template")]

    def _recalled(self, turn: Turn, recall: Recall, hearing: Hearing, language: str) -> list[Clause]:
        turn.intent = RECALLS
        started = turn.call_ms()
        clauses = self._remembered(turn, recall, hearing, language)
        outcome = "ok" if turn.citations else "empty"
        rows = turn.citations or [{"chunk": "", "version": "", "text": ""}]
        elapsed = turn.call_ms() - started
        for row in rows:
            entry = RetrievalEntry(
                query=hearing.text, source=SOURCE, outcome=outcome, latency_ms=elapsed, chunk=row["chunk"],
                version=row["version"], text=row["text"],
            )  # fmt: skip
            turn.retrievals.append(entry)
            turn.emit(
                "retrieval", turn.index, query=entry.query, source=SOURCE, outcome=outcome,
                latency_ms=elapsed, chunk=entry.chunk, score=None, text=entry.text,
            )  # fmt: skip
        turn.answered = turn.answered or bool(turn.citations)
        return clauses

    def _remembered(self, turn: Turn, recall: Recall, hearing: Hearing, language: str) -> list[Clause]:
        match recall.kind:
            case "repeat":
                last = next((t for t in reversed(self.memory.turns) if t.said), None)
                if last is None:
                    return [Clause(self._line("memory_not_said", language), "fixed", fixed=True)]
                self._cite(turn, f"turn:{last.index}", str(last.index), last.said)
                return [Clause(last.said, "template")]
            case "told":
                told = self.memory.told.get(recall.names[0])
                if told is None:
                    return [Clause(self._line("memory_not_said", language), "fixed", fixed=True)]
                self._cite(turn, f"turn:{told.index}", str(told.index), told.said)
                return [Clause(self._line("memory_repeat", language, said=told.said), "template")]
            case "last_call":
                return self._last_call(turn, language)
            case "all":
                names: Sequence[str] = [*hearing.known][-RECALLED:]
            case "facts":
                names = recall.names
        facts = [hearing.known.get(name) for name in names]
        if recall.kind == "all":
            if not names:
                return self._last_call(turn, language, "memory_nothing")
            shown = [self._sentence(name, hearing.known[name].value, language) for name in names]
            for name in names:
                self._cite_fact(turn, name, hearing.known[name])
            said = joined(shown, "और" if language == "hi" else "and")
            return [Clause(self._line("memory_told", language, fact=said), "template")]
        return [
            self._fact(turn, name, None if recall.before else known, language)
            for name, known in zip(names, facts, strict=True)
        ][:RECALLED]

    def _fact(self, turn: Turn, name: str, known: Known | None, language: str) -> Clause:
        """One remembered fact: of this call, of an earlier one, of the records, or that there is none."""
        if known is not None:
            self._cite_fact(turn, name, known)
            if known.rival is not None:
                turn.commit.append(lambda: self._asked(name))
                line = self._line(
                    "memory_disputed", language, before=self._written(name, known.value, language),
                    after=self._written(name, known.rival.value, language),
                )  # fmt: skip
            elif known.confidence < STATED:
                line = self._line("memory_asked", language, value=self._written(name, known.value, language))
            else:
                line = self._line("memory_told", language, fact=self._sentence(name, known.value, language))
            return Clause(line, "template")
        earlier = self.long_term.fact(name)
        if earlier is not None:
            self._cite(
                turn,
                f"memory:{name}",
                earlier.session_id,
                earlier.said,
                "What the caller said in an earlier call",
            )
            fact = self._sentence(name, earlier.value, language)
            day = earlier.day_seen_from(self.now(), language)
            return Clause(self._line("memory_before", language, day=day, fact=fact), "template")
        customer = self.plan.customer
        recorded = {"name": customer.pii_name, "phone": customer.pii_phone}.get(name) if customer else None
        if name == "phone":
            recorded = recorded or self.plan.pii_caller
        if recorded:
            self._cite(turn, f"customer:{name}", "", recorded, "Customer record")
            return Clause(
                self._line("memory_record", language, fact=self._sentence(name, recorded, language)),
                "template",
            )
        return Clause(self._line("memory_unknown", language, label=wording.label(name, language)), "template")

    def _last_call(self, turn: Turn, language: str, otherwise: str = "memory_no_call") -> list[Clause]:
        facts = list(self.long_term.facts.items())[:RECALLED]
        if facts:
            for name, fact in facts:
                self._cite(
                    turn,
                    f"memory:{name}",
                    fact.session_id,
                    fact.said,
                    "What the caller said in an earlier call",
                )
            said = joined(
                [self._sentence(name, fact.value, language) for name, fact in facts],
                "और" if language == "hi" else "and",
            )
            day = facts[0][1].day_seen_from(self.now(), language)
            return [Clause(self._line("memory_before", language, day=day, fact=said), "template")]
        summary = self.plan.customer.summary if self.plan.customer else ()
        if summary and language == "en":
            self._cite(turn, "customer:summary", "", summary[0], "Customer history")
            return [Clause(self._line("memory_last_call", language, said=f"{summary[0]}."), "template")]
        return [Clause(self._line(otherwise, language), "fixed", fixed=True)]

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

    def _line(self, code: str, language: str, **values: str) -> str:
        if code == "unclear":
            return say(self.plan.agent, code, language)
        return wording.line(self.plan.agent, code, language, **values)

    def _written(self, name: str, value: Any, language: str) -> str:
        return wording.written(name, value, language, self._hindi)

    def _sentence(self, name: str, value: Any, language: str) -> str:
        return wording.sentence(name, value, language, self._hindi)

    def _cite_fact(self, turn: Turn, name: str, known: Known) -> None:
        self._cite(turn, f"memory:{name}", f"turn {known.turn}", known.said)

    def _cite(
        self, turn: Turn, chunk: str, version: str, text: str, title: str = "What was said in this call"
    ) -> None:
        turn.citations.append(
            {"source": SOURCE, "chunk": chunk, "version": version, "title": title, "text": text}
        )
