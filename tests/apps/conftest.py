"""The seeded demo for app tests, with vectors that need no model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import transaction


def hashed_vectors(texts: Sequence[str], **_: Any) -> list[list[float]]:
    """Unit-length vectors that differ by text; they mean nothing."""
    vectors = []
    for text in texts:
        digest = hashlib.sha256(text.encode()).digest()
        values = [byte - 127.5 for byte in digest] * 12
        length = sum(value * value for value in values) ** 0.5
        vectors.append([value / length for value in values])
    return vectors


@pytest.fixture
def without_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voiceops.inference.embedder.embed_sync", hashed_vectors)
    monkeypatch.setattr("voiceops.console.demo.embed_sync", hashed_vectors)


@pytest.fixture(scope="module")
def desk(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The whole demo: agent, knowledge, customers, number, login. Made once a module, in a
    transaction around those of its tests."""
    from voiceops.console import demo

    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), transaction.atomic():
        patch.setattr("voiceops.inference.embedder.embed_sync", hashed_vectors)
        patch.setattr("voiceops.console.demo.embed_sync", hashed_vectors)
        demo.seed()
        yield
        transaction.set_rollback(True)
