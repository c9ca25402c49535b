"""Background work: indexing."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from knowledge import services
from voiceops.core.errors import SourceError


@shared_task(
    autoretry_for=(SourceError,),
    retry_backoff=True,
    retry_backoff_max=60,
    retry_jitter=True,
    max_retries=None,
)
def index_document(document_id: int) -> int:
    """Index one document's current version; again and again while the embedder is away."""
    from voiceops.inference.embedder import embed_sync

    target = str(settings.VOICEOPS["SPEECH_TARGET"])
    return services.index(document_id, embed=lambda texts: embed_sync(texts, kind="passage", target=target))
