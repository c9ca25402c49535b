"""One engine, one worker thread, one queue: the most urgent work first, dead work never.

Order: final, partial, speculative, background; inside a class the earliest deadline first.
Work that expired or was cancelled while it waited is dropped before it runs.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from voiceops.core.errors import AtCapacity, VoiceOpsError
from voiceops.core.ports import Priority
from voiceops.inference.wire import PRIORITIES

T = TypeVar("T")

RANK: dict[str, int] = {name: rank for rank, name in enumerate(PRIORITIES)}


class Expired(VoiceOpsError):
    """The deadline passed while the work waited; it was not run."""


class Cancellation:
    """Tells a running engine that nobody waits for its result any more."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def __call__(self) -> bool:
        return self._event.is_set()


@dataclass(order=True, slots=True)
class _Job(Generic[T]):
    rank: int
    deadline_s: float
    """On `time.monotonic`; infinity when the caller set none."""
    sequence: int
    run: Callable[[Cancellation], T] = field(compare=False)
    future: Future[T] = field(compare=False)
    cancelled: Cancellation = field(compare=False)


@dataclass(slots=True)
class LaneCounts:
    """What happened to the work of one lane since it started."""

    done: int = 0
    failed: int = 0
    expired: int = 0
    cancelled: int = 0
    refused: int = 0
    busy_ms: float = 0.0


class Lane:
    """Runs callables one at a time in a thread of its own."""

    def __init__(self, name: str, *, capacity: int = 64) -> None:
        self.name = name
        self.counts = LaneCounts()
        self._capacity = capacity
        self._heap: list[_Job[object]] = []
        self._ready = threading.Condition()
        self._sequence = itertools.count()
        self._closed = False
        self._running: _Job[object] | None = None
        self._thread = threading.Thread(target=self._work, name=f"engine-{name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return len(self._heap)

    async def run(
        self,
        work: Callable[[Cancellation], T],
        *,
        priority: Priority = "final",
        remaining_s: float | None = None,
    ) -> T:
        """The result of `work`, which runs in the lane's thread.

        Cancelling the caller removes waiting work and tells running work to stop.
        Raises: Expired, AtCapacity (the queue is full), and whatever `work` raises.
        """
        job = self._submit(work, priority, remaining_s)
        try:
            return await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            job.cancelled.set()
            raise

    def close(self, timeout_s: float = 2.0) -> None:
        """Drop what waits, tell what runs to stop, and wait for the thread up to `timeout_s`."""
        with self._ready:
            self._closed = True
            for job in self._heap:
                job.future.cancel()
            self._heap.clear()
            if self._running is not None:
                self._running.cancelled.set()
            self._ready.notify()
        self._thread.join(timeout_s)

    def _submit(
        self, work: Callable[[Cancellation], T], priority: Priority, remaining_s: float | None
    ) -> _Job[T]:
        deadline_s = float("inf") if remaining_s is None else time.monotonic() + remaining_s
        job: _Job[T] = _Job(RANK[priority], deadline_s, next(self._sequence), work, Future(), Cancellation())
        with self._ready:
            if self._closed:
                raise AtCapacity(f"engine {self.name} is shutting down")
            if len(self._heap) >= self._capacity:
                self._drop_dead()
            if len(self._heap) >= self._capacity:
                self.counts.refused += 1
                raise AtCapacity(f"engine {self.name} has {self._capacity} requests waiting")
            heapq.heappush(self._heap, job)  # type: ignore[misc]
            self._ready.notify()
        return job

    def _drop_dead(self) -> None:
        """Make room: forget waiting work that was cancelled (the lock is held)."""
        alive = [job for job in self._heap if not job.future.cancelled()]
        self.counts.cancelled += len(self._heap) - len(alive)
        heapq.heapify(alive)
        self._heap = alive

    def _work(self) -> None:
        while True:
            with self._ready:
                while not self._heap and not self._closed:
                    self._ready.wait()
                if self._closed:
                    return
                job = heapq.heappop(self._heap)
                if not job.future.set_running_or_notify_cancel():
                    self.counts.cancelled += 1
                    continue
                if time.monotonic() >= job.deadline_s:
                    self.counts.expired += 1
                    job.future.set_exception(Expired(f"waited past its deadline for engine {self.name}"))
                    continue
                self._running = job
            self._execute(job)

    def _execute(self, job: _Job[object]) -> None:
        started = time.perf_counter()
        try:
            result = job.run(job.cancelled)
        except BaseException as error:
            self.counts.failed += 1
            job.future.set_exception(error)
        else:
            self.counts.done += 1
            job.future.set_result(result)
        finally:
            self.counts.busy_ms += (time.perf_counter() - started) * 1000
            with self._ready:
                self._running = None
