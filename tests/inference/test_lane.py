"""Without these a caller's last words would wait behind a reindex, and dead work would be run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceops.core.errors import AtCapacity
from voiceops.core.ports import Priority
from voiceops.inference.lane import Cancellation, Expired, Lane
from voiceops.inference.wire import PRIORITIES


@asynccontextmanager
async def busy_lane(capacity: int = 64) -> AsyncIterator[tuple[Lane, Callable[[], None]]]:
    """A lane whose thread is held until the returned function is called."""
    lane = Lane("test", capacity=capacity)
    entered, release = threading.Event(), threading.Event()

    def hold(cancelled: Cancellation) -> None:
        entered.set()
        release.wait(20)

    holding = asyncio.create_task(lane.run(hold))
    await asyncio.to_thread(entered.wait, 20)
    try:
        yield lane, release.set
    finally:
        release.set()
        await asyncio.gather(holding, return_exceptions=True)
        lane.close()


async def queued(lane: Lane, count: int) -> None:
    while lane.waiting < count:  # noqa: ASYNC110
        await asyncio.sleep(0)


@given(
    work=st.lists(
        st.tuples(st.sampled_from(PRIORITIES), st.integers(min_value=100, max_value=10_000)),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=25, deadline=None)
def test_the_most_urgent_work_runs_first(work: list[tuple[Priority, int]]) -> None:
    ran: list[tuple[int, int]] = []

    async def main() -> None:
        def run(priority: Priority, seconds: int) -> asyncio.Task[None]:
            key = (PRIORITIES.index(priority), seconds)
            return asyncio.create_task(
                lane.run(lambda cancelled: ran.append(key), priority=priority, remaining_s=seconds)
            )

        async with busy_lane() as (lane, release):
            tasks = [run(priority, seconds) for priority, seconds in work]
            await queued(lane, len(work))
            release()
            await asyncio.gather(*tasks)

    asyncio.run(main())
    assert ran == sorted(ran)
    assert len(ran) == len(work)


async def test_expired_work_is_never_run() -> None:
    ran: list[str] = []
    async with busy_lane() as (lane, release):
        late = asyncio.create_task(lane.run(lambda cancelled: ran.append("late"), remaining_s=0.01))
        in_time = asyncio.create_task(lane.run(lambda cancelled: ran.append("in time"), remaining_s=60))
        await queued(lane, 2)
        await asyncio.sleep(0.02)
        release()
        with pytest.raises(Expired):
            await late
        await in_time
        assert lane.counts.expired == 1
    assert ran == ["in time"]


async def test_work_whose_caller_left_is_never_run() -> None:
    ran: list[str] = []
    async with busy_lane() as (lane, release):
        left = asyncio.create_task(lane.run(lambda cancelled: ran.append("left")))
        stayed = asyncio.create_task(lane.run(lambda cancelled: ran.append("stayed")))
        await queued(lane, 2)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        release()
        await stayed
        assert lane.counts.cancelled == 1
    assert ran == ["stayed"]


async def test_running_work_is_told_that_its_caller_left() -> None:
    lane = Lane("test")
    started, told = threading.Event(), threading.Event()

    def work(cancelled: Cancellation) -> None:
        started.set()
        while not cancelled():
            pass
        told.set()

    task = asyncio.create_task(lane.run(work))
    await asyncio.to_thread(started.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(told.wait, 20)
    lane.close()


async def test_a_full_lane_refuses_and_counts_only_the_living() -> None:
    async with busy_lane(capacity=2) as (lane, release):
        waiting = [asyncio.create_task(lane.run(lambda cancelled: None)) for _ in range(2)]
        await queued(lane, 2)
        with pytest.raises(AtCapacity, match="2 requests waiting"):
            await lane.run(lambda cancelled: None)
        waiting[0].cancel()
        await asyncio.gather(waiting[0], return_exceptions=True)
        third = asyncio.create_task(lane.run(lambda cancelled: "third"))
        await asyncio.sleep(0)
        release()
        assert await third == "third"
        assert lane.counts.refused == 1


async def test_a_failing_piece_of_work_does_not_stop_the_lane() -> None:
    lane = Lane("test")

    def fail(cancelled: Cancellation) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await lane.run(fail)
    assert await lane.run(lambda cancelled: 7) == 7
    lane.close()


async def test_closing_answers_everyone_who_waits() -> None:
    async with busy_lane() as (lane, release):
        waiting = asyncio.create_task(lane.run(lambda cancelled: None))
        await queued(lane, 1)
        closing = asyncio.create_task(asyncio.to_thread(lane.close))
        with pytest.raises(asyncio.CancelledError):
            await waiting
        release()
        await closing
        with pytest.raises(AtCapacity):
            await lane.run(lambda cancelled: None)
