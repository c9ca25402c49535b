"""The engines of one server: loaded and warmed in their own lanes, asked by name."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from voiceops.core.errors import ConfigurationError
from voiceops.core.ports import Priority
from voiceops.core.registry import Registry
from voiceops.inference.engines import REGISTRY
from voiceops.inference.engines.base import Engine, Options
from voiceops.inference.lane import Lane

log = logging.getLogger(__name__)

EngineT = TypeVar("EngineT")


class NotReady(Exception):
    """The engine is still loading or warming."""


class UnknownEngine(Exception):
    """This server does not run that engine."""


class EngineHouse:
    """Loads engines at once, each in its lane; ready means that a real inference has run."""

    def __init__(
        self,
        names: Sequence[str],
        options: Mapping[str, Options],
        *,
        registry: Registry = REGISTRY,
        capacity: int = 64,
    ) -> None:
        self._options = options
        self._registry = registry
        self._lanes = {name: Lane(name, capacity=capacity) for name in names}
        self._engines: dict[str, Engine] = {}

    async def load(self) -> None:
        """Build and warm every engine. Raises ConfigurationError for the first that cannot."""
        try:
            async with asyncio.TaskGroup() as group:
                for name in self._lanes:
                    group.create_task(self._load(name))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None

    async def _load(self, name: str) -> None:
        factory = self._registry.load(name)
        options = self._options.get(name, {})

        def build(cancelled: object) -> Engine:
            engine: Engine = factory(options)
            engine.warm()
            return engine

        try:
            engine = await self._lanes[name].run(build)
        except (ConfigurationError, asyncio.CancelledError):
            raise
        except Exception as error:
            raise ConfigurationError(f"engine {name} does not start: {error}") from error
        self._engines[name] = engine
        log.info("engine ready name=%s engine=%r", name, engine.info.engine)

    def engine(self, name: str, kind: str) -> tuple[Any, Lane]:
        """The engine and its lane; `kind` is the method it must have.

        Raises: UnknownEngine, NotReady.
        """
        if name not in self._lanes:
            raise UnknownEngine(f"no engine {name!r} here: this server runs {', '.join(self._lanes)}")
        if name not in self._engines:
            raise NotReady(f"engine {name} is still warming")
        engine = self._engines[name]
        if not hasattr(engine, kind):
            raise UnknownEngine(f"engine {name} cannot {kind}")
        return engine, self._lanes[name]

    def health(self) -> dict[str, Any]:
        """{status: ok | warming, engines: {name: {status, engine, languages, …counts}}}."""
        engines: dict[str, Any] = {}
        for name, lane in self._lanes.items():
            counts = lane.counts
            entry: dict[str, Any] = {
                "status": "ok" if name in self._engines else "warming",
                "waiting": lane.waiting,
                "done": counts.done,
                "failed": counts.failed,
                "expired": counts.expired,
                "cancelled": counts.cancelled,
                "refused": counts.refused,
                "busy_ms": round(counts.busy_ms, 1),
            }
            if name in self._engines:
                info = self._engines[name].info
                entry["engine"] = info.engine
                entry["languages"] = sorted(info.languages)
                entry["sample_rate_hz"] = info.sample_rate_hz
            engines[name] = entry
        ready = len(self._engines) == len(self._lanes)
        return {"status": "ok" if ready else "warming", "engines": engines}

    def close(self) -> None:
        for lane in self._lanes.values():
            lane.close()


def priority_of(request: Mapping[str, Any]) -> Priority:
    """The request's class of work; `final` when it names none. Raises ValueError."""
    priority = request.get("priority", "final")
    if priority not in ("final", "partial", "speculative", "background"):
        raise ValueError(f"priority {priority!r}: use final, partial, speculative or background")
    chosen: Priority = priority
    return chosen
