"""Composition root: the only module that knows every app.

A media process awaits `start` once; each socket then runs its call through `answer`. Everything
that the calls of one process share hangs on one `Runtime`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError

import agents.api
import crm.api
import knowledge.api
from agents.pipeline.call import Call, CallPorts
from agents.pipeline.forecast import FORECAST
from agents.pipeline.load import GATE
from agents.pipeline.recorder import Recorder
from agents.pipeline.warming import warm_agent
from voiceops import postgres
from voiceops.celery import app as celery_app
from voiceops.console.metrics import CallMetrics, observe_loop_lag
from voiceops.core.clock import MonotonicClock
from voiceops.core.errors import AtCapacity, ConfigurationError, TransportError
from voiceops.core.events import WireEvent
from voiceops.core.plan import AgentProfile, CallOffer, CallPlan
from voiceops.core.ports import Listener, Outbound
from voiceops.core.streams import DropOldest
from voiceops.live import LiveBoard
from voiceops.providers import Providers
from voiceops.recordings import RecordingFile
from voiceops.tracing import CeleryTraceSink

log = logging.getLogger(__name__)

LOOP_LAG_PERIOD_S = 0.25
TRACE_DRAIN_S = 1.0
SPOKEN_TERMS = ("3BHK", "EMI", "1 crore 20 lakh")
"""Words of the trade that Whisper mishears without a hint ("one core 20 lock")."""
CLOCK = MonotonicClock()


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the calls of one process share."""

    providers: Providers
    pool: postgres.Pool
    retriever: knowledge.api.Orchestrator
    facts: crm.api.Facts
    ports: CallPorts
    trace: CeleryTraceSink
    board: LiveBoard

    @classmethod
    def create(cls) -> Runtime:
        """Raises: ConfigurationError naming a bad setting."""
        GATE.on = settings.VOICEOPS["SPECULATION"]
        GATE.most_calls = settings.VOICEOPS["SPECULATION_MAX_CALLS"]
        providers = Providers.create(settings.VOICEOPS)
        pool = postgres.build_pool(postgres.conninfo(settings.DATABASES["default"]))
        trace = CeleryTraceSink(celery_app)
        retriever = knowledge.api.build_retriever(pool, providers.embedder, crm.api.build_sources(pool))
        facts = crm.api.build_fact_sink(pool, on_append=trace.nudge_delivery)
        ports = CallPorts(
            stt=providers.stt,
            llm=providers.llm,
            tts=providers.tts,
            vad=providers.vad,
            embedder=providers.embedder,
            retriever=retriever,
            facts=facts,
        )
        return cls(providers, pool, retriever, facts, ports, trace, LiveBoard(settings.REDIS_URL))

    async def serve(self, warm: asyncio.Event) -> None:
        """Background work of the process until cancelled; `warm` is set when calls may come."""
        await self.pool.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.trace.run(), name="trace-sink")
                tasks.create_task(self.board.run(), name="live-board")
                tasks.create_task(_watch_loop(), name="loop-lag")
                await self.providers.warm()
                profiles = await database_sync_to_async(self._profiles)()
                warm.set()
                tasks.create_task(self._warm_agents(profiles), name="warm-agents")
        finally:
            await self.retriever.aclose()
            await self.facts.aclose()
            await self.providers.aclose()
            await self.pool.close()

    async def _warm_agents(self, profiles: Sequence[AgentProfile]) -> None:
        """Prompt prefixes and fixed lines; calls need not wait for them."""
        for profile in profiles:
            await warm_agent(profile, llm=self.ports.llm, voices=self.ports.tts, clock=CLOCK)

    def _profiles(self) -> list[AgentProfile]:
        """Of every active agent that can be loaded. Synchronous ORM, once, before calls come."""
        found = []
        try:
            for agent in agents.api.agents():
                if agent.is_active:
                    found.append(self.providers.voiced(agents.api.load_profile(agent.slug)))
        except (ConfigurationError, DatabaseError) as error:
            log.warning("agents not warmed error=%s", error)
        return found

    def plan(self, offer: CallOffer) -> CallPlan:
        """Everything the call needs of the database, read once. Synchronous ORM.

        Raises: TransportError(code="agent_unknown").
        """
        try:
            profile = agents.api.load_profile(offer.agent_slug)
        except ConfigurationError as error:
            raise TransportError(str(error), code="agent_unknown", permanent=True) from error
        if offer.speculation is not None:
            profile = replace(profile, speculation=offer.speculation)
        customer = crm.api.load_customer(offer.pii_caller) if offer.pii_caller else None
        return CallPlan(
            session_id=offer.session_id,
            agent=self.providers.voiced(profile),
            intents=agents.api.load_intents(profile.slug),
            customer=customer,
            pii_caller=offer.pii_caller,
            hints=(*SPOKEN_TERMS, *knowledge.api.vocabulary()),
            timezone=settings.TIME_ZONE,
            channel=offer.channel,
            extra={
                "places": places(),
                "is_demo": offer.is_demo,
                "direction": offer.direction,
                "called": offer.called,
                "engines": self.providers.engines(),
                "long_term": agents.api.earlier_facts(
                    customer_id=customer.customer_id if customer else None, pii_caller=offer.pii_caller
                ),
            },
        )


def places() -> list[dict[str, Any]]:
    """Projects and localities with their Hindi spellings, as the pipeline matches them."""
    known = knowledge.api.places()
    localities = {place["locality"]: place["locality_hi"] for place in known}
    return [
        {
            "name": place["project"],
            "kind": "project",
            "slug": place["project_slug"],
            "locality": place["locality"],
            "aliases": [place["project_hi"]],
        }
        for place in known
    ] + [
        {"name": name, "kind": "locality", "locality": name, "aliases": [name_hi]}
        for name, name_hi in localities.items()
    ]


async def _watch_loop() -> None:
    """How late this loop runs a timer, sampled; the first sign that a process is too full."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LOOP_LAG_PERIOD_S
        await asyncio.sleep(LOOP_LAG_PERIOD_S)
        lag_s = max(0.0, loop.time() - due)
        observe_loop_lag(lag_s)
        GATE.lagged(lag_s * 1000)


class _Process:
    """The one runtime of this process and the task that keeps it alive."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None
        self.task: asyncio.Task[None] | None = None
        self.warm = asyncio.Event()

    async def start(self) -> Runtime:
        """Warm the runtime, once however many callers wait. Raises what `Runtime.serve` raised."""
        if self.runtime is None or self.task is None:
            self.runtime = Runtime.create()
            self.task = asyncio.create_task(self.runtime.serve(self.warm), name="runtime")
        warmed = asyncio.create_task(self.warm.wait())
        try:
            await asyncio.wait({warmed, self.task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            warmed.cancel()
        if self.task.done():
            await self.task
            raise AtCapacity("the media process is shutting down")
        return self.runtime

    async def stop(self) -> None:
        if self.runtime is not None and self.task is not None:
            await self.runtime.trace.close(within_s=TRACE_DRAIN_S)
            self.runtime.board.close()
            self.task.cancel()
            await asyncio.wait({self.task})
        self.runtime, self.task, self.warm = None, None, asyncio.Event()


_process = _Process()


async def start() -> None:
    """Make this process ready for calls: pool open, every engine has answered once."""
    await _process.start()


async def stop() -> None:
    """Send what traces are left, close pools and providers."""
    await _process.stop()


def readiness() -> dict[str, str]:
    """Component → `ready`, or why not. Empty before `start`."""
    if _process.runtime is None:
        return {}
    return dict(_process.runtime.providers.states)


async def answer(
    offer: CallOffer,
    inbound: DropOldest[WireEvent],
    outbound: Outbound,
    listeners: Sequence[Listener],
) -> None:
    """Run one call from its first frame to its end.

    Raises: TransportError(code="agent_unknown") when nobody answers this address.
    """
    runtime = await _process.start()
    plan: CallPlan = await database_sync_to_async(runtime.plan)(offer)
    started_at = datetime.now(UTC).isoformat()
    metrics = CallMetrics(plan)
    recording, recorder = _recording(plan, offer.sample_rate_hz)
    call = Call(
        plan=plan,
        ports=runtime.ports,
        inbound=inbound,
        outbound=outbound,
        listeners=(*listeners, metrics, runtime.board.listener(plan, started_at)),
        trace=runtime.trace,
        clock=CLOCK,
        recorder=recorder,
        gate=GATE,
        forecast=FORECAST,
    )
    try:
        await call.run()
    finally:
        metrics.close()
        if recording is not None:
            recording.close()


def _recording(plan: CallPlan, rate_hz: int) -> tuple[RecordingFile | None, Recorder | None]:
    """Where this call is recorded, if its agent records calls."""
    if not plan.agent.record_calls:
        return None, None
    recording = RecordingFile(settings.VOICEOPS["RECORDINGS_DIR"], plan.session_id)
    return recording, Recorder(recording.write, sample_rate_hz=rate_hz, path=recording.path)
