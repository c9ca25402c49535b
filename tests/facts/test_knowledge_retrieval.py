"""Several sources at once: each says what came of it, and none can hold up or break the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from knowledge.api import build_retriever
from knowledge.models import Listing, Project
from knowledge.retrieval.last_good import LastGood
from knowledge.retrieval.orchestrator import Orchestrator
from tests.facts.conftest import InPool, NoEmbedder, soon
from voiceops.core.budget import Deadline
from voiceops.core.errors import ConfigurationError, SourceError
from voiceops.core.facts import Envelope, Evidence, Query, Retrieved
from voiceops.core.ports import KnowledgeSource
from voiceops.postgres import build_pool, conninfo

ASKED = Query("price of a 3BHK", "en", slots={"locality": "Whitefield"})
FOUND = Evidence("listings", "listing:a-3bhk", "v1", "A", "A costs ₹1 crore.", age_s=10.0)


class Told:
    """A source that does what it is told."""

    def __init__(self, name: str, behave: Callable[[], Awaitable[Envelope]]) -> None:
        self.name = name
        self.behave = behave

    async def search(self, query: Query, *, deadline: Deadline) -> Envelope:
        return await self.behave()


class HandClock:
    def __init__(self) -> None:
        self.at_ms = 0.0

    def now_ms(self) -> float:
        return self.at_ms

    async def sleep_ms(self, duration_ms: float) -> None:
        self.at_ms += duration_ms


async def good() -> Envelope:
    return Envelope("listings", "ok", (FOUND,))


async def nothing() -> Envelope:
    return Envelope("listings", "empty")


async def forever() -> Envelope:
    await asyncio.Event().wait()
    raise AssertionError


def failing(error: Exception) -> Callable[[], Awaitable[Envelope]]:
    async def fail() -> Envelope:
        raise error

    return fail


async def one(retriever: Orchestrator, query: Query = ASKED, deadline: Deadline | None = None) -> Envelope:
    retrieved = await retriever.search(query, sources=["listings"], deadline=deadline or soon())
    return retrieved.envelopes[0]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SourceError("no", code="timeout"), "timed_out"),
        (TimeoutError(), "timed_out"),
        (SourceError("bad password", permanent=True), "denied"),
        (SourceError("gone", code="unavailable"), "error"),
        (ZeroDivisionError("bug"), "error"),
    ],
)
async def test_a_failing_source_is_named_and_never_raises(error: Exception, status: str) -> None:
    envelope = await one(Orchestrator({"listings": Told("listings", failing(error))}))
    assert (envelope.status, envelope.evidence) == (status, ())
    assert Retrieved((envelope,)).missing == ("listings",)


async def test_sources_answer_side_by_side_in_the_order_asked() -> None:
    """One source waits for the other: asked one after the other they would never end."""
    first_asked, second_asked = asyncio.Event(), asyncio.Event()

    async def first() -> Envelope:
        first_asked.set()
        await second_asked.wait()
        return Envelope("a", "ok", (FOUND,))

    async def second() -> Envelope:
        second_asked.set()
        await first_asked.wait()
        return Envelope("b", "empty")

    retriever = Orchestrator({"b": Told("b", second), "a": Told("a", first)})
    retrieved = await retriever.search(ASKED, sources=["a", "b", "a"], deadline=soon())
    assert [(e.source, e.status) for e in retrieved.envelopes] == [("a", "ok"), ("b", "empty")]
    assert retrieved.evidence == (FOUND,) and retrieved.missing == ()


async def test_a_late_source_does_not_keep_the_others_answers() -> None:
    retriever = Orchestrator({"listings": Told("listings", good), "slots": Told("slots", forever)})
    retrieved = await retriever.search(ASKED, sources=["slots", "listings"], deadline=Deadline.after_ms(50))
    assert [e.status for e in retrieved.envelopes] == ["timed_out", "ok"]
    assert retrieved.missing == ("slots",) and retrieved.envelopes[0].latency_ms >= 50
    await retriever.aclose()


async def test_a_source_that_will_not_stop_cannot_hold_the_call() -> None:
    release = asyncio.Event()

    async def stubborn() -> Envelope:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return Envelope("listings", "ok", (FOUND,))

    retriever = Orchestrator({"listings": Told("listings", stubborn)})
    assert (await one(retriever, deadline=Deadline.after_ms(20))).status == "timed_out"
    release.set()
    await retriever.aclose()


async def test_no_sources_and_unknown_sources_are_answers_too() -> None:
    retriever = Orchestrator({})
    assert (await retriever.search(ASKED, sources=[], deadline=soon())).envelopes == ()
    envelope = await one(retriever)
    assert envelope.status == "error" and "'listings'" in envelope.detail


@pytest.mark.parametrize("trouble", [forever, failing(SourceError("gone"))])
async def test_the_last_good_answer_stands_in_with_its_age(
    trouble: Callable[[], Awaitable[Envelope]],
) -> None:
    clock = HandClock()
    source = Told("listings", good)
    retriever = Orchestrator({"listings": source}, clock=clock)
    assert (await one(retriever)).status == "ok"
    clock.at_ms = 30_000
    source.behave = trouble
    again = Query("  PRICE of a 3bhk ", "en", slots={"locality": "whitefield", "date": None})
    envelope = await one(retriever, again, Deadline.after_ms(20))
    assert (envelope.status, envelope.age_s) == ("stale", 30.0)
    assert envelope.evidence[0].text == FOUND.text and envelope.evidence[0].age_s == 40.0
    retrieved = Retrieved((envelope,))
    assert retrieved.stale == ("listings",) and retrieved.missing == ()
    await retriever.aclose()


@pytest.mark.parametrize(
    "other",
    [
        Query("price of a 2BHK", "en", slots={"locality": "Whitefield"}),
        Query("price of a 3BHK", "hi", slots={"locality": "Whitefield"}),
        Query("price of a 3BHK", "en", slots={"locality": "Hebbal"}),
        Query("price of a 3BHK", "en", slots={"locality": "Whitefield"}, customer_id=7),
        Query("price of a 3BHK", "en", slots={"locality": "Whitefield"}, now=datetime.now(UTC)),
    ],
)
async def test_a_cached_answer_never_serves_another_question_day_or_customer(other: Query) -> None:
    source = Told("listings", good)
    retriever = Orchestrator({"listings": source})
    await one(retriever)
    source.behave = failing(TimeoutError())
    assert (await one(retriever, other)).status == "timed_out"


async def test_what_is_gone_or_too_old_is_not_served_from_the_cache() -> None:
    clock = HandClock()
    source = Told("listings", good)
    retriever = Orchestrator({"listings": source}, clock=clock)
    await one(retriever)
    source.behave = nothing
    assert (await one(retriever)).status == "empty"
    source.behave = failing(TimeoutError())
    assert (await one(retriever)).status == "timed_out", "the record was withdrawn meanwhile"

    source.behave = good
    await one(retriever)
    clock.at_ms += 601_000
    source.behave = failing(TimeoutError())
    assert (await one(retriever)).status == "timed_out"


def test_the_cache_is_bounded() -> None:
    cache = LastGood(HandClock(), entries=2)
    failed = Envelope("listings", "timed_out")
    queries = [Query(text, "en") for text in ("a", "b", "c")]
    for query in queries:
        cache.keep(query, Envelope("listings", "ok", (FOUND,)))
    assert [cache.instead_of(query, failed) is None for query in queries] == [True, False, False]


def test_two_sources_of_one_name_are_refused_at_start() -> None:
    extra: dict[str, KnowledgeSource] = {"listings": Told("listings", good)}
    with pytest.raises(ConfigurationError, match="listings"):
        build_retriever(None, NoEmbedder(), extra)  # type: ignore[arg-type]


# On the real database ---------------------------------------------------------------------


@pytest.fixture
def lakeview(transactional_db: None) -> None:
    project = Project.objects.create(slug="lakeview", name="Lakeview Residency", locality="Whitefield")
    Listing.objects.create(
        project=project, property_type="3BHK", price_inr=12_000_000, area_sqft=1620, units_available=1
    )


async def lock(table: str) -> psycopg.AsyncConnection[Any]:
    locker = await psycopg.AsyncConnection.connect(conninfo(connection.settings_dict))
    await locker.execute(f"LOCK TABLE {table}")
    return locker


def test_a_database_that_hangs_costs_no_more_than_the_deadline_and_no_connection(
    lakeview: None, in_pool: InPool
) -> None:
    async def work(pool: Any) -> None:
        retriever = build_retriever(pool, NoEmbedder(), {})
        async with await lock("knowledge_listing"):
            late = await one(retriever, deadline=Deadline.after_ms(100))
            assert late.status == "timed_out"
        await retriever.aclose()
        fresh = await one(retriever)
        assert fresh.status == "ok"
        async with await lock("knowledge_listing"):
            stale = await one(retriever, deadline=Deadline.after_ms(100))
            assert stale.status == "stale" and stale.evidence[0].values["price_inr"] == 12_000_000
        await retriever.aclose()
        await all_returned(pool)

    in_pool(work)


def test_the_server_stops_the_query_of_a_search_that_was_given_up(lakeview: None, in_pool: InPool) -> None:
    """A statement that nobody waits for must not go on working in the database."""

    async def work(pool: Any) -> None:
        retriever = build_retriever(pool, NoEmbedder(), {})
        async with await lock("knowledge_listing"):
            await one(retriever, deadline=Deadline.after_ms(100))
            await retriever.aclose()
            async with pool.connection() as watcher:
                row = await (
                    await watcher.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND state = 'active' AND query LIKE '%%knowledge_listing%%'"
                        " AND pid <> pg_backend_pid()"
                    )
                ).fetchone()
                assert row[0] == 0

    in_pool(work)


def test_a_caller_who_interrupts_gives_every_connection_back(lakeview: None, in_pool: InPool) -> None:
    async def work(pool: Any) -> None:
        retriever = build_retriever(pool, NoEmbedder(), {})
        async with await lock("knowledge_listing"):
            for _ in range(6):  # more often than the pool has connections
                search = asyncio.create_task(one(retriever))
                await asyncio.sleep(0.02)
                search.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await search
        await retriever.aclose()
        await all_returned(pool)
        assert (await one(retriever)).status == "ok"

    in_pool(work)


def test_a_pool_without_a_free_connection_is_a_time_out(lakeview: None, in_pool: InPool) -> None:
    async def work(pool: Any) -> None:
        retriever = build_retriever(pool, NoEmbedder(), {})
        held = [await pool.getconn() for _ in range(4)]
        assert (await one(retriever, deadline=Deadline.after_ms(50))).status == "timed_out"
        for taken in held:
            await pool.putconn(taken)
        await retriever.aclose()
        assert (await one(retriever)).status == "ok"

    in_pool(work)


def test_a_deadline_that_has_passed_asks_nobody(lakeview: None, in_pool: InPool) -> None:
    async def work(pool: Any) -> None:
        envelope = await one(build_retriever(pool, NoEmbedder(), {}), deadline=Deadline.after_ms(-1))
        assert envelope.status == "timed_out"

    in_pool(work)


async def test_a_database_that_is_away_is_an_answer_too() -> None:
    pool = build_pool("host=127.0.0.1 port=9 dbname=none user=none", min_size=0)
    await pool.open()
    try:
        retriever = build_retriever(pool, NoEmbedder(), {})
        envelope = await one(retriever, deadline=Deadline.after_ms(200))
        assert envelope.status in ("timed_out", "error")
        await retriever.aclose()
    finally:
        await pool.close()


async def all_returned(pool: Any) -> None:
    stats = pool.get_stats()
    assert stats["pool_available"] == stats["pool_size"], stats


def test_the_age_of_a_record_is_counted_from_its_last_change(lakeview: None, in_pool: InPool) -> None:
    Project.objects.update(updated_at=datetime.now(UTC) - timedelta(hours=3))
    Listing.objects.update(updated_at=datetime.now(UTC) - timedelta(hours=2))

    async def work(pool: Any) -> Envelope:
        return await one(build_retriever(pool, NoEmbedder(), {}))

    assert 7_200 <= in_pool(work).evidence[0].age_s < 10_800
