"""What one app tells another through the composition root; named in settings by dotted path."""

from __future__ import annotations

from collections.abc import Sequence

import agents.api
import crm.api


def note_delivery(session_id: str, turn_index: int, fact_id: str, state: str) -> None:
    """A CRM delivery changed state: the turn's telemetry follows."""
    agents.api.set_crm_sync(session_id, turn_index, state)


def crm_state(fact_ids: Sequence[str]) -> str:
    """none | queued | success | failed, for a turn that is being stored."""
    return crm.api.sync_state(fact_ids)
