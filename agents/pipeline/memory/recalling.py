"""Answers to what the caller asks of the past: of this call, of an earlier one, of the records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.pipeline.lines import joined
from agents.pipeline.memory import wording
from agents.pipeline.memory.facts import RECALLS, SOURCE, STATED, Known
from agents.pipeline.memory.hearing import Hearing
from agents.pipeline.memory.long_term import LongTerm
from agents.pipeline.memory.recall import Recall
from agents.pipeline.memory.session import Memory
from agents.pipeline.memory.words import Words
from agents.pipeline.turn import Clause, Turn
from voiceops.core.events import RetrievalEntry
from voiceops.core.plan import CallPlan

RECALLED = 4
"""Facts said at once; more cannot be kept in mind by ear."""


@dataclass(frozen=True, slots=True, eq=False)
class Recalling:
    """One per call."""

    plan: CallPlan
    memory: Memory
    long_term: LongTerm
    words: Words
    now: Callable[[], datetime]

    def answer(self, turn: Turn, recall: Recall, hearing: Hearing) -> list[Clause]:
        """Clauses for what was asked, with what they rest on among the turn's citations."""
        turn.intent, language = RECALLS, turn.language
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
                    return [Clause(self.words.line("memory_not_said", language), "fixed", fixed=True)]
                self._cite(turn, f"turn:{last.index}", str(last.index), last.said)
                return [Clause(last.said, "template")]
            case "told":
                told = self.memory.told.get(recall.names[0])
                if told is None:
                    return [Clause(self.words.line("memory_not_said", language), "fixed", fixed=True)]
                self._cite(turn, f"turn:{told.index}", str(told.index), told.said)
                return [Clause(self.words.line("memory_repeat", language, said=told.said), "template")]
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
            shown = [self.words.sentence(name, hearing.known[name].value, language) for name in names]
            for name in names:
                self._cite_fact(turn, name, hearing.known[name])
            said = joined(shown, "और" if language == "hi" else "and")
            return [Clause(self.words.line("memory_told", language, fact=said), "template")]
        return [
            self._fact(turn, name, None if recall.before else known, language)
            for name, known in zip(names, facts, strict=True)
        ][:RECALLED]

    def _fact(self, turn: Turn, name: str, known: Known | None, language: str) -> Clause:
        """One remembered fact: of this call, of an earlier one, of the records, or that there is none."""
        if known is not None:
            self._cite_fact(turn, name, known)
            if known.rival is not None:
                turn.commit.append(lambda: self.memory.ask(name))
                line = self.words.line(
                    "memory_disputed", language, before=self.words.written(name, known.value, language),
                    after=self.words.written(name, known.rival.value, language),
                )  # fmt: skip
            elif known.confidence < STATED:
                line = self.words.line(
                    "memory_asked", language, value=self.words.written(name, known.value, language)
                )
            else:
                line = self.words.line(
                    "memory_told", language, fact=self.words.sentence(name, known.value, language)
                )
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
            fact = self.words.sentence(name, earlier.value, language)
            day = earlier.day_seen_from(self.now(), language)
            return Clause(self.words.line("memory_before", language, day=day, fact=fact), "template")
        customer = self.plan.customer
        recorded = {"name": customer.pii_name, "phone": customer.pii_phone}.get(name) if customer else None
        if name == "phone":
            recorded = recorded or self.plan.pii_caller
        if recorded:
            self._cite(turn, f"customer:{name}", "", recorded, "Customer record")
            return Clause(
                self.words.line(
                    "memory_record", language, fact=self.words.sentence(name, recorded, language)
                ),
                "template",
            )
        return Clause(
            self.words.line("memory_unknown", language, label=wording.label(name, language)), "template"
        )

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
                [self.words.sentence(name, fact.value, language) for name, fact in facts],
                "और" if language == "hi" else "and",
            )
            day = facts[0][1].day_seen_from(self.now(), language)
            return [Clause(self.words.line("memory_before", language, day=day, fact=said), "template")]
        summary = self.plan.customer.summary if self.plan.customer else ()
        if summary and language == "en":
            self._cite(turn, "customer:summary", "", summary[0], "Customer history")
            return [Clause(self.words.line("memory_last_call", language, said=f"{summary[0]}."), "template")]
        return [Clause(self.words.line(otherwise, language), "fixed", fixed=True)]

    def _cite_fact(self, turn: Turn, name: str, known: Known) -> None:
        self._cite(turn, f"memory:{name}", f"turn {known.turn}", known.said)

    def _cite(
        self, turn: Turn, chunk: str, version: str, text: str, title: str = "What was said in this call"
    ) -> None:
        turn.citations.append(
            {"source": SOURCE, "chunk": chunk, "version": version, "title": title, "text": text}
        )
