"""Background work: delivery to the CRM, and the demo's calendar."""

from __future__ import annotations

from celery import shared_task

from crm import outbox, services


@shared_task
def deliver(fact_id: str) -> str:
    """Deliver one fact right after it was promised."""
    return outbox.deliver(fact_id)


@shared_task(expires=5)
def deliver_due() -> int:
    """Every two seconds: what waits for a retry or was left by a worker that died. A run that
    waited longer than a few seconds for a free worker is dropped: the next one does its work."""
    return outbox.deliver_due()


@shared_task
def ensure_slots() -> int:
    """Daily: keep the demo's calendar two weeks full."""
    return services.extend_slots()
