"""The bounded streams of the frame's path. What happens when one is full is part of its type."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The stream was closed and is drained."""


class DropOldest(Generic[T]):
    """Never waits for the reader: a full stream drops its oldest item and counts it.

    For inbound audio and traces. Single reader, same event loop. With `droppable`, the oldest
    item it says yes to goes first, so that a start or a hang-up outlives the audio around it.
    """

    def __init__(self, capacity: int, *, droppable: Callable[[T], bool] | None = None) -> None:
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._droppable = droppable
        self._ready = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> None:
        if self._closed:
            return
        if len(self._items) >= self._capacity:
            self._drop()
        self._items.append(item)
        self._ready.set()

    def _drop(self) -> None:
        self.dropped += 1
        if self._droppable is not None:
            for position, item in enumerate(self._items):
                if self._droppable(item):
                    del self._items[position]
                    return
        self._items.popleft()

    def close(self) -> None:
        self._closed = True
        self._ready.set()

    def __len__(self) -> int:
        return len(self._items)

    async def get(self) -> T:
        while not self._items:
            if self._closed:
                raise Closed
            self._ready.clear()
            await self._ready.wait()
        return self._items.popleft()

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            try:
                item = await self.get()
            except Closed:
                return
            yield item


class Blocking(Generic[T]):
    """Back-pressure: a full stream makes its writer wait. For clauses and playout."""

    def __init__(self, capacity: int) -> None:
        self._queue: asyncio.Queue[T | None] = asyncio.Queue(maxsize=capacity)

    async def put(self, item: T) -> None:
        await self._queue.put(item)

    async def close(self) -> None:
        await self._queue.put(None)

    async def __aiter__(self) -> AsyncIterator[T]:
        while (item := await self._queue.get()) is not None:
            yield item
