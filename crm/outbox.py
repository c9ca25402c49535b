"""Carries what was promised to the CRM: each entry once, however often a worker dies.

An entry is claimed by a conditional UPDATE, so that two workers never hold it; a claim that is
older than any delivery may take belongs to a dead worker and is taken over. A worker that dies
after the CRM wrote and before this database knows it is harmless: the CRM answers the same
idempotency key with the same record.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string

from crm.connectors import CONNECTORS
from crm.models import OutboxEntry
from voiceops.core.errors import ConfigurationError, SourceError
from voiceops.core.ports import CrmConnector

log = logging.getLogger(__name__)

CLAIM_S = 60
"""A delivery takes at most the connector's time-out; an older claim is a dead worker's."""
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
BATCH = 50
"""Entries of one run; the next beat takes the rest."""


@dataclass(frozen=True, slots=True)
class Claim:
    entry_id: int
    fact_id: str
    session_id: str
    turn_index: int
    connector: str
    idempotency_key: str
    payload: dict[str, Any]
    attempts: int
    claimed_at: datetime


def deliver(fact_id: str) -> str:
    """Deliver one fact now if it is due. Returns its state afterwards; `` when there is none."""
    claim = _claim(fact_id)
    if claim is not None:
        return _carry(claim)
    state = OutboxEntry.objects.filter(fact_id=fact_id).values_list("state", flat=True).first()
    return state or ""


def deliver_due() -> int:
    """Deliver what is due, oldest first, until the CRM stops answering. Returns how many arrived."""
    arrived = 0
    for _ in range(BATCH):
        claim = _claim()
        if claim is None:
            break
        state = _carry(claim)
        arrived += state == "success"
        if state == "queued":
            break
    return arrived


def requeue(entry_ids: list[int]) -> int:
    """Try failed entries again, from the beginning. Returns how many."""
    return OutboxEntry.objects.filter(pk__in=entry_ids, state="failed").update(
        state="queued", attempts=0, next_attempt_at=timezone.now(), last_error=""
    )


def backoff_s(attempts: int) -> float:
    """Pause after this many attempts: doubling up to a minute, between half of it and all of it,
    so that entries that failed together do not return together."""
    longest = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempts - 1, 10))
    return random.uniform(longest / 2, longest)


def _claim(fact_id: str | None = None) -> Claim | None:
    now = timezone.now()
    due = Q(state="queued", next_attempt_at__lte=now) | Q(
        state="delivering", claimed_at__lt=now - timedelta(seconds=CLAIM_S)
    )
    with transaction.atomic():
        entries = OutboxEntry.objects.filter(due)
        if fact_id is not None:
            entries = entries.filter(fact_id=fact_id)
        entry = entries.select_for_update(skip_locked=True, of=("self",)).select_related("fact").first()
        if entry is None:
            return None
        OutboxEntry.objects.filter(pk=entry.pk).update(
            state="delivering", claimed_at=now, attempts=F("attempts") + 1
        )
    return Claim(
        entry.pk, entry.fact_id, entry.fact.session_id, entry.fact.turn_index, entry.connector,
        entry.idempotency_key, entry.payload, entry.attempts + 1, now,
    )  # fmt: skip


def _carry(claim: Claim) -> str:
    """Hand one claimed entry to the CRM and write down what came of it."""
    try:
        delivery = _connector(claim.connector).apply(claim.payload, claim.idempotency_key)
    except SourceError as error:
        return _failed(claim, str(error), permanent=error.permanent)
    except ConfigurationError as error:
        return _failed(claim, str(error), permanent=False)
    except Exception as error:
        log.exception("CRM connector broke", extra={"fact_id": claim.fact_id})
        return _failed(claim, f"{type(error).__name__}: {error}", permanent=False)
    return _settle(
        claim, "success", delivered_at=timezone.now(), external_ref=delivery.external_ref[:64], last_error=""
    )


def _failed(claim: Claim, reason: str, *, permanent: bool) -> str:
    log.warning(
        "CRM delivery failed: %s", reason,
        extra={"fact_id": claim.fact_id, "attempts": claim.attempts, "permanent": permanent},
    )  # fmt: skip
    if permanent:
        return _settle(claim, "failed", last_error=reason[:300])
    pause = timedelta(seconds=backoff_s(claim.attempts))
    return _settle(claim, "queued", next_attempt_at=timezone.now() + pause, last_error=reason[:300])


def _settle(claim: Claim, state: str, **fields: Any) -> str:
    """End this claim, unless it was taken over meanwhile; tell the platform of a final state."""
    mine = OutboxEntry.objects.filter(
        pk=claim.entry_id, state="delivering", claimed_at=claim.claimed_at
    ).update(state=state, claimed_at=None, **fields)
    if not mine:
        return OutboxEntry.objects.values_list("state", flat=True).get(pk=claim.entry_id)
    if state in ("success", "failed"):
        _tell(claim, state)
    return state


def _tell(claim: Claim, state: str) -> None:
    path = getattr(settings, "CRM_ON_DELIVERY", "")
    if not path:
        return
    try:
        import_string(path)(claim.session_id, claim.turn_index, claim.fact_id, state)
    except Exception:
        log.exception("CRM_ON_DELIVERY failed", extra={"fact_id": claim.fact_id, "state": state})


def _connector(name: str) -> CrmConnector:
    connector: CrmConnector = CONNECTORS.load(name)(str(settings.VOICEOPS["CRM_URL"]))
    return connector
