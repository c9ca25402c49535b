"""A call on the real wiring asks the database nothing through the ORM: one slow query in the thread
that all synchronous ORM calls share would freeze every call of the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.db.backends.utils import CursorWrapper

from tests.fakes.ports import FakeEmbedder, embed
from voiceops import wiring
from voiceops.core.events import CallEvent, WireEvent, WireStarted, WireStopped, WireText
from voiceops.core.plan import CallOffer
from voiceops.core.streams import DropOldest

SIMULATED = {
    "STT": "simulated", "STT_FALLBACKS": [], "LLM": "simulated", "TTS": "simulated", "TTS_FALLBACKS": [],
    "SIM_STT_MS": 5, "SIM_LLM_FIRST_TOKEN_MS": 5, "SIM_LLM_TOKEN_MS": 1, "SIM_TTS_FIRST_AUDIO_MS": 5,
}  # fmt: skip
LINES = (
    "What is the price of a 3BHK in Whitefield?",
    "I want to book a site visit at Lakeview Residency",
    "Tomorrow",
    "the first one",
    "yes",
    "Can I speak to a person?",
)


def vectors(texts: Any, **options: Any) -> list[list[float]]:
    """Like texts get like vectors."""
    return [embed(text) for text in texts]


class Line:
    """Takes the agent's audio and drops it."""

    sample_rate_hz = 8000
    hung_up = ""

    async def audio(self, pcm: bytes) -> None: ...

    async def mark(self, name: str) -> None: ...

    async def clear(self) -> None: ...

    async def hangup(self, reason: str) -> None:
        self.hung_up = reason


class Watch:
    """Every statement of the ORM in any thread, while a call goes on."""

    def __init__(self) -> None:
        self.in_call = False
        self.statements: list[str] = []
        self.before_the_call = 0
        self.events: list[CallEvent] = []

    def __call__(self, event: CallEvent) -> None:
        self.events.append(event)
        if event.kind in ("call.answered", "call.ended"):
            self.in_call = event.kind == "call.answered"

    async def until(self, happened: Callable[[], bool]) -> None:
        while not happened():  # noqa: ASYNC110 - a call of this process, in real time
            await asyncio.sleep(0.05)

    def answers(self) -> int:
        """Answers that could be heard so far; the next line interrupts them."""
        return sum(e.kind == "agent.speaking" and e.data["purpose"] == "answer" for e in self.events)

    def answered_more_than(self, count: int) -> bool:
        return self.answers() > count

    def note(self, sql: object) -> None:
        if self.in_call:
            self.statements.append(f"{threading.current_thread().name}: {sql}")
        else:
            self.before_the_call += 1


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    seen = Watch()
    for name in ("execute", "executemany"):
        real: Callable[..., Any] = getattr(CursorWrapper, name)

        def noted(self: Any, sql: Any, *rest: Any, _real: Callable[..., Any] = real) -> Any:
            seen.note(sql)
            return _real(self, sql, *rest)

        monkeypatch.setattr(CursorWrapper, name, noted)
    return seen


@pytest.fixture
def seeded(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from voiceops.console import demo

    monkeypatch.setattr("voiceops.inference.embedder.embed_sync", vectors)
    monkeypatch.setattr("voiceops.console.demo.embed_sync", vectors)
    monkeypatch.setattr("voiceops.providers.RemoteEmbedder", lambda target: FakeEmbedder())
    demo.seed()
    monkeypatch.setattr(settings, "VOICEOPS", {**settings.VOICEOPS, **SIMULATED})
    yield


async def test_between_answer_and_hang_up_the_orm_is_silent(seeded: None, watch: Watch) -> None:
    inbound: DropOldest[WireEvent] = DropOldest(100)
    offer = CallOffer("orm-call", "browser", "", 8000, pii_caller="+919800000001")
    try:
        async with asyncio.timeout(90), asyncio.TaskGroup() as scope:
            call = scope.create_task(wiring.answer(offer, inbound, Line(), [watch]))
            inbound.put(WireStarted("s1", sample_rate_hz=8000))
            await watch.until(lambda: any(e.kind == "agent.speaking" for e in watch.events))
            for line in LINES:
                count = watch.answers()
                inbound.put(WireText(line))
                await watch.until(partial(watch.answered_more_than, count))
            inbound.put(WireStopped("hangup"))
            await call
    finally:
        await wiring.stop()
    intents = {str(event.data.get("intent")) for event in watch.events if event.kind == "turn.closed"}
    assert "site_visit_booking" in intents, f"the call did too little to prove anything: {intents}"
    assert any(event.kind == "retrieval" for event in watch.events)
    assert watch.before_the_call > 0, "the watch sees the ORM at all"
    assert not watch.statements
