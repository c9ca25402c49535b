"""Every promise reaches the CRM exactly once: outages, crashes and rivals included.

The CRM is the demo's own, really served over HTTP.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from django.core.checks import run_checks
from django.db import connection, transaction
from django.utils import timezone

from crm import outbox, tasks
from crm.api import outbox_counts, sync_state
from crm.connectors import CONNECTORS
from crm.connectors.http import HttpConnector
from crm.demo_server.app import DemoCrm
from crm.demo_server.store import Activities
from crm.models import FactLog, OutboxEntry
from voiceops.core.errors import SourceError
from voiceops.core.ports import Delivery

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Served:
    url: str
    activities: Activities

    def fault(self, mode: str) -> None:
        assert httpx.post(f"{self.url}/faults", json={"mode": mode}).status_code == 200

    def keys(self) -> list[str]:
        return [record["key"] for record in self.activities.newest()]


def serve(app: Any) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture
def crm(tmp_path: Path, settings: Any) -> Iterator[Served]:
    activities = Activities(tmp_path / "crm.sqlite3")
    for url in serve(DemoCrm(activities, slow_s=1.0)):
        settings.VOICEOPS = {**settings.VOICEOPS, "CRM_URL": url}
        yield Served(url, activities)
    activities.close()


@pytest.fixture
def told(settings: Any) -> list[tuple[Any, ...]]:
    settings.CRM_ON_DELIVERY = f"{__name__}.hear"
    HEARD.clear()
    return HEARD


HEARD: list[tuple[Any, ...]] = []


def hear(*what: Any) -> None:
    HEARD.append(what)


def entry(fact_id: str = "fact-1", **fields: Any) -> OutboxEntry:
    fact = FactLog.objects.create(
        fact_id=fact_id, kind="site_visit_booked", session_id="call-1", turn_index=4, payload={}
    )
    return OutboxEntry.objects.create(
        fact=fact, connector="http", idempotency_key=fact_id,
        payload={"kind": "site_visit_booked", "pii_name": "Ravi", "project": "Lakeview Residency"},
        next_attempt_at=timezone.now() - timedelta(seconds=1), **fields,
    )  # fmt: skip


def make_due() -> None:
    OutboxEntry.objects.filter(state="queued").update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_a_promise_is_delivered_and_the_turn_is_told(crm: Served, told: list[tuple[Any, ...]]) -> None:
    made = entry()
    assert tasks.deliver.delay("fact-1").get() == "success"
    made.refresh_from_db()
    (record,) = crm.activities.newest()
    assert (made.state, made.external_ref) == ("success", record["id"]) and made.delivered_at
    assert record["body"]["name"] == "Ravi" and record["body"]["project"] == "Lakeview Residency"
    assert told == [("call-1", 4, "fact-1", "success")]
    assert sync_state(["fact-1"]) == "success"
    assert tasks.deliver.delay("fact-1").get() == "success", "again: nothing to do"
    assert len(crm.keys()) == 1 and len(told) == 1


def test_a_crm_that_is_down_gets_the_promise_once_when_it_is_back(
    crm: Served, told: list[tuple[Any, ...]]
) -> None:
    made = entry()
    crm.fault("down")
    assert outbox.deliver("fact-1") == "queued"
    made.refresh_from_db()
    assert made.attempts == 1 and "503" in made.last_error
    assert timezone.now() < made.next_attempt_at < timezone.now() + timedelta(seconds=2)
    assert outbox.deliver("fact-1") == "queued" and sync_state(["fact-1"]) == "queued"
    made.refresh_from_db()
    assert made.attempts == 1, "an entry that is not due yet must wait"
    crm.fault("ok")
    make_due()
    assert tasks.deliver_due.delay().get() == 1
    assert crm.keys() == ["fact-1"] and told == [("call-1", 4, "fact-1", "success")]
    made.refresh_from_db()
    assert made.last_error == "" and made.attempts == 2


def test_a_crm_that_writes_and_then_fails_or_is_late_has_one_record(crm: Served) -> None:
    """The answer is lost, not the write: only the idempotency key tells."""
    entry("flaky")
    crm.fault("flaky")
    assert outbox.deliver("flaky") == "queued"
    make_due()
    assert outbox.deliver("flaky") == "success"
    crm.fault("slow")
    late = HttpConnector(crm.url, timeout_s=0.2)
    with pytest.raises(SourceError) as error:
        late.apply({"kind": "k"}, "late")
    assert error.value.code == "timeout" and not error.value.permanent
    crm.fault("ok")
    assert late.apply({"kind": "k"}, "late").replayed
    assert sorted(crm.keys()) == ["flaky", "late"]


def test_an_outage_stops_the_run_and_costs_the_others_no_attempt(crm: Served) -> None:
    for number in range(3):
        entry(f"fact-{number}")
    crm.fault("down")
    assert outbox.deliver_due() == 0
    assert sorted(OutboxEntry.objects.values_list("attempts", flat=True)) == [0, 0, 1]
    crm.fault("ok")
    make_due()
    assert outbox.deliver_due() == 3 and len(crm.keys()) == 3


def test_what_the_crm_refuses_is_failed_told_and_can_be_tried_again(
    crm: Served, told: list[tuple[Any, ...]]
) -> None:
    made = entry()
    OutboxEntry.objects.update(payload={"no": "kind"})
    assert outbox.deliver("fact-1") == "failed"
    made.refresh_from_db()
    assert "422" in made.last_error and sync_state(["fact-1"]) == "failed"
    assert told == [("call-1", 4, "fact-1", "failed")] and outbox_counts().failed == 1
    assert outbox.deliver_due() == 0, "a refusal is not tried again by itself"
    OutboxEntry.objects.update(payload={"kind": "mended"})
    assert outbox.requeue([made.pk]) == 1 and outbox.deliver_due() == 1


def test_a_worker_that_dies_before_the_crm_heard_is_replaced(crm: Served) -> None:
    entry(state="delivering", claimed_at=timezone.now() - timedelta(seconds=5), attempts=1)
    assert outbox.deliver_due() == 0, "a young claim belongs to a live worker"
    OutboxEntry.objects.update(claimed_at=timezone.now() - timedelta(seconds=outbox.CLAIM_S + 1))
    assert outbox.deliver_due() == 1 and crm.keys() == ["fact-1"]


def test_a_worker_that_dies_after_the_crm_wrote_does_not_write_twice(
    crm: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry()

    class Killed(BaseException):
        pass

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(outbox, "_settle", lambda *a, **k: (_ for _ in ()).throw(Killed()))
        outbox.deliver("fact-1")
    assert crm.keys() == ["fact-1"] and OutboxEntry.objects.get().state == "delivering"
    OutboxEntry.objects.update(claimed_at=timezone.now() - timedelta(seconds=outbox.CLAIM_S + 1))
    assert outbox.deliver_due() == 1
    assert crm.keys() == ["fact-1"] and OutboxEntry.objects.get().external_ref == "ACT-00001"


def test_a_worker_that_was_taken_over_does_not_undo_the_others_success(
    crm: Served, monkeypatch: pytest.MonkeyPatch, told: list[tuple[Any, ...]]
) -> None:
    entry()

    class Slow:
        def __init__(self, url: str) -> None: ...

        def apply(self, fact: Any, idempotency_key: str) -> Delivery:
            OutboxEntry.objects.update(state="success", claimed_at=None, external_ref="by the other")
            raise SourceError("late", code="timeout")

        def read_back(self, idempotency_key: str) -> None: ...

    monkeypatch.setattr(CONNECTORS, "load", lambda name: Slow)
    assert outbox.deliver("fact-1") == "success"
    assert OutboxEntry.objects.get().external_ref == "by the other" and not told


def test_an_entry_in_another_workers_hands_is_passed_over(crm: Served) -> None:
    """Two beats at once: the second takes the next entry and never waits for the first's."""
    entry("first")
    entry("second")
    claimed: list[Any] = []

    def rival() -> None:
        try:
            claimed.append(outbox._claim())
        finally:
            connection.close()

    with transaction.atomic():
        OutboxEntry.objects.select_for_update().get(fact_id="first")
        thread = threading.Thread(target=rival)
        thread.start()
        thread.join(timeout=20)
    assert [claim.fact_id for claim in claimed] == ["second"]


def test_a_connector_that_breaks_or_is_unknown_keeps_the_promise(
    monkeypatch: pytest.MonkeyPatch, told: list[tuple[Any, ...]]
) -> None:
    made = entry()
    OutboxEntry.objects.update(connector="gone")
    assert outbox.deliver("fact-1") == "queued"
    made.refresh_from_db()
    assert "gone" in made.last_error and not told


def test_a_hook_that_fails_does_not_lose_the_delivery(crm: Served, settings: Any) -> None:
    settings.CRM_ON_DELIVERY = "no.such.hook"
    entry()
    assert outbox.deliver("fact-1") == "success"
    assert OutboxEntry.objects.get().state == "success"


def test_pauses_grow_to_a_minute_and_differ() -> None:
    for attempts, longest in ((1, 1), (2, 2), (5, 16), (9, 60), (500, 60)):
        pauses = [outbox.backoff_s(attempts) for _ in range(50)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest


def test_the_state_of_several_facts_is_that_of_the_worst() -> None:
    entry("a", state="success")
    entry("b", state="queued")
    entry("c", state="failed")
    assert sync_state([]) == sync_state(["unknown"]) == "none"
    assert sync_state(["a"]) == "success"
    assert sync_state(["a", "b"]) == "queued"
    assert sync_state(["a", "b", "c"]) == "failed"


@pytest.mark.parametrize(
    ("status", "body", "code", "permanent"),
    [
        (401, b"{}", "refused", True),
        (301, b"", "refused", True),
        (429, b"", "unavailable", False),
        (500, b"", "unavailable", False),
        (200, b"<html>", "bad_output", False),
        (200, b"[]", "bad_output", False),
        (200, b"{}", "bad_output", False),
    ],
)
def test_every_bad_answer_of_a_crm_has_a_name(status: int, body: bytes, code: str, permanent: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    for url in serve(app):
        with pytest.raises(SourceError) as error:
            HttpConnector(url).apply({"kind": "k"}, "key")
    assert (error.value.code, error.value.permanent) == (code, permanent)


def test_a_crm_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(SourceError) as error:
        HttpConnector("http://127.0.0.1:9").read_back("key")
    assert error.value.code == "unavailable" and not error.value.permanent


def test_what_the_crm_holds_can_be_read_back(crm: Served) -> None:
    connector = HttpConnector(crm.url)
    assert connector.read_back("key") is None
    written = connector.apply({"kind": "k", "pii_phone": "+919800000001"}, "key")
    held = connector.read_back("key")
    assert held and held.external_ref == written.external_ref
    assert held.data["body"] == {"kind": "k", "phone": "+919800000001"}


def test_the_demo_crm_keeps_its_records_and_shows_them(crm: Served, tmp_path: Path) -> None:
    assert "Nothing was received yet" in httpx.get(crm.url).text
    body = {"kind": "site_visit_booked", "name": "<script>alert(1)</script>"}
    headers = {"Idempotency-Key": "k"}
    first = httpx.post(f"{crm.url}/api/activities", json=body, headers=headers)
    again = httpx.post(f"{crm.url}/api/activities", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"] and again.json()["replayed"]
    page = httpx.get(crm.url).text
    assert "&lt;script&gt;" in page and "<script>" not in page
    reopened = Activities(tmp_path / "crm.sqlite3")
    assert reopened.find("k") == crm.activities.find("k")
    reopened.close()


def test_the_demo_crm_refuses_bad_requests_with_a_reason(crm: Served) -> None:
    url = f"{crm.url}/api/activities"
    assert "Idempotency-Key" in httpx.post(url, json={"kind": "k"}).json()["error"]
    key = {"Idempotency-Key": "k"}
    assert httpx.post(url, content=b"not json", headers=key).status_code == 422
    httpx.post(url, json={"kind": "k"}, headers=key)
    assert httpx.post(url, json={"kind": "other"}, headers=key).status_code == 422
    assert httpx.post(f"{crm.url}/faults", json={"mode": "on fire"}).status_code == 400
    assert httpx.get(f"{crm.url}/nowhere").status_code == 404
    assert httpx.get(f"{crm.url}/healthz").json() == {"status": "ok", "mode": "ok"}


def test_an_unknown_connector_is_named_at_start(settings: Any) -> None:
    settings.VOICEOPS = {**settings.VOICEOPS, "CRM_CONNECTOR": "salesfarce"}
    assert [e.id for e in run_checks() if "VOICEOPS_CRM_CONNECTOR" in e.msg] == ["crm.E001"]
