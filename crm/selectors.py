"""Reads for pages, telemetry and the plan of a call (before it is answered)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from crm.models import Customer, OutboxEntry
from crm.sources.words import past_day
from voiceops.core.plan import CustomerContext
from voiceops.core.rupees import in_words

SUMMARY_LINES = 5


def load_customer(phone: str) -> CustomerContext | None:
    """Who calls from this E.164 number, with their latest history; None when unknown."""
    customer = Customer.objects.filter(pii_phone=phone).first()
    if customer is None:
        return None
    now = timezone.localtime()
    lines = [
        (
            quote.quoted_at,
            f"Quote {past_day(timezone.localtime(quote.quoted_at), now, 'en')}: {quote.property_type} in"
            f" {quote.project_name} at {in_words(quote.price_inr)}, EMI {in_words(quote.emi_inr)} a month",
        )
        for quote in customer.quotes.all()[:SUMMARY_LINES]
    ]
    lines += [
        (
            talk.at,
            f"{talk.kind.capitalize()} {past_day(timezone.localtime(talk.at), now, 'en')}: {talk.summary}",
        )
        for talk in customer.interactions.all()[:SUMMARY_LINES]
    ]
    return CustomerContext(
        customer_id=customer.pk,
        pii_name=customer.pii_name,
        pii_phone=customer.pii_phone,
        language=customer.language,
        summary=tuple(text for _, text in sorted(lines, reverse=True)[:SUMMARY_LINES]),
    )


def sync_state(fact_ids: Sequence[str]) -> str:
    """`crm_sync` of a turn that wrote these facts: none, queued, success or failed.

    One failed write makes the turn failed; one that still waits makes it queued.
    """
    states = set(
        OutboxEntry.objects.filter(fact_id__in=list(fact_ids)).order_by().values_list("state", flat=True)
    )
    if not states:
        return "none"
    if "failed" in states:
        return "failed"
    return "success" if states == {"success"} else "queued"
