"""What customers told in earlier calls, read once before a call of theirs is answered."""

from __future__ import annotations

from typing import Any

from agents.models import Conversation, Turn
from agents.pipeline.memory.long_term import worth_keeping

CALLS = 5
"""Earlier calls that are looked at, newest first."""


def earlier_facts(*, customer_id: int | None, pii_caller: str | None) -> dict[str, dict[str, Any]]:
    """Facts by name, the newest statement of each: value, said, at (ISO 8601), session_id.

    Of calls of this customer that have ended, or of this number when no customer is known. What was
    disputed, or only asked about, is left out. Empty for somebody who withholds the number.
    """
    if customer_id is not None:
        calls = Conversation.objects.filter(customer_id=customer_id)
    elif pii_caller:
        calls = Conversation.objects.filter(pii_caller=pii_caller, customer_id=None)
    else:
        return {}
    facts: dict[str, dict[str, Any]] = {}
    ended = calls.filter(ended_at__isnull=False).order_by("-started_at", "-pk")[:CALLS]
    for call in ended.only("pk", "session_id", "started_at"):
        remembered = (
            Turn.objects.filter(conversation=call, memory__has_key="facts")
            .order_by("-index")
            .values_list("memory", flat=True)
            .first()
        )
        for name, fact in worth_keeping((remembered or {}).get("facts") or {}).items():
            facts.setdefault(
                name,
                {
                    "value": fact["value"],
                    "said": fact["said"],
                    "at": call.started_at.isoformat(),
                    "session_id": call.session_id,
                },
            )
    return facts
