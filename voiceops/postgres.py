"""The asynchronous way to PostgreSQL: a pool, and cursors bound by a deadline. No ORM, no Django."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from math import ceil
from typing import Any

from psycopg import AsyncCursor, errors
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from voiceops.core.budget import Deadline

SERVER_SHARE = 0.95
"""Of the time left, for a statement: the server gives up just before the caller has to, which
spares the second connection that cancelling from here needs."""

Row = dict[str, Any]
Pool = AsyncConnectionPool[Any]


def conninfo(database: Mapping[str, Any]) -> str:
    """libpq's connection string for one entry of Django's `DATABASES`."""
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    known = {key: database[name] for name, key in names.items() if database.get(name)}
    return make_conninfo("", **known, **database.get("OPTIONS", {}))


def build_pool(info: str, *, min_size: int = 2, max_size: int = 10) -> Pool:
    """A closed pool: `await pool.open()` inside the running loop, `await pool.close()` at the end."""
    return AsyncConnectionPool(
        info,
        min_size=min_size,
        max_size=max_size,
        open=False,
        timeout=2.0,
        kwargs={"connect_timeout": 5, "application_name": "voiceops-call"},
    )


@asynccontextmanager
async def bounded(pool: Pool, deadline: Deadline) -> AsyncIterator[AsyncCursor[Row]]:
    """A cursor in one transaction that commits at the end, bound by `deadline`.

    Waiting for a connection and each statement are bound; the server ends a late statement by
    itself. Against a network that hangs, the caller gives the whole block up at the deadline by
    cancelling it (once: a second cancellation costs the connection). Cancelling rolls back and
    returns the connection to the pool.

    Raises: TimeoutError when the deadline passes; psycopg.Error for everything else.
    """
    if deadline.expired:
        raise TimeoutError("the deadline had passed before the query began")
    try:
        async with (
            pool.connection(timeout=deadline.remaining_ms() / 1000) as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            limit_ms = max(1, ceil(deadline.remaining_ms() * SERVER_SHARE))
            await cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(limit_ms)])
            yield cursor
    except (PoolTimeout, errors.QueryCanceled) as error:
        raise TimeoutError(str(error)) from error
