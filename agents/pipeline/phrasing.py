"""A sentence from facts: the language model's if it says nothing else, the template's otherwise."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime

from agents.pipeline import prompt, snapshot
from agents.pipeline.ahead import Ahead
from agents.pipeline.clauses import Clauser
from agents.pipeline.fallback import code_of
from agents.pipeline.forecast import FORECAST, Forecast
from agents.pipeline.grounding import Grounds, check, contains_asked, evidence_values
from agents.pipeline.turn import Clause, Turn
from voiceops.core.budget import Deadline
from voiceops.core.clock import Clock
from voiceops.core.facts import Evidence
from voiceops.core.plan import AgentProfile
from voiceops.core.ports import LanguageModel, LlmDelta, LlmRequest, Priority

MAX_TOKENS = 48
"""One or two spoken sentences; the embedded model writes 65 to 75 tokens a second."""
LLM_REST_MS = 30_000.0
"""After a failure answers come from templates for this long: the caller has waited once."""
MAX_CLAUSES = 3
COMMIT_MS = 200.0
"""From the words at the first silence to the end of the turn, about: what a guess may use for free."""
GUESS_MS = 1500.0
"""A model that needs longer is not set to work on guesses: whoever speaks needs the processor."""
PROBE_MS = 20_000.0
"""A model that was too slow is tried again on a guess after this long, so that its return is seen."""


@dataclass(slots=True, eq=False)
class Phrasing:
    """One per call."""

    llm: LanguageModel
    profile: AgentProfile
    clock: Clock
    ahead: Ahead | None = None
    forecast: Forecast = FORECAST
    voice_ms: Callable[[str], float] = lambda language: 0.0
    """What the first audio in a language will take: the model must be done by so much sooner."""
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
        when the model fails, would be late, speaks another language or says more than the facts.

        Nothing is said before the asked value was: a sentence that never comes to it is rebuilt.
        """
        started = turn.call_ms()
        clauses = self._sentence(turn, question, evidence, grounds, now, rebuilt)
        async with aclosing(clauses):
            async for clause in clauses:
                turn.waited.setdefault("llm", turn.call_ms() - started)
                yield clause

    async def _sentence(
        self,
        turn: Turn,
        question: str,
        evidence: Sequence[Evidence],
        grounds: Grounds,
        now: datetime,
        rebuilt: str,
    ) -> AsyncGenerator[Clause]:
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

        def prompted(question: str) -> list[dict[str, str]]:
            return prompt.messages(
                self.profile, question=question, intent=turn.intent, evidence=evidence, now=now,
                background=turn.background,
            )  # fmt: skip

        messages = prompted(question)
        turn.context["messages"] = messages
        turn.context["facts"] = evidence_values(evidence)
        request = LlmRequest(messages=messages, max_tokens=MAX_TOKENS, stop=("\n\n",))
        turn.context["request"] = snapshot.request_json(request, self.llm)
        if self._is_useless(turn, request):
            turn.decide(
                "grounding", "llm_not_waited_for",
                f"what the language model writes for {turn.intent} was hardly ever usable lately: template",
            )  # fmt: skip
            yield Clause(rebuilt, "template")
            return
        late = self._would_be_late(turn, request)
        if turn.draft == "partial" and prompted("") != messages:
            late = "the caller's own words belong to the prompt, and more of them may come"
        if late:
            turn.decide("degrade", "llm_late", f"{late}: template")
            yield Clause(rebuilt, "template")
            return
        async for clause in self._written(turn, request, grounds, rebuilt):
            yield clause

    async def _written(
        self, turn: Turn, request: LlmRequest, grounds: Grounds, rebuilt: str
    ) -> AsyncIterator[Clause]:
        held: list[str] = []
        said: list[str] = []
        written: list[str] = []
        problem = ""
        started = self.clock.now_ms()
        try:
            with turn.span("llm", self.profile.budget.llm_ms, engine=self.llm.capabilities.name):
                async with aclosing(self._clauses(turn, request, started)) as clauses:
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
            code = code_of(error)
            refused_guess = turn.draft and code == "at_capacity"
            if code != "timeout" and not refused_guess:
                self.rests_until_ms = self.clock.now_ms() + LLM_REST_MS
            turn.decide("degrade", f"llm_{code}", f"{str(error) or 'no usable clause in time'}: template")
            if not said:
                yield Clause(rebuilt, "template")
            return
        finally:
            turn.context["completion"] = " ".join(written)
        if not turn.draft:
            self.forecast.tell_use(self._engine, turn.intent, bool(said))
        if said:
            if problem:
                turn.decide("grounding", "answer_cut", f"left out {written[-1]!r}: {problem}")
            return
        reason = problem or (
            f"missing_value: {' '.join(written)!r} does not say what was asked" if written else "no words"
        )
        turn.decide("grounding", "answer_rebuilt", reason)
        yield Clause(rebuilt, "template")

    # Time -------------------------------------------------------------------------------

    def _patience_ms(self, turn: Turn) -> float:
        """How long the caller may be kept waiting for the model from now on: its own budget, and
        not beyond what leaves the voice time within the whole turn's."""
        budget = self.profile.budget
        patience = float(min(budget.llm_ms, budget.llm_timeout_ms))
        if turn.speech_ended_ms is not None:
            due = turn.speech_ended_ms + budget.total_ms - self.voice_ms(turn.language)
            patience = min(patience, due - turn.call_ms())
        return max(0.0, patience)

    def _is_useless(self, turn: Turn, request: LlmRequest) -> bool:
        run = self.ahead.find("generation", _key(request)) if self.ahead is not None else None
        return run is None and self.forecast.is_useless(self._engine, turn.intent)

    def _would_be_late(self, turn: Turn, request: LlmRequest) -> str:
        """Why the model is not waited for; empty when it is."""
        run = self.ahead.find("generation", _key(request)) if self.ahead is not None else None
        if run is not None and not run.running and run.error is None:
            return ""
        patience = self._patience_ms(turn)
        predicted = self.forecast.predicted_ms("llm", self._engine)
        turn.expects(None)
        if turn.draft:
            if predicted is None or run is not None:
                return ""
            allowed = GUESS_MS if turn.draft == "partial" else COMMIT_MS + patience
            if predicted <= allowed or self.forecast.age_ms("llm", self._engine) > PROBE_MS:
                return ""
            return f"the model needs about {predicted:.0f} ms, a guess may take {allowed:.0f} ms"
        if patience <= 0:
            return "the turn's time is used up"
        if predicted is None:
            return ""
        left = predicted - (run.elapsed_ms if run is not None else 0.0)
        if left <= patience:
            turn.expects(max(0.0, left))
            return ""
        if run is not None:
            run.abort()
        return f"the model needs about {left:.0f} ms more, the caller may wait {patience:.0f} ms"

    @property
    def _engine(self) -> str:
        return self.llm.capabilities.engine

    # The model --------------------------------------------------------------------------

    async def _clauses(self, turn: Turn, request: LlmRequest, started: float) -> AsyncGenerator[str]:
        limit_ms = GUESS_MS * 2 if turn.draft else self._patience_ms(turn)
        deadline = Deadline(started + limit_ms, self.clock)

        def generate(priority: Priority) -> AsyncGenerator[LlmDelta]:
            return self._generate(request, priority, deadline)

        clauser = Clauser()
        first = True
        deltas = (
            self.ahead.stream(turn, "generation", _key(request), generate)
            if self.ahead is not None
            else generate("final")
        )
        async with aclosing(deltas):
            while True:
                # The adapter binds its reads too; this also binds one that forgets, and a guess
                # that was begun with more time than is left now.
                async with deadline.timeout():
                    try:
                        delta = await anext(deltas)
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

    async def _generate(
        self, request: LlmRequest, priority: Priority, deadline: Deadline
    ) -> AsyncGenerator[LlmDelta]:
        """One request to the model; how long it takes is remembered."""
        started = self.clock.now_ms()
        stream = self.llm.stream(replace(request, priority=priority), deadline=deadline)
        finished = False
        try:
            async for delta in stream:
                yield delta
            finished = True
        finally:
            elapsed = self.clock.now_ms() - started
            if finished:
                self.forecast.observe("llm", self._engine, elapsed)
            else:
                self.forecast.at_least("llm", self._engine, elapsed)
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()


def _key(request: LlmRequest) -> Hashable:
    """Requests with the same key have the same answer: nothing is drawn by lot."""
    messages = tuple((message["role"], message["content"]) for message in request.messages)
    return (messages, request.max_tokens, request.stop, request.temperature, request.seed)


def _count(turn: Turn, delta: LlmDelta) -> None:
    for name in ("prompt_tokens", "completion_tokens", "cached_tokens"):
        value = getattr(delta, name)
        if value is not None:
            turn.context[name] = value
    if delta.finish_reason:
        turn.context["finish_reason"] = delta.finish_reason
