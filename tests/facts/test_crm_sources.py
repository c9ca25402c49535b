"""Free slots and the customer's history, as the agent reads them to a caller."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from crm import services
from crm.api import build_sources, load_customer
from crm.emi import emi_inr
from crm.models import Customer, FactLog, Interaction, Quote, SiteVisit, VisitSlot
from knowledge.retrieval.orchestrator import Orchestrator
from tests.facts.conftest import InPool, soon
from voiceops.core.facts import Envelope, Query

pytestmark = pytest.mark.django_db(transaction=True)
INDIA = ZoneInfo("Asia/Kolkata")
NOW = datetime.now(INDIA).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
TODAY = NOW.date()


def ask(in_pool: InPool, source: str, query: Query) -> Envelope:
    async def work(pool: Any) -> Envelope:
        retrieved = await Orchestrator(build_sources(pool)).search(query, sources=[source], deadline=soon())
        return retrieved.envelopes[0]

    return in_pool(work)


def slot(day: int, hour: int, *, slug: str = "lakeview-residency", taken: bool = False) -> VisitSlot:
    at = datetime.combine(TODAY + timedelta(days=day), time(hour), INDIA)
    made = VisitSlot.objects.create(project_slug=slug, project_name="Lakeview Residency", starts_at=at)
    if taken:
        fact = FactLog.objects.create(
            fact_id=f"f{made.pk}", kind="site_visit_booked", session_id="s", turn_index=1, payload={}
        )
        SiteVisit.objects.create(fact=fact, slot=made)
    return made


def ids(envelope: Envelope) -> list[int]:
    return [item.values["slot_id"] for item in envelope.evidence]


def query(**slots: Any) -> Query:
    return Query("a visit", "en", slots={"project_slug": "lakeview-residency", **slots}, now=NOW)


def test_only_free_future_slots_of_the_project_are_offered(in_pool: InPool) -> None:
    slot(-1, 10)
    slot(0, 10, taken=True)
    slot(0, 10, slug="elsewhere")
    later, sooner = slot(1, 11), slot(0, 12)
    envelope = ask(in_pool, "slots", query())
    assert ids(envelope) == [sooner.pk, later.pk]
    first = envelope.evidence[0]
    assert first.chunk == f"slot:{sooner.pk}" and first.values["project"] == "Lakeview Residency"
    assert first.values["starts_at"] == sooner.starts_at
    assert first.values["starts_at"].utcoffset() == timedelta(hours=5, minutes=30)


def test_a_cancelled_visit_frees_its_slot(in_pool: InPool) -> None:
    freed = slot(1, 10, taken=True)
    SiteVisit.objects.update(status="cancelled")
    assert ids(ask(in_pool, "slots", query())) == [freed.pk]


def test_the_wanted_time_comes_first_and_the_nearest_are_marked(in_pool: InPool) -> None:
    noon, four, next_day = slot(2, 12), slot(2, 16), slot(3, 15)
    day = (TODAY + timedelta(days=2)).isoformat()
    exact = ask(in_pool, "slots", query(date=day, time="16:00"))
    assert ids(exact) == [four.pk, noon.pk, next_day.pk]
    assert [item.score for item in exact.evidence] == [1.0, 0.5, 0.5]
    near = ask(in_pool, "slots", query(date=TODAY + timedelta(days=2), time=time(15)))
    assert ids(near)[0] == four.pk and near.detail == "not at the wanted time"


def test_a_day_without_a_free_slot_offers_the_next_one(in_pool: InPool) -> None:
    early, late = slot(1, 10), slot(4, 10)
    envelope = ask(in_pool, "slots", query(date=TODAY + timedelta(days=3)))
    assert ids(envelope) == [late.pk, early.pk]
    assert {item.score for item in envelope.evidence} == {0.5}


def test_a_time_or_a_part_of_the_day_alone_is_kept_to(in_pool: InPool) -> None:
    slot(1, 10)
    afternoon = slot(2, 15)
    assert ids(ask(in_pool, "slots", query(time="15:00")))[0] == afternoon.pk
    assert ids(ask(in_pool, "slots", query(time_from="14:00", time_to="18:00"))) == [afternoon.pk]


def test_a_full_calendar_is_empty_and_a_bad_date_is_an_error(in_pool: InPool) -> None:
    assert ask(in_pool, "slots", query()).status == "empty"
    envelope = ask(in_pool, "slots", query(date="next week"))
    assert (envelope.status, envelope.evidence) == ("error", ())


def test_slots_are_spoken_in_hindi(in_pool: InPool) -> None:
    slot(1, 16)
    text = ask(in_pool, "slots", Query("समय", "hi", now=NOW)).evidence[0].text
    assert "शाम 4 बजे" in text


def test_the_emi_quoted_yesterday_is_answered_from_the_record(in_pool: InPool) -> None:
    services.seed_demo(now=NOW)
    asha = Customer.objects.get(pii_phone="+919800000001")
    envelope = ask(in_pool, "history", Query("my EMI?", "en", customer_id=asha.pk, now=NOW))
    quote = envelope.evidence[0]
    # 80 percent of 1.2 crore at 8.5 percent over 240 months, by the annuity formula.
    assert quote.values["emi_inr"] == 83_311
    assert (quote.values["project"], quote.values["property_type"]) == ("Lakeview Residency", "3BHK")
    assert quote.values["quoted_at"].date() == TODAY - timedelta(days=1)
    assert "an EMI of ₹83,311 a month yesterday for the 3BHK" in quote.text
    hindi = ask(in_pool, "history", Query("ईएमआई?", "hi", customer_id=asha.pk, now=NOW)).evidence[0]
    assert "कल आपको" in hindi.text and "₹83,311" in hindi.text


def test_the_quote_that_is_meant_comes_first(in_pool: InPool) -> None:
    services.seed_demo(now=NOW)
    asha = Customer.objects.get(pii_phone="+919800000001").pk
    for slots, kind in (
        ({"property_type": "2BHK"}, "2BHK"),
        ({"date": TODAY - timedelta(days=9)}, "2BHK"),
        ({"date": (TODAY - timedelta(days=1)).isoformat()}, "3BHK"),
    ):
        envelope = ask(in_pool, "history", Query("EMI", "en", slots=slots, customer_id=asha, now=NOW))
        assert envelope.evidence[0].values["property_type"] == kind


def test_history_is_denied_to_a_stranger_and_empty_for_a_new_customer(in_pool: InPool) -> None:
    services.seed_demo(now=NOW)
    assert ask(in_pool, "history", Query("my EMI", "en")).status == "denied"
    new = Customer.objects.create(pii_name="New", pii_phone="+919811111111")
    assert ask(in_pool, "history", Query("my EMI", "en", customer_id=new.pk)).status == "empty"


def test_visits_and_talks_are_history_too(in_pool: InPool) -> None:
    booked = slot(1, 10, taken=True)
    asha = Customer.objects.create(pii_name="Asha", pii_phone="+919811111111")
    SiteVisit.objects.update(customer=asha)
    Interaction.objects.create(customer=asha, kind="call", at=NOW, summary="Asked about pets.")
    visit, talk = ask(in_pool, "history", Query("?", "en", customer_id=asha.pk, now=NOW)).evidence
    assert visit.values["starts_at"] == booked.starts_at and "10 AM" in visit.text
    assert talk.text == "Asked about pets."


def test_yesterday_stays_yesterday_when_the_demo_is_started_on_a_later_day() -> None:
    services.seed_demo(now=NOW)
    quotes, people = Quote.objects.count(), Customer.objects.count()
    visits = set(SiteVisit.objects.values_list("fact_id", flat=True))
    later = NOW + timedelta(days=3)
    services.seed_demo(now=later)
    assert (Quote.objects.count(), Customer.objects.count()) == (quotes, people)
    assert visits <= set(SiteVisit.objects.values_list("fact_id", flat=True)), "bookings were lost"
    newest = Quote.objects.filter(customer__pii_phone="+919800000001").first()
    assert newest and timezone.localdate(newest.quoted_at) == later.date() - timedelta(days=1)


def test_a_reset_starts_the_demo_anew_and_keeps_other_customers() -> None:
    services.seed_demo(now=NOW)
    other = Customer.objects.create(pii_name="Other", pii_phone="+919811111111")
    Interaction.objects.create(
        customer=Customer.objects.get(pii_phone="+919800000001"), kind="note", at=NOW, summary="Typed in."
    )
    services.seed_demo(now=NOW, reset=True)
    assert not Interaction.objects.filter(summary="Typed in.").exists()
    assert Customer.objects.filter(pk=other.pk).exists()


def test_the_calendar_has_free_and_taken_slots_and_never_runs_dry() -> None:
    services.seed_demo(now=NOW)
    hours = {timezone.localtime(s.starts_at, INDIA).hour for s in VisitSlot.objects.all()}
    assert hours == set(range(10, 18))
    taken = SiteVisit.objects.filter(status="booked").count()
    assert 0.08 < taken / VisitSlot.objects.count() < 0.3
    VisitSlot.objects.filter(visits=None).delete()
    assert services.ensure_slots(now=NOW + timedelta(days=20)) > 800
    assert services.ensure_slots(now=NOW + timedelta(days=20)) == 0


def test_no_slots_appear_where_no_demo_was_seeded() -> None:
    assert services.extend_slots() == 0
    assert not VisitSlot.objects.exists()


def test_the_plan_of_a_call_knows_who_calls() -> None:
    services.seed_demo()
    customer = load_customer("+919800000001")
    assert customer and customer.pii_name == "Asha Rao" and customer.language == "en"
    assert any("EMI ₹83,311" in line and "yesterday" in line for line in customer.summary)
    assert load_customer("+910000000000") is None


@pytest.mark.parametrize(
    ("loan", "rate", "months", "emi"),
    [(9_600_000, 8.5, 240, 83_311), (100_000, 12, 12, 8_885), (1_200, 0, 12, 100)],
)
def test_instalments_follow_the_annuity_formula(loan: int, rate: float, months: int, emi: int) -> None:
    assert emi_inr(loan, annual_rate_percent=rate, tenure_months=months) == emi
