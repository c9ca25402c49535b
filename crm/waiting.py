"""What a person should look at: reads for the console's home page."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from crm.models import HandoverRequest, OutboxEntry


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    queued: int
    """Waiting for their next attempt, or being delivered now."""
    failed: int
    """Given up; somebody must act."""


def outbox_counts() -> OutboxCounts:
    rows = OutboxEntry.objects.order_by().values_list("state").annotate(entries=Count("pk"))
    states: dict[str, int] = dict(rows)
    return OutboxCounts(
        queued=states.get("queued", 0) + states.get("delivering", 0), failed=states.get("failed", 0)
    )


def open_handovers() -> int:
    """Callers who asked for a person and were not called back yet."""
    return HandoverRequest.objects.filter(is_done=False).count()
