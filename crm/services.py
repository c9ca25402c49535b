"""Writes: visit slots and the demo's customers."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.utils import timezone

from crm import demo
from crm.emi import LOAN_SHARE_PERCENT, emi_inr
from crm.models import Customer, FactLog, Interaction, OutboxEntry, Quote, SiteVisit, VisitSlot

DEMO_SESSION = "demo-seed"


def ensure_slots(*, now: datetime | None = None) -> int:
    """Visit slots of the demo's projects from today for the next 14 days. Returns how many are new."""
    today = timezone.localtime(now).date()
    zone = timezone.get_current_timezone()
    wanted = [
        VisitSlot(
            project_slug=slug,
            project_name=name,
            starts_at=datetime.combine(today + timedelta(days=days), time(hour), zone),
        )
        for slug, name in demo.SLOT_PROJECTS
        for days in range(demo.SLOT_DAYS + 1)
        for hour in demo.SLOT_HOURS
    ]
    before = VisitSlot.objects.count()
    VisitSlot.objects.bulk_create(wanted, ignore_conflicts=True)
    return VisitSlot.objects.count() - before


def extend_slots() -> int:
    """Keep the demo's calendar full; nothing is done where no demo was seeded."""
    if not VisitSlot.objects.filter(project_slug=demo.LAKEVIEW[0]).exists():
        return 0
    return ensure_slots()


@transaction.atomic
def seed_demo(*, now: datetime | None = None, reset: bool = False) -> None:
    """Customers, quotes, interactions and slots as seen from `now`. Run again on a later day,
    "yesterday" is that day's yesterday; what callers booked, said or operators edited stays."""
    now = timezone.localtime(now)
    if reset:
        _reset()
    for person in demo.PEOPLE:
        customer, _ = Customer.objects.get_or_create(
            pii_phone=person.phone,
            defaults={"pii_name": person.name, "pii_email": person.email, "language": person.language},
        )
        for said in person.said:
            Interaction.objects.update_or_create(
                customer=customer,
                summary=said.summary,
                defaults={"at": _at(now, said.days_ago, time(16, 25))},
                create_defaults={
                    "kind": said.kind,
                    "summary_hi": said.summary_hi,
                    "at": _at(now, said.days_ago, time(16, 25)),
                },
            )
        for quoted in person.quoted:
            slug, name = quoted.project
            Quote.objects.update_or_create(
                customer=customer,
                project_slug=slug,
                property_type=quoted.property_type,
                tenure_months=quoted.tenure_months,
                defaults={"quoted_at": _at(now, quoted.days_ago, quoted.at)},
                create_defaults={
                    "project_name": name,
                    "price_inr": quoted.price_inr,
                    "annual_rate_percent": demo.ANNUAL_RATE_PERCENT,
                    "emi_inr": emi_inr(
                        quoted.price_inr * LOAN_SHARE_PERCENT // 100,
                        annual_rate_percent=demo.ANNUAL_RATE_PERCENT,
                        tenure_months=quoted.tenure_months,
                    ),
                    "quoted_at": _at(now, quoted.days_ago, quoted.at),
                },
            )
    ensure_slots(now=now)
    _take_some(now)


def _at(now: datetime, days_ago: int, at: time) -> datetime:
    return datetime.combine(now.date() - timedelta(days=days_ago), at, now.tzinfo)


def _take_some(now: datetime) -> None:
    """About one slot in six is taken, always the same ones: a calendar of a working desk."""
    people = list(Customer.objects.filter(pii_phone__in=[p.phone for p in demo.PEOPLE[2:]]))
    slots = VisitSlot.objects.filter(
        starts_at__gte=now, project_slug__in=[slug for slug, _ in demo.SLOT_PROJECTS]
    ).exclude(visits__status="booked")
    for slot in slots:
        local = timezone.localtime(slot.starts_at)
        pick = uuid5(NAMESPACE_URL, f"{slot.project_slug}/{local.isoformat()}")
        if pick.int % 6:
            continue
        fact, created = FactLog.objects.get_or_create(
            fact_id=str(pick),
            defaults={
                "kind": "site_visit_booked",
                "session_id": DEMO_SESSION,
                "turn_index": 0,
                "payload": {"slot_id": slot.pk},
            },
        )
        if created:
            person = people[pick.int // 6 % len(people)]
            SiteVisit.objects.create(
                fact=fact,
                slot=slot,
                customer=person,
                pii_name=person.pii_name,
                pii_phone=person.pii_phone,
            )


def _reset() -> None:
    """Forget the demo's customers, every booking of its slots, and the slots."""
    slugs = [slug for slug, _ in demo.SLOT_PROJECTS]
    visits = SiteVisit.objects.filter(slot__project_slug__in=slugs)
    facts = list(visits.values_list("fact_id", flat=True))
    visits.delete()
    OutboxEntry.objects.filter(fact_id__in=facts).delete()
    FactLog.objects.filter(fact_id__in=facts).delete()
    VisitSlot.objects.filter(project_slug__in=slugs).delete()
    Customer.objects.filter(pii_phone__in=[person.phone for person in demo.PEOPLE]).delete()
