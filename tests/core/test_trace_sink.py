"""Traces leave a call without ever holding it up; what is lost is counted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voiceops import tracing


class Broker:
    """Takes what `Celery.send_task` is given; can be down."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, tuple[Any, ...]]] = []
        self.down = False

    def send_task(self, name: str, args: tuple[Any, ...], retry: bool) -> None:
        if self.down:
            raise ConnectionError("no broker")
        self.sent.append((name, args))


async def test_what_was_put_before_the_stop_still_reaches_the_worker() -> None:
    broker = Broker()
    sink = tracing.CeleryTraceSink(broker)  # type: ignore[arg-type]
    sink.put("turn", {"session_id": "s", "at": 1})
    sink.nudge_delivery("fact-1")
    running = asyncio.create_task(sink.run())
    await sink.close(within_s=5)
    await running
    assert broker.sent == [
        ("agents.tasks.record", ("turn", {"session_id": "s", "at": 1})),
        ("crm.tasks.deliver", ("fact-1",)),
    ]
    assert sink.dropped == 0


async def test_a_full_queue_drops_the_oldest_and_counts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "CAPACITY", 2)
    broker = Broker()
    sink = tracing.CeleryTraceSink(broker)  # type: ignore[arg-type]
    for number in range(5):
        sink.put("turn", {"number": number})
    running = asyncio.create_task(sink.run())
    await sink.close(within_s=5)
    await running
    assert [arguments[1]["number"] for _, arguments in broker.sent] == [3, 4]
    assert sink.dropped == 3


async def test_an_absent_broker_loses_traces_and_says_how_many() -> None:
    broker = Broker()
    broker.down = True
    sink = tracing.CeleryTraceSink(broker)  # type: ignore[arg-type]
    sink.put("turn", {"number": 1})
    running = asyncio.create_task(sink.run())
    await sink.close(within_s=5)
    await running
    assert sink.dropped == 1
