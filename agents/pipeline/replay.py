"""A stored turn worked out again from what it stood on. Nothing here writes anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agents.pipeline import snapshot
from agents.pipeline.forecast import Forecast
from agents.pipeline.lookup import Lookup
from agents.pipeline.memory import memory_of
from agents.pipeline.phrasing import Phrasing
from agents.pipeline.promises import Promises
from agents.pipeline.responder import Responder
from agents.pipeline.turn import Turn, clause_pieces
from voiceops.core.budget import Deadline, TurnBudget
from voiceops.core.clock import MonotonicClock
from voiceops.core.errors import FactRejected, LlmError, SourceError
from voiceops.core.facts import Fact, Query, Receipt, Retrieved
from voiceops.core.plan import CallPlan, CustomerContext
from voiceops.core.ports import Capabilities, LanguageModel, LlmDelta, LlmRequest, Priority, Retriever

PATIENT = TurnBudget(
    llm_ms=120_000, llm_timeout_ms=120_000, retrieval_ms=10_000, retrieval_timeout_ms=10_000,
    total_ms=240_000, fact_timeout_ms=200,
)  # fmt: skip
"""Nobody waits for a replay: a slow machine must not change the answer."""


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """What the trace keeps of a turn, as far as an answer stands on it."""

    index: int
    language: str
    context: Mapping[str, Any]
    tools: Sequence[Mapping[str, Any]] = ()
    """Each: name, outcome, result."""
    refused_model: str = ""
    """Code of the decision by which the language model was not waited for; empty when it was."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a turn."""

    said: str
    source: str
    intent: str
    messages: tuple[Mapping[str, str], ...] = ()
    completion: str = ""
    searches: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    citations: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


def plan_of(told: Mapping[str, Any], plan: CallPlan) -> CallPlan:
    """`plan` with the caller and the long-term memory of the stored turn, and with all the time
    there is."""
    customer = told["input"]["customer"]
    known = None
    if "customer_id" in customer:
        known = CustomerContext(
            customer["customer_id"], customer["pii_name"], customer["pii_phone"], customer["language"],
            tuple(customer["summary"]),
        )  # fmt: skip
    return replace(
        plan,
        agent=replace(plan.agent, budget=PATIENT),
        customer=known,
        pii_caller=customer["pii_caller"] or None,
        extra={**plan.extra, "long_term": told["memory"].get("long_term", {})},
    )


async def work_out(
    stored: StoredTurn, *, plan: CallPlan, llm: LanguageModel, retriever: Retriever | None = None
) -> Answer:
    """Answer the stored words again. Without a `retriever` the stored evidence is what is retrieved.

    `plan` should come from `plan_of`. Raises: LlmError when the model cannot be reached.
    """
    told = stored.context
    clock = MonotonicClock()
    watched = _Watched(llm, stored.refused_model)
    memory = memory_of(told["memory"])
    memory.flow = snapshot.restored(told["input"]["flow"])
    now = datetime.fromisoformat(told["input"]["now"])
    started = clock.now_ms()
    turn = Turn(
        index=stored.index, kind="answer", started_ms=0.0, language=stored.language,
        call_ms=lambda: clock.now_ms() - started, emit=_silent, heard=told["input"]["text"],
        budget=plan.agent.budget,
    )  # fmt: skip
    said: list[str] = []
    source = "fixed"
    async with asyncio.TaskGroup() as scope:
        responder = Responder(
            plan=plan,
            embedder=_Recorded(told.get("embeddings") or []),
            lookup=Lookup(
                retriever or _Evidence(told.get("searches") or []),
                plan.agent.budget,
                clock,
                forecast=Forecast(),
            ),
            phrasing=Phrasing(watched, plan.agent, clock, forecast=Forecast()),
            promises=Promises(
                _Kept(stored.tools), scope, clock, plan.session_id, plan.agent.budget.fact_timeout_ms
            ),
            memory=memory,
            clock=clock,
            now=lambda: now,
        )
        async with aclosing(responder.respond(turn, told["input"]["text"])) as clauses:
            async for clause in clauses:
                if clause.source == "flow" or (clause.source != "fixed" and source != "flow"):
                    source = clause.source
                said += clause_pieces(clause)
    if watched.failure is not None:
        raise watched.failure
    return Answer(
        said=" ".join(said),
        source=source,
        intent=turn.intent,
        messages=tuple(turn.context.get("messages") or ()),
        completion=str(turn.context.get("completion") or ""),
        searches=tuple(turn.context.get("searches") or ()),
        citations=tuple(turn.citations),
    )


def _silent(kind: str, turn: int | None, /, **data: Any) -> None:
    """A replay tells nobody anything."""


class Pinned:
    """A language model that is asked exactly what was asked then, whatever is put to it now."""

    def __init__(self, llm: LanguageModel, told: Mapping[str, Any]) -> None:
        self.capabilities = llm.capabilities
        self._llm = llm
        self._request = (
            snapshot.request_of(told["request"], told["messages"])
            if told.get("request") and told.get("messages")
            else None
        )

    async def stream(self, request: LlmRequest, *, deadline: Deadline) -> AsyncGenerator[LlmDelta, None]:
        """Raises LlmError."""
        asked = self._llm.stream(self._request or request, deadline=deadline)
        async for delta in asked:
            yield delta

    async def warm(self) -> None:
        await self._llm.warm()

    async def warm_prefix(self, messages: Sequence[Mapping[str, str]]) -> None:
        await self._llm.warm_prefix(messages)

    async def aclose(self) -> None:
        await self._llm.aclose()


class _Watched:
    """The model, remembering why it failed: in a call a template would quietly take its place."""

    def __init__(self, llm: LanguageModel, refused: str) -> None:
        self.capabilities: Capabilities = llm.capabilities
        self.failure: LlmError | None = None
        self._llm = llm
        self._refused = refused

    async def stream(self, request: LlmRequest, *, deadline: Deadline) -> AsyncGenerator[LlmDelta, None]:
        """Raises LlmError."""
        if self._refused:
            raise LlmError("the model was not waited for in this turn", code="timeout")
        try:
            async for delta in self._llm.stream(request, deadline=deadline):
                yield delta
        except LlmError as error:
            self.failure = error
            raise

    async def warm(self) -> None:
        await self._llm.warm()

    async def warm_prefix(self, messages: Sequence[Mapping[str, str]]) -> None:
        await self._llm.warm_prefix(messages)

    async def aclose(self) -> None:
        await self._llm.aclose()


class _Recorded:
    """The embeddings that the turn had."""

    capabilities = Capabilities("recorded", "recorded embeddings")

    def __init__(self, told: Sequence[str]) -> None:
        self._vectors = snapshot.embeddings_of(told)

    async def embed(
        self, texts: Sequence[str], *, kind: str, deadline: Deadline, priority: Priority = "final"
    ) -> list[list[float]]:
        """Raises SourceError when the turn had none."""
        if len(self._vectors) != len(texts):
            raise SourceError("the turn had no embedding of these words", code="unavailable")
        return self._vectors

    async def warm(self) -> None:
        return None

    async def aclose(self) -> None:
        return None


class _Evidence:
    """What the turn retrieved, in the order it asked."""

    def __init__(self, told: Sequence[Mapping[str, Any]]) -> None:
        self._searches = list(told)

    async def search(self, query: Query, *, sources: Sequence[str], deadline: Deadline) -> Retrieved:
        for position, search in enumerate(self._searches):
            if list(search["sources"]) == list(sources):
                return snapshot.retrieved_of(self._searches.pop(position))
        raise SourceError(f"the turn did not ask {', '.join(sources)}", code="unavailable")


class _Kept:
    """The outcome that each promise had; nothing is promised again."""

    def __init__(self, told: Sequence[Mapping[str, Any]]) -> None:
        self._tools = list(told)

    async def append(self, fact: Fact, *, deadline: Deadline) -> Receipt:
        """Raises: FactRejected, SourceError, as the sink did then."""
        for position, tool in enumerate(self._tools):
            if tool["name"] != fact.kind:
                continue
            self._tools.pop(position)
            match tool["outcome"]:
                case "ok":
                    return Receipt(fact.fact_id, "none", dict(tool["result"]))
                case "rejected":
                    raise FactRejected("refused in the stored turn", code=str(tool["result"].get("code", "")))
                case "timed_out":
                    await asyncio.sleep(3600)
            break
        raise SourceError("the stored turn kept no such promise", code="unavailable")
