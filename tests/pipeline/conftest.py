"""Virtual time for every test of this room, and a whole call on fakes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agents.demo import INTENTS, PROFILE
from agents.pipeline.call import Call, CallPorts
from agents.pipeline.load import LoadGate
from agents.pipeline.mouth import LineCache
from agents.pipeline.recorder import Recorder
from agents.pipeline.summary import CallSummary
from tests.fakes.ports import (
    FakeEmbedder,
    FakeFacts,
    FakeLine,
    FakeLlm,
    FakeRetriever,
    FakeStt,
    FakeTrace,
    FakeTts,
    FakeVad,
    embed,
    free_slot,
    listing,
    silence,
    voice,
)
from tests.fakes.virtual_time import VirtualTimePolicy
from voiceops.core.budget import TurnBudget
from voiceops.core.clock import LoopClock
from voiceops.core.events import CallEvent, WireAudio, WireEvent, WireMark, WireStarted, WireStopped, WireText
from voiceops.core.facts import Evidence
from voiceops.core.plan import AgentProfile, CallPlan, CustomerContext, IntentSpec, VoiceSpec
from voiceops.core.streams import DropOldest

ZONE = ZoneInfo("Asia/Kolkata")
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
"""A Monday morning."""

GREETINGS = {"en": "Hello, Maya here.", "hi": "नमस्ते, मैं माया।"}
"""Short: every test waits for one."""

PLACES = [
    {"name": "Lakeview Residency", "kind": "project", "slug": "lakeview-residency", "locality": "Whitefield"},
    {"name": "Orchid Grove", "kind": "project", "slug": "orchid-grove", "locality": "Sarjapur"},
    {"name": "Whitefield", "kind": "locality", "aliases": ["व्हाइटफील्ड"]},
    {"name": "Sarjapur", "kind": "locality"},
    {"name": "Indiranagar", "kind": "locality"},
]
LISTINGS = [
    listing(),
    listing(property_type="2BHK", price_inr=8_500_000, units=7, area=1150),
    listing("Orchid Grove", "Sarjapur", "2BHK", 7_200_000, 9, 1080),
    listing("Orchid Grove", "Sarjapur", "3BHK", 9_800_000, 0, 1500),
]
ASHA = CustomerContext(7, "Asha Rao", "+919800000001", "en")
QUOTE = Evidence(
    "history", "interaction:3", "1", "Quote of yesterday",
    "EMI of ₹86,400 for the 3BHK at Lakeview Residency",
    values={
        "emi_inr": 86_400, "price_inr": 12_000_000, "project": "Lakeview Residency", "property_type": "3BHK",
        "tenure_months": 240, "annual_rate_percent": 8.5, "quoted_at": NOW - timedelta(days=1),
    },
)  # fmt: skip


@pytest.fixture
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    return VirtualTimePolicy()


@pytest.fixture
async def leaves_no_task() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    for _ in range(3):
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() - before if task is not asyncio.current_task()]
    assert not left, f"tasks are left running: {left}"


@pytest.fixture(autouse=True)
def no_task_is_left(request: pytest.FixtureRequest) -> None:
    """Every asynchronous test of this room fails when it leaves a task behind."""
    if asyncio.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("leaves_no_task")


_INTENTS = tuple(
    IntentSpec(
        slug=item["slug"],
        kind=item["kind"],
        sources=tuple(item["sources"]),
        templates=item["templates"],
        line=item["line"],
        examples=tuple((text, language, embed(text)) for language, text in item["examples"]),
    )
    for item in INTENTS
)


def plan(**changes: Any) -> CallPlan:
    profile = AgentProfile(
        slug=PROFILE["slug"],
        name=PROFILE["name"],
        persona=PROFILE["persona"],
        languages=tuple(PROFILE["languages"]),
        default_language="en",
        voices={"en": (VoiceSpec("fake"), VoiceSpec("spare")), "hi": (VoiceSpec("fake"), VoiceSpec("spare"))},
        lines={
            language: {**lines, "greeting": GREETINGS[language]}
            for language, lines in PROFILE["lines"].items()
        },
        budget=TurnBudget(),
    )
    made = CallPlan("call-1", profile, _INTENTS, hints=("Lakeview Residency",), extra={"places": PLACES})
    return replace(made, **changes)


def slots_on(*hours: int, day: int = 1) -> list[Evidence]:
    """Free slots of Lakeview Residency, `day` days from NOW; the id is the hour."""
    at = (NOW + timedelta(days=day)).replace(minute=0)
    return [free_slot(day * 100 + hour, at.replace(hour=hour)) for hour in hours]


class Desk:
    """A call on fakes that a test talks to, in virtual time."""

    def __init__(self) -> None:
        self.stt = FakeStt()
        self.spare_stt: FakeStt | None = None
        self.llm = FakeLlm(reply="")
        self.tts = FakeTts()
        self.spare = FakeTts(name="spare")
        self.vad = FakeVad()
        self.embedder = FakeEmbedder()
        self.retriever = FakeRetriever(evidence={"listings": LISTINGS, "slots": slots_on(11, 17)})
        self.facts = FakeFacts()
        self.trace = FakeTrace()
        self.line = FakeLine()
        self.plan = plan()
        self.events: list[CallEvent] = []
        self.inbound: DropOldest[WireEvent] = DropOldest(400)
        self.recorder: Recorder | None = None
        self.recorded = bytearray()
        self.summary: CallSummary | None = None
        self.mic = _Microphone(self)
        self.gate: LoadGate | None = None

    # Looking ----------------------------------------------------------------------------

    def turns(self) -> list[dict[str, Any]]:
        return [dict(row["turn"]) for row in self.trace.of("turn")]

    @property
    def last(self) -> dict[str, Any]:
        return self.turns()[-1]

    def heard_events(self, kind: str) -> list[CallEvent]:
        return [event for event in self.events if event.kind == kind]

    def spoken(self) -> list[str]:
        return [event.data["text"] for event in self.heard_events("agent.speaking")]

    def codes(self) -> list[str]:
        return [decision["code"] for turn in self.turns() for decision in turn["decisions"]]

    # Doing ------------------------------------------------------------------------------

    @asynccontextmanager
    async def on_call(self, *, greeted: bool = True, microphone: bool = True) -> AsyncIterator[Desk]:
        """The call runs; after the body it is hung up, and no task may be left behind."""
        before = asyncio.all_tasks()
        ports = CallPorts(
            stt=(self.stt, *((self.spare_stt,) if self.spare_stt else ())),
            llm=self.llm,
            tts={"fake": self.tts, "spare": self.spare},
            vad=self.vad,
            embedder=self.embedder,
            retriever=self.retriever,
            facts=self.facts,
        )
        start = self.line.now_ms()
        call = Call(
            self.plan, ports, self.inbound, self.line, [self.events.append], self.trace, LoopClock(),
            self.recorder, lines=LineCache(), gate=self.gate,
            wall=lambda: NOW + timedelta(milliseconds=self.line.now_ms() - start),
        )  # fmt: skip
        if self.line.answer_mark is None:
            self.line.answer_mark = lambda name: self.inbound.put(WireMark(name))
        task = asyncio.create_task(call.run())
        if microphone:
            self.mic.start()
        try:
            self.inbound.put(WireStarted("s1", sample_rate_hz=16_000))
            if greeted:
                await self.until(lambda: self.turns())
                await asyncio.sleep(0.3)
            yield self
        finally:
            self.inbound.put(WireStopped("hangup"))
            await asyncio.wait([task], timeout=30)
            await self.mic.stop()
            self.summary = task.result() if task.done() and not task.cancelled() else None
        assert task.done(), "the call does not end when the caller hangs up"
        await asyncio.sleep(0)
        left = [t for t in asyncio.all_tasks() - before if t is not asyncio.current_task()]
        assert not left, f"tasks outlive the call: {left}"

    async def until(self, happened: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        async with asyncio.timeout(timeout_s):
            while not (value := happened()):  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.04)
        return value

    async def type(self, text: str) -> dict[str, Any]:
        """Type a line and wait for its turn to be over."""
        count = len(self.turns())
        self.inbound.put(WireText(text))
        await self.until(lambda: len(self.turns()) > count)
        await asyncio.sleep(0.04)
        return self.last

    async def say(self, text: str, speech_ms: float = 1500) -> dict[str, Any]:
        """Speak (the recogniser will hear `text`) and wait for the turn to be over."""
        count = len(self.turns())
        self.stt.texts = [*self.stt.texts[: self.stt.opened], text]
        await self.mic.speak(speech_ms)
        await self.until(lambda: len(self.turns()) > count)
        await asyncio.sleep(0.04)
        return self.last


class _Microphone:
    """A frame every 20 ms, for as long as the call lasts; silence unless someone speaks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pcm = bytearray()
        self._task: asyncio.Task[None] | None = None
        self.stopped_speaking_ms = 0.0

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def speak(self, duration_ms: float, level: int = 6000) -> None:
        self._pcm += voice(duration_ms, level=level)
        while self._pcm:  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(0.02)
        self.stopped_speaking_ms = self._desk.line.now_ms()

    async def _run(self) -> None:
        quiet = silence(20)
        while True:
            frame = bytes(self._pcm[:640])
            del self._pcm[:640]
            self._desk.inbound.put(WireAudio(frame.ljust(640, b"\0") if frame else quiet))
            await asyncio.sleep(0.02)


@pytest.fixture
def desk() -> Desk:
    return Desk()
