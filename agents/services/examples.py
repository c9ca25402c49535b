"""Intent examples and the vectors they are recognised by."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from agents.models import IntentExample

BATCH = 64


def embed_missing_examples() -> int:
    """Embed every example that has no vector; how many were.

    Raises: SourceError when the inference server does not answer; what was embedded stays.
    """
    # Here, because it loads gRPC, which the admin's process does without.
    from voiceops.inference.embedder import embed_sync

    target = str(settings.VOICEOPS["SPEECH_TARGET"])
    done = 0
    while batch := list(IntentExample.objects.filter(embedding__isnull=True).order_by("pk")[:BATCH]):
        vectors = embed_sync([example.text for example in batch], kind="query", target=target)
        for example, vector in zip(batch, vectors, strict=True):
            # Conditional: a text that was edited meanwhile waits for its own vector.
            IntentExample.objects.filter(pk=example.pk, text=example.text).update(embedding=list(vector))
        done += len(batch)
    return done


def forget_embeddings(*, example_ids: Iterable[int]) -> int:
    """The texts of these examples changed: drop their vectors. Queue `tasks.embed_examples` on
    commit; until it has run they are not recognised by."""
    return IntentExample.objects.filter(pk__in=list(example_ids)).update(embedding=None)
