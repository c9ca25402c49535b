"""A sentence from facts: the language model's if it says nothing else, the template's otherwise."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from agents.pipeline import prompt
from agents.pipeline.clauses import Clauser
from agents.pipeline.fallback import code_of
from agents.pipeline.grounding import Grounds, check, contains_asked, evidence_values
from agents.pipeline.turn import Clause, Turn
from voiceops.core.budget import Deadline
from voiceops.core.clock import Clock
from voiceops.core.facts import Evidence
from voiceops.core.plan import AgentProfile
from voiceops.core.ports import LanguageModel, LlmDelta, LlmRequest

MAX_TOKENS = 48
"""One or two spoken sentences; the embedded model writes 65 to 75 tokens a second."""
LLM_REST_MS = 30_000.0
"""After a failure answers come from templates for this long: the caller has waited once."""
MAX_CLAUSES = 3


@dataclass(slots=True, eq=False)
class Phrasing:
    """One per call."""

    llm: LanguageModel
    profile: AgentProfile
    clock: Clock
    rests_until_ms: float = field(default=0.0)

    async def sentence(
        self,
        turn: Turn,
        *,
        question: str,
        evidence: Sequence[Evidence],
        grounds: Grounds,
        now: datetime,
        rebuilt: str,
    ) -> AsyncIterator[Clause]:
        """Clauses that stand in the facts. `rebuilt` is the template's sentence: said instead
        when the model fails, is late, speaks another language or says more than the facts.

        Nothing is said before the asked value was: a sentence that never comes to it is rebuilt.
        """
        if turn.language not in self.llm.capabilities.languages:
            turn.decide(
                "grounding", "llm_language",
                f"the language model does not speak {turn.language}: answered by template",
            )  # fmt: skip
            yield Clause(rebuilt, "template")
            return
        if self.rests_until_ms > self.clock.now_ms():
            turn.decide("degrade", "llm_resting", "the language model failed a moment ago: template")
            yield Clause(rebuilt, "template")
            return
        messages = prompt.messages(
            self.profile, question=question, intent=turn.intent, evidence=evidence, now=now
        )
        turn.context["messages"] = messages
        turn.context["facts"] = evidence_values(evidence)
        held: list[str] = []
        said: list[str] = []
        written: list[str] = []
        problem = ""
        started = self.clock.now_ms()
        try:
            with turn.span("llm", self.profile.budget.llm_ms, engine=self.llm.capabilities.name):
                async with aclosing(self._clauses(turn, messages, started)) as clauses:
                    async for clause in clauses:
                        written.append(clause)
                        with turn.span("grounding"):
                            problems = check(clause, grounds)
                        if problems:
                            problem = "; ".join(str(found) for found in problems[:3])
                            break
                        held.append(clause)
                        if not said and not contains_asked(" ".join(held), grounds):
                            continue
                        if turn.llm_ms is None:
                            turn.llm_ms = self.clock.now_ms() - started
                        for ready in held:
                            said.append(ready)
                            yield Clause(ready, "llm")
                        held.clear()
                        if len(said) >= MAX_CLAUSES:
                            break
        except Exception as error:
            self.rests_until_ms = self.clock.now_ms() + LLM_REST_MS
            code = code_of(error)
            turn.decide("degrade", f"llm_{code}", f"{str(error) or 'no usable clause in time'}: template")
            if not said:
                yield Clause(rebuilt, "template")
            return
        finally:
            turn.context["completion"] = " ".join(written)
        if said:
            if problem:
                turn.decide("grounding", "answer_cut", f"left out {written[-1]!r}: {problem}")
            return
        reason = problem or (
            f"missing_value: {' '.join(written)!r} does not say what was asked" if written else "no words"
        )
        turn.decide("grounding", "answer_rebuilt", reason)
        yield Clause(rebuilt, "template")

    async def _clauses(
        self, turn: Turn, messages: Sequence[dict[str, str]], started: float
    ) -> AsyncGenerator[str]:
        deadline = Deadline(started + self.profile.budget.llm_timeout_ms, self.clock)
        request = LlmRequest(messages=messages, max_tokens=MAX_TOKENS, stop=("\n\n",))
        clauser = Clauser()
        first = True
        stream = self.llm.stream(request, deadline=deadline)
        try:
            while True:
                # The adapter binds its reads too; this also binds one that forgets.
                async with deadline.timeout():
                    try:
                        delta = await anext(stream)
                    except StopAsyncIteration:
                        break
                if first and delta.text:
                    first = False
                    turn.emit("llm.first_token", turn.index, after_ms=self.clock.now_ms() - started)
                _count(turn, delta)
                for clause in clauser.push(delta.text):
                    yield clause
            rest = clauser.rest()
            if rest and turn.context.get("finish_reason") != "length":
                yield rest  # a sentence cut off by the token limit is not one
            turn.emit("llm.done", turn.index, after_ms=self.clock.now_ms() - started)
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()


def _count(turn: Turn, delta: LlmDelta) -> None:
    for name in ("prompt_tokens", "completion_tokens", "cached_tokens"):
        value = getattr(delta, name)
        if value is not None:
            turn.context[name] = value
    if delta.finish_reason:
        turn.context["finish_reason"] = delta.finish_reason
