"""Facts on their way to durability: awaited by the turn, kept alive by the call."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agents.pipeline.fallback import code_of
from agents.pipeline.turn import Turn
from voiceops.core.budget import Deadline
from voiceops.core.clock import Clock
from voiceops.core.errors import FactRejected
from voiceops.core.events import ToolInvocation
from voiceops.core.facts import Fact, Receipt
from voiceops.core.ports import FactSink

FactKind = Literal["site_visit_booked", "handover_requested"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one promise."""

    state: Literal["kept", "rejected", "failed", "unconfirmed"]
    """`failed`: surely not written. `unconfirmed`: no answer in time, it may have been."""
    receipt: Receipt | None = None
    code: str = ""
    message: str = ""


@dataclass(eq=False, slots=True)
class Promises:
    """One per call. An append is started in the call's scope, so a barge-in cannot tear it."""

    sink: FactSink
    scope: asyncio.TaskGroup
    clock: Clock
    session_id: str
    timeout_ms: float
    kept: list[str] = field(default_factory=list)
    """Kinds that became durable, for the call's outcome."""
    _running: dict[str, asyncio.Task[Outcome]] = field(default_factory=dict)

    def started(self, fact_id: str) -> bool:
        """Whether an append of this fact is running or done."""
        return fact_id in self._running

    async def append(
        self, turn: Turn, kind: FactKind, payload: Mapping[str, Any], *, fact_id: str | None = None
    ) -> Outcome:
        """Wait for durability until the deadline. The same `fact_id` joins the running append.

        Raises: Uncommitted on a draft: a guess promises nothing.
        """
        turn.must_be_real()
        fact = Fact(fact_id or str(uuid.uuid4()), kind, self.session_id, turn.index, payload)
        started = self.clock.now_ms()
        task = self._running.get(fact.fact_id)
        if task is None:
            task = self.scope.create_task(self._append(fact))
            self._running[fact.fact_id] = task
        await asyncio.wait([task], timeout=self.timeout_ms / 1000)
        outcome = task.result() if task.done() else Outcome("unconfirmed", code="timeout")
        if task.done() and outcome.state != "kept":
            del self._running[fact.fact_id]
        shown = {"kept": "ok", "unconfirmed": "timed_out"}.get(outcome.state, outcome.state)
        if outcome.receipt is not None:
            turn.fact_ids.append(fact.fact_id)
            turn.crm_sync = outcome.receipt.crm_sync
        turn.tool(
            ToolInvocation(
                name=kind,
                arguments={key: value for key, value in payload.items() if not key.startswith("pii_")},
                outcome=shown,
                latency_ms=self.clock.now_ms() - started,
                result=dict(outcome.receipt.details) if outcome.receipt else {"code": outcome.code},
                fact_id=fact.fact_id,
            )
        )
        return outcome

    async def _append(self, fact: Fact) -> Outcome:
        try:
            receipt = await self.sink.append(fact, deadline=Deadline.after_ms(self.timeout_ms, self.clock))
        except FactRejected as error:
            return Outcome("rejected", code=error.code, message=str(error))
        except Exception as error:
            return Outcome("failed", code=code_of(error), message=str(error))
        self.kept.append(fact.kind)
        return Outcome("kept", receipt)

    async def settle(self) -> None:
        """Give appends that are still running their time before the call ends."""
        running = [task for task in self._running.values() if not task.done()]
        if running:
            await asyncio.wait(running, timeout=self.timeout_ms / 1000)
        for task in running:
            task.cancel()
