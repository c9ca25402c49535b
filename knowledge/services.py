"""Writes: documents, their index, and the demo's knowledge."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F

from knowledge import demo
from knowledge.index.chunking import passages
from knowledge.models import Chunk, Document, KnowledgeBase, Listing, Project
from voiceops.core.errors import VoiceOpsError

log = logging.getLogger(__name__)

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Passages to unit-length vectors of 384 floats."""

KINDS = ("article", "policy")
DEMO_BASE = "property-desk"


class InvalidDocument(VoiceOpsError):
    """A document cannot be saved; the message says what to change."""


def save_document(
    *,
    slug: str,
    title: str,
    body: str,
    kind: str = "article",
    language: str = "en",
    base: str = "general",
    is_published: bool = True,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    queue: bool = True,
) -> Document:
    """Create or change a document. New words make a new version, which a worker indexes after
    the commit; until then search answers from the old one.

    Raises: InvalidDocument.
    """
    if kind not in KINDS:
        raise InvalidDocument(f"kind {kind!r} is not known: use {' or '.join(KINDS)}")
    if not title.strip() or not body.strip():
        raise InvalidDocument("a document needs a title and a text")
    if valid_from and valid_to and valid_from >= valid_to:
        raise InvalidDocument("valid_to must be later than valid_from")
    fields: dict[str, Any] = {
        "title": title,
        "body": body,
        "kind": kind,
        "language": language,
        "is_published": is_published,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
    with transaction.atomic():
        home, _ = KnowledgeBase.objects.get_or_create(slug=base, defaults={"name": base.capitalize()})
        document = Document.objects.select_for_update().filter(slug=slug).first()
        if document is None:
            document = Document(slug=slug, base=home, **fields)
            document.save()
        elif any(getattr(document, name) != value for name, value in fields.items()):
            if (document.title, document.body) != (title, body):
                document.version += 1
            for name, value in fields.items():
                setattr(document, name, value)
            document.save()
        if queue and document.indexed_version != document.version:
            transaction.on_commit(partial(queue_indexing, document.pk))
    return document


def queue_indexing(document_id: int) -> None:
    """Ask a worker to index now. Without a broker the beat's `index_pending` does it later."""
    try:
        current_app.signature("knowledge.tasks.index_document", args=(document_id,)).apply_async()
    except Exception:
        log.warning("indexing could not be queued; the beat does it", exc_info=True)


def pending() -> list[int]:
    """Documents whose newest words are not searchable yet."""
    stale = Document.objects.exclude(indexed_version=F("version"))
    return list(stale.order_by("updated_at").values_list("pk", flat=True))


def index(document_id: int, *, embed: Embed) -> int:
    """Embed the current version's passages and switch search to them in one transaction.

    Search sees the old version until the switch, never nothing. Returns how many passages.
    A version that was indexed already, or changed meanwhile, is left alone.
    """
    document = Document.objects.filter(pk=document_id).first()
    if document is None or document.indexed_version == document.version:
        return 0
    found = passages(document.body)
    vectors = embed([". ".join(filter(None, (document.title, p.heading, p.text))) for p in found])
    with transaction.atomic():
        current = Document.objects.select_for_update().filter(pk=document_id).first()
        if current is None or current.version != document.version:
            return 0
        Chunk.objects.filter(document=current, version=current.version).delete()
        Chunk.objects.bulk_create(
            Chunk(
                document=current,
                version=current.version,
                ordinal=ordinal,
                text=passage.text,
                embedding=list(vector),
            )
            for ordinal, (passage, vector) in enumerate(zip(found, vectors, strict=True))
        )
        Document.objects.filter(pk=document_id).update(indexed_version=current.version)
    Chunk.objects.filter(document_id=document_id).exclude(version=document.version).delete()
    return len(found)


def seed_demo(*, embed: Embed, reset: bool = False) -> None:
    """The demo's projects, listings and documents, indexed. Again: what was seeded once is left as
    operators made it, deletions included, and only indexed; `reset` restores it."""
    with transaction.atomic():
        home, is_new = KnowledgeBase.objects.get_or_create(slug=DEMO_BASE, defaults={"name": "Property desk"})
        if reset or is_new:
            _write_demo()
    for document in Document.objects.filter(base=home).exclude(indexed_version=F("version")):
        index(document.pk, embed=embed)


def _write_demo() -> None:
    Document.objects.filter(slug__in=[article["slug"] for article in demo.documents()]).delete()
    Project.objects.filter(slug__in=[project["slug"] for project in demo.PROJECTS]).delete()
    for entry in demo.PROJECTS:
        project = Project.objects.create(**{k: v for k, v in entry.items() if k != "listings"})
        for listing in entry["listings"]:
            values = dict(zip(demo.LISTING_FIELDS, listing, strict=True))
            Listing.objects.create(project=project, **values)
    for article in demo.documents():
        save_document(**article, base=DEMO_BASE, queue=False)
