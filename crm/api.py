"""What the composition root uses of this app."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings

from crm.facts import Facts
from crm.selectors import load_customer, sync_state
from crm.services import seed_demo
from crm.sources.history import History
from crm.sources.slots import FreeSlots
from crm.waiting import OutboxCounts, open_handovers, outbox_counts
from voiceops.core.ports import KnowledgeSource
from voiceops.postgres import Pool

__all__ = [
    "SOURCE_NAMES",
    "Facts",
    "OutboxCounts",
    "build_fact_sink",
    "build_sources",
    "load_customer",
    "open_handovers",
    "outbox_counts",
    "seed_demo",
    "sync_state",
]


SOURCE_NAMES = ("slots", "history")
"""The knowledge sources that `build_sources` makes."""


def build_sources(pool: Pool) -> Mapping[str, KnowledgeSource]:
    """The knowledge sources that this app answers, by name."""
    return {"slots": FreeSlots(pool), "history": History(pool)}


def build_fact_sink(pool: Pool, *, on_append: Callable[[str], None] | None = None) -> Facts:
    """A `FactSink`. `on_append(fact_id)` is called after each commit and must not block."""
    return Facts(pool, connector=str(settings.VOICEOPS["CRM_CONNECTOR"]), on_append=on_append)
