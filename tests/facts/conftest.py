"""Knowledge and promises on the real database, asked as a call asks them: through the async pool."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from django.db import connection

from voiceops.core.budget import Deadline
from voiceops.core.ports import Capabilities, Priority
from voiceops.postgres import Pool, build_pool, conninfo

InPool = Callable[[Callable[[Pool], Awaitable[Any]]], Any]


def soon() -> Deadline:
    return Deadline.after_ms(10_000)


@pytest.fixture
def in_pool(transactional_db: None) -> InPool:
    """Runs an async function with an open pool, in a loop of its own."""

    def run(work: Callable[[Pool], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            pool = build_pool(conninfo(connection.settings_dict), min_size=1, max_size=4)
            await pool.open(wait=True)
            try:
                return await work(pool)
            finally:
                await pool.close()

        return asyncio.run(main())

    return run


class NoEmbedder:
    """For sources that must not need one."""

    capabilities = Capabilities(name="none", engine="none")

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Literal["query", "passage"],
        deadline: Deadline,
        priority: Priority = "final",
    ) -> list[list[float]]:
        raise AssertionError("this search needs no embedding")


class LocalE5:
    """The platform's own embedding engine in this process."""

    capabilities = Capabilities(name="e5", engine="multilingual-e5-small")

    def __init__(self, folder: Path) -> None:
        from voiceops.inference.engines.e5 import E5
        from voiceops.launch.weights import model_path

        self._engine = E5({"e5_model": str(model_path("e5-small", folder)), "e5_cache": str(folder / "e5")})

    def passages(self, texts: Sequence[str]) -> list[list[float]]:
        return [vector.tolist() for vector in self._engine.embed(texts, kind="passage")]

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Literal["query", "passage"],
        deadline: Deadline,
        priority: Priority = "final",
    ) -> list[list[float]]:
        return [vector.tolist() for vector in self._engine.embed(texts, kind=kind)]


@pytest.fixture(scope="session")
def e5(tmp_path_factory: pytest.TempPathFactory) -> LocalE5:
    return LocalE5(tmp_path_factory.mktemp("models"))
