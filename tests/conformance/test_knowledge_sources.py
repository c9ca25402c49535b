"""What every knowledge source owes a call, whichever it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import psycopg
import pytest
from django.db import connection

from crm import services as crm_services
from crm.api import build_sources
from crm.models import Customer
from knowledge import services
from knowledge.api import build_retriever
from knowledge.sources import SOURCES
from voiceops.core.budget import Deadline
from voiceops.core.facts import Envelope, Query
from voiceops.postgres import Pool, build_pool, conninfo

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = (*SOURCES.names(), "slots", "history")
UNIT = [1.0, *[0.0] * 383]
OTHER = [0.0, *UNIT[:-1]]
TABLES = (
    "knowledge_project, knowledge_chunk, knowledge_document, crm_visitslot, crm_sitevisit, crm_quote,"
    " crm_interaction"
)


async def ask(name: str, query: Query, *, hang: bool = False) -> Envelope:
    pool: Pool = build_pool(conninfo(connection.settings_dict), min_size=1, max_size=2)
    await pool.open(wait=True)
    retriever = build_retriever(pool, None, build_sources(pool))  # type: ignore[arg-type]
    deadline = Deadline.after_ms(150 if hang else 10_000)
    try:
        async with await psycopg.AsyncConnection.connect(conninfo(connection.settings_dict)) as locker:
            if hang:
                await locker.execute(f"LOCK TABLE {TABLES}")
            retrieved = await retriever.search(query, sources=[name], deadline=deadline)
        await retriever.aclose()
        stats: Mapping[str, int] = pool.get_stats()
        assert stats["pool_available"] == stats["pool_size"], "a connection was not given back"
        return retrieved.envelopes[0]
    finally:
        await pool.close()


def question(language: str = "en", customer_id: int | None = 1) -> Query:
    return Query("a 3BHK in Whitefield", language, embedding=UNIT, customer_id=customer_id)


@pytest.fixture
def seeded() -> int:
    services.seed_demo(embed=lambda texts: [UNIT if n % 2 == 0 else OTHER for n, _ in enumerate(texts)])
    crm_services.seed_demo()
    return Customer.objects.get(pii_phone="+919800000001").pk


@pytest.mark.parametrize("name", NAMES)
def test_a_source_with_nothing_to_say_is_empty(name: str) -> None:
    envelope = asyncio.run(ask(name, question()))
    assert (envelope.source, envelope.status, envelope.evidence) == (name, "empty", ())


@pytest.mark.parametrize("name", NAMES)
def test_a_source_whose_store_hangs_is_timed_out_in_time(name: str) -> None:
    envelope = asyncio.run(ask(name, question(), hang=True))
    assert (envelope.source, envelope.status) == (name, "timed_out")


@pytest.mark.parametrize("language", ["en", "hi"])
@pytest.mark.parametrize("name", NAMES)
def test_every_fact_says_where_it_stands_and_how_old_it_is(name: str, language: str, seeded: int) -> None:
    envelope = asyncio.run(ask(name, question(language, seeded)))
    assert envelope.status == "ok" and 0 < len(envelope.evidence) <= 4 and envelope.latency_ms > 0
    for item in envelope.evidence:
        assert item.source == name and ":" in item.chunk and item.version and item.title and item.text
        assert item.age_s >= 0 and 0 < item.score <= 1.0001
        json.dumps(dict(item.values), default=str)
    if name not in ("documents", "policies"):  # a document keeps its own language
        assert {item.language for item in envelope.evidence} == {language}
        assert all(any("ऀ" <= c <= "ॿ" for c in i.text) == (language == "hi") for i in envelope.evidence)
