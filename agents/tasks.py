"""Background work of this app; each task calls one service."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError

from agents import services
from agents.services.traces import TraceRejected
from voiceops.core.errors import SourceError

log = logging.getLogger(__name__)


@shared_task(
    autoretry_for=(OperationalError, InterfaceError),
    retry_backoff=1,
    retry_backoff_max=30,
    max_retries=20,
)
def record(kind: str, payload: dict[str, Any]) -> None:
    """Store one trace. A payload that cannot be stored is logged and let go."""
    try:
        services.record(kind, payload)
    except TraceRejected as error:
        log.error("trace refused: %s", error, extra={"kind": kind, "call": payload.get("session_id")})


@shared_task
def expire_recordings() -> None:
    services.expire_recordings()


@shared_task(autoretry_for=(SourceError,), retry_backoff=2, retry_backoff_max=60, max_retries=30)
def embed_examples() -> None:
    """Embed the examples that wait for it, once the inference server answers."""
    services.embed_missing_examples()
