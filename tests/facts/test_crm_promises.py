"""A promise is durable before it is spoken, and is kept once: bookings and hand-overs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from crm.api import build_fact_sink, sync_state
from crm.facts import Facts
from crm.models import Customer, FactLog, HandoverRequest, OutboxEntry, SiteVisit, VisitSlot
from tests.facts.conftest import InPool, soon
from voiceops.core.budget import Deadline
from voiceops.core.errors import FactRejected, SourceError
from voiceops.core.facts import Fact, Receipt
from voiceops.postgres import build_pool, conninfo

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "+919800000042"


@pytest.fixture
def slot(transactional_db: None) -> VisitSlot:
    return VisitSlot.objects.create(
        project_slug="lakeview-residency",
        project_name="Lakeview Residency",
        starts_at=timezone.now() + timedelta(days=1),
    )


def booking(slot_id: Any, /, *, fact_id: str = "", **payload: Any) -> Fact:
    return Fact(
        fact_id or str(uuid4()),
        "site_visit_booked",
        "call-1",
        3,
        {"slot_id": slot_id, "pii_name": "Ravi Kumar", "pii_phone": PHONE, **payload},
    )


def append(in_pool: InPool, fact: Fact, **options: Any) -> Receipt:
    async def work(pool: Any) -> Receipt:
        return await build_fact_sink(pool, **options).append(fact, deadline=soon())

    return in_pool(work)


def nothing_is_written() -> bool:
    return not (
        FactLog.objects.exists()
        or SiteVisit.objects.exists()
        or OutboxEntry.objects.exists()
        or Customer.objects.exists()
    )


def test_a_booking_writes_the_visit_the_customer_and_the_outbox_entry(
    in_pool: InPool, slot: VisitSlot
) -> None:
    nudged: list[str] = []
    fact = booking(slot.pk)
    receipt = append(in_pool, fact, on_append=nudged.append)
    visit = SiteVisit.objects.get()
    assert receipt == Receipt(
        fact.fact_id, "queued",
        {
            "visit_id": visit.pk, "project": "Lakeview Residency", "project_slug": "lakeview-residency",
            "starts_at": slot.starts_at.isoformat(),
        },
    )  # fmt: skip
    assert visit.slot == slot and visit.customer and visit.customer.pii_phone == PHONE
    entry = OutboxEntry.objects.get()
    assert (entry.state, entry.connector, entry.idempotency_key) == ("queued", "http", fact.fact_id)
    assert entry.payload["project"] == "Lakeview Residency" and entry.payload["pii_name"] == "Ravi Kumar"
    assert entry.payload["customer_id"] == visit.customer.pk
    assert entry.next_attempt_at <= timezone.now()
    assert nudged == [fact.fact_id] and sync_state([fact.fact_id]) == "queued"


def test_the_same_fact_again_is_the_same_booking(in_pool: InPool, slot: VisitSlot) -> None:
    fact = booking(slot.pk)
    first, again = append(in_pool, fact), append(in_pool, fact)
    assert again.replayed and not first.replayed
    assert again.details == first.details
    assert SiteVisit.objects.count() == OutboxEntry.objects.count() == 1


def test_the_same_fact_twice_at_once_is_one_booking(in_pool: InPool, slot: VisitSlot) -> None:
    fact = booking(slot.pk)

    async def work(pool: Any) -> list[Receipt]:
        sink = build_fact_sink(pool)
        return await asyncio.gather(*(sink.append(fact, deadline=soon()) for _ in range(4)))

    receipts = in_pool(work)
    assert sorted(r.replayed for r in receipts) == [False, True, True, True]
    assert SiteVisit.objects.count() == 1


def test_two_callers_cannot_book_one_slot_at_the_same_time(in_pool: InPool, slot: VisitSlot) -> None:
    async def work(pool: Any) -> list[Any]:
        sink = build_fact_sink(pool)
        facts = [booking(slot.pk, pii_phone=f"+9198000001{n:02d}") for n in range(4)]
        return await asyncio.gather(
            *(sink.append(fact, deadline=soon()) for fact in facts), return_exceptions=True
        )

    outcomes = in_pool(work)
    assert sum(isinstance(o, Receipt) for o in outcomes) == 1
    assert [o.code for o in outcomes if isinstance(o, FactRejected)] == ["slot_taken"] * 3
    assert SiteVisit.objects.count() == OutboxEntry.objects.count() == FactLog.objects.count() == 1
    assert Customer.objects.count() == 1, "a refused booking left its customer behind"


def test_a_rival_that_commits_first_wins_and_one_that_rolls_back_does_not(
    in_pool: InPool, slot: VisitSlot
) -> None:
    """The second transaction really waits for the first one's fate."""
    rival_sql = (
        "WITH f AS (INSERT INTO crm_factlog VALUES ('rival', 'site_visit_booked', 's', 0, '{}', now())"
        " RETURNING fact_id) INSERT INTO crm_sitevisit"
        " (fact_id, slot_id, pii_name, pii_phone, status, created_at) SELECT fact_id, %s, '', '', 'booked',"
        " now() FROM f"
    )

    def against(end: str) -> Any:
        async def work(pool: Any) -> Any:
            async with await psycopg.AsyncConnection.connect(conninfo(connection.settings_dict)) as rival:
                await rival.execute(rival_sql, [slot.pk])
                ours = asyncio.create_task(build_fact_sink(pool).append(booking(slot.pk), deadline=soon()))
                await _until_waiting(pool)
                assert not ours.done()
                await getattr(rival, end)()
                return (await asyncio.gather(ours, return_exceptions=True))[0]

        return in_pool(work)

    rejected = against("commit")
    assert isinstance(rejected, FactRejected) and rejected.code == "slot_taken"
    SiteVisit.objects.all().delete()
    FactLog.objects.all().delete()
    assert isinstance(against("rollback"), Receipt)


async def _until_waiting(pool: Any) -> None:
    """Until some session of this database waits for a lock."""
    async with pool.connection() as watcher:
        for _ in range(500):
            row = await (
                await watcher.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
            ).fetchone()
            if row[0]:
                return
            await watcher.rollback()  # the view is frozen within a transaction
            await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"slot_id": 999_999}, "slot_unknown"),
        ({"slot_id": "four o'clock"}, "invalid"),
        ({"pii_phone": "98000"}, "invalid"),
        ({"pii_phone": "+91 98000 00001; DROP"}, "invalid"),
    ],
)
def test_a_wrong_booking_is_refused_and_leaves_nothing(
    in_pool: InPool, slot: VisitSlot, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(FactRejected) as refusal:
        append(in_pool, booking(slot.pk, **change))
    assert refusal.value.code == code and nothing_is_written()


def test_a_slot_in_the_past_cannot_be_booked(in_pool: InPool, slot: VisitSlot) -> None:
    VisitSlot.objects.update(starts_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(FactRejected, match="past") as refusal:
        append(in_pool, booking(slot.pk))
    assert refusal.value.code == "invalid" and nothing_is_written()


def test_a_fact_id_of_another_call_is_refused(in_pool: InPool, slot: VisitSlot) -> None:
    fact = booking(slot.pk)
    append(in_pool, fact)
    other = Fact(fact.fact_id, "handover_requested", "call-2", 0, {"reason": "asked"})
    with pytest.raises(FactRejected, match="another fact"):
        append(in_pool, other)


def test_a_known_caller_is_linked_and_never_made_twice(in_pool: InPool, slot: VisitSlot) -> None:
    known = Customer.objects.create(pii_name="Asha Rao", pii_phone=PHONE)
    append(in_pool, booking(slot.pk))
    assert SiteVisit.objects.get().customer == known and Customer.objects.count() == 1
    assert Customer.objects.get().pii_name == "Asha Rao"


def test_a_booking_without_a_number_or_with_a_forgotten_customer_holds(
    in_pool: InPool, slot: VisitSlot
) -> None:
    append(in_pool, booking(slot.pk, pii_phone="", customer_id=12345))
    visit = SiteVisit.objects.get()
    assert visit.customer is None and visit.pii_name == "Ravi Kumar"


def test_a_hand_over_is_a_promise_too(in_pool: InPool) -> None:
    fact = Fact(str(uuid4()), "handover_requested", "call-1", 2, {"reason": "llm down", "pii_phone": PHONE})
    receipt = append(in_pool, fact)
    request = HandoverRequest.objects.get()
    assert receipt.details == {"handover_id": request.pk} and request.reason == "llm down"
    assert OutboxEntry.objects.get().payload["kind"] == "handover_requested"
    assert append(in_pool, fact) == Receipt(fact.fact_id, "queued", receipt.details, replayed=True)


def test_a_store_that_hangs_is_given_up_in_time_and_trying_again_is_safe(
    in_pool: InPool, slot: VisitSlot
) -> None:
    fact = booking(slot.pk)

    async def work(pool: Any) -> None:
        sink = build_fact_sink(pool)
        async with await psycopg.AsyncConnection.connect(conninfo(connection.settings_dict)) as locker:
            await locker.execute("LOCK TABLE crm_factlog")
            with pytest.raises(SourceError, match="outcome is unknown") as error:
                await sink.append(fact, deadline=Deadline.after_ms(150))
            assert error.value.code == "timeout"
        await sink.aclose()
        receipt = await sink.append(fact, deadline=soon())
        assert not receipt.replayed, "the attempt that was given up must not have written"
        assert (await sink.append(fact, deadline=soon())).replayed

    in_pool(work)
    assert SiteVisit.objects.count() == 1


def test_a_caller_who_hangs_up_mid_write_leaves_no_connection_and_no_half_booking(
    in_pool: InPool, slot: VisitSlot
) -> None:
    async def work(pool: Any) -> None:
        sink = build_fact_sink(pool)
        async with await psycopg.AsyncConnection.connect(conninfo(connection.settings_dict)) as locker:
            await locker.execute("LOCK TABLE crm_outboxentry")
            ours = asyncio.create_task(sink.append(booking(slot.pk), deadline=soon()))
            await _until_waiting(pool)
            ours.cancel()
            with pytest.raises(asyncio.CancelledError):
                await ours
            await sink.aclose()
            stats = pool.get_stats()
            assert stats["pool_available"] == stats["pool_size"]

    in_pool(work)
    assert nothing_is_written()


def test_an_unreachable_store_says_so_and_promises_nothing() -> None:
    async def work() -> None:
        pool = build_pool("host=127.0.0.1 port=1 dbname=none user=none", min_size=0)
        await pool.open()
        try:
            with pytest.raises(SourceError) as error:
                await Facts(pool, connector="http").append(booking(1), deadline=Deadline.after_ms(300))
            assert error.value.code in ("unavailable", "timeout")
        finally:
            await pool.close()

    asyncio.run(work())


def test_a_nudge_that_fails_does_not_undo_the_promise(in_pool: InPool, slot: VisitSlot) -> None:
    def broken(fact_id: str) -> None:
        raise ConnectionError("no broker")

    assert append(in_pool, booking(slot.pk), on_append=broken).crm_sync == "queued"
    assert SiteVisit.objects.count() == 1
