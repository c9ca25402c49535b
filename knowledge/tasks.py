"""Background work: indexing."""

from __future__ import annotations

from collections.abc import Sequence

from celery import shared_task
from django.conf import settings

from knowledge import services


@shared_task
def index_document(document_id: int) -> int:
    """Index one document's current version, right after it was saved."""
    return services.index(document_id, embed=_embed)


@shared_task(expires=50)
def index_pending() -> int:
    """Every minute: what was saved while no broker or no embedder was there."""
    return sum(services.index(document_id, embed=_embed) for document_id in services.pending())


def _embed(texts: Sequence[str]) -> list[list[float]]:
    from voiceops.inference.embedder import embed_sync

    return embed_sync(texts, kind="passage", target=str(settings.VOICEOPS["SPEECH_TARGET"]))
