"""What one app tells another through the composition root; named in settings by dotted path."""

from __future__ import annotations

from collections.abc import Sequence

import agents.api
import crm.api
import knowledge.api
from agents.pipeline.memory.facts import SOURCE


def note_delivery(session_id: str, turn_index: int, fact_id: str, state: str) -> None:
    """A CRM delivery changed state: the turn's telemetry follows."""
    agents.api.set_crm_sync(session_id, turn_index, state)


def crm_state(fact_ids: Sequence[str]) -> str:
    """none | queued | success | failed, for a turn that is being stored."""
    return crm.api.sync_state(fact_ids)


def source_names() -> tuple[str, ...]:
    """Every knowledge source that an intent may ask."""
    return (*knowledge.api.SOURCES, *crm.api.SOURCE_NAMES, SOURCE)


def agent_choices() -> list[tuple[str, str]]:
    """Agents a phone number can be answered by: slug and name."""
    return [
        (agent.slug, agent.name if agent.is_active else f"{agent.name} (switched off)")
        for agent in agents.api.agents()
    ]
