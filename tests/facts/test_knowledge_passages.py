"""Articles and policies by meaning, with the real embedding model, in English and Hindi."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from knowledge import services, tasks
from knowledge.api import build_retriever
from knowledge.models import Chunk, Document
from tests.facts.conftest import InPool, LocalE5, soon
from voiceops.core.errors import SourceError
from voiceops.core.facts import Envelope, Query

pytestmark = [pytest.mark.models, pytest.mark.django_db(transaction=True)]


def ask(in_pool: InPool, e5: LocalE5, source: str, *questions: tuple[str, str]) -> list[Envelope]:
    async def work(pool: Any) -> list[Envelope]:
        retriever = build_retriever(pool, e5, {})
        found = []
        for language, text in questions:
            retrieved = await retriever.search(Query(text, language), sources=[source], deadline=soon())
            found.append(retrieved.envelopes[0])
        return found

    return in_pool(work)


def test_questions_find_the_policy_that_answers_and_nonsense_finds_none(in_pool: InPool, e5: LocalE5) -> None:
    services.seed_demo(embed=e5.passages)
    expected = {
        ("en", "How much token amount do I pay to book?"): "token-amount",
        ("en", "Can I keep my dog?"): "pets",
        ("en", "What happens if I cancel my booking?"): "cancellation",
        ("en", "Is the project RERA registered?"): "rera",
        ("en", "What do I pay for stamp duty in Karnataka?"): "taxes",
        ("hi", "बुकिंग रद्द करने पर पैसे वापस मिलेंगे?"): "cancellation-hi",
        ("hi", "GST कितना लगेगा?"): "taxes-hi",
        ("hi", "मेंटेनेंस कितना है?"): "maintenance-hi",
        ("en", "Do you charge brokerage?"): "brokerage",
        ("en", "Do you keep recordings of calls?"): "call-recording",
        ("en", "What are the payment terms?"): "payment-terms",
        ("en", "What documents do I need to buy a flat?"): "documents-needed",
        ("hi", "क्या ब्रोकरेज लगता है?"): "brokerage-hi",
        # Only an English document answers this: the language must not matter.
        ("hi", "क्या पालतू जानवर रख सकते हैं?"): "pets",
    }
    envelopes = ask(in_pool, e5, "policies", *expected)
    best = {
        question: envelope.evidence[0].values["document"] if envelope.evidence else envelope.status
        for question, envelope in zip(expected, envelopes, strict=True)
    }
    assert best == expected
    assert all(item.version == "1" and item.chunk.startswith("chunk:") for item in envelopes[0].evidence)

    strange = [("en", "Who won the cricket match yesterday?"), ("hi", "मौसम कैसा है आज"), ("en", "xyzzy blorp")]
    assert [e.status for e in ask(in_pool, e5, "policies", *strange)] == ["empty"] * 3

    articles = ask(
        in_pool, e5, "documents", ("en", "When is possession of Palm Grove?"), ("hi", "लेकव्यू में क्या सुविधाएं हैं")
    )
    assert articles[0].evidence[0].text == "Possession of Palm Grove is planned for June 2028."
    assert articles[1].evidence[0].values["document"] == "lakeview-residency-hi"


def test_only_documents_in_force_are_found(in_pool: InPool, e5: LocalE5) -> None:
    now = timezone.now()
    hour = timedelta(hours=1)
    for slug, fields in {
        "draft": {"is_published": False},
        "expired": {"valid_to": now - hour},
        "future": {"valid_from": now + hour},
        "current": {"valid_from": now - hour, "valid_to": now + hour},
    }.items():
        document = services.save_document(
            slug=slug,
            title=f"Pets ({slug})",
            kind="policy",
            queue=False,
            body=f"Dogs and cats are allowed in every flat, says the {slug} policy.",
            **fields,  # type: ignore[arg-type]
        )
        services.index(document.pk, embed=e5.passages)
    (envelope,) = ask(in_pool, e5, "policies", ("en", "Are dogs and cats allowed in every flat?"))
    assert [item.values["document"] for item in envelope.evidence] == ["current"]


def test_a_changed_document_is_searchable_all_the_time(in_pool: InPool, e5: LocalE5) -> None:
    """An editor's change must not make callers hear "I do not know" while it is indexed."""
    question = ("en", "How much is the token amount to book a flat?")

    def save(amount: str) -> Document:
        return services.save_document(
            slug="token",
            title="Token amount",
            kind="policy",
            queue=False,
            body=f"The token amount to book a flat is {amount}.",
        )

    document = save("₹2 lakh")
    services.index(document.pk, embed=e5.passages)
    assert save("₹3 lakh").version == 2
    seen = []

    def embed_slowly(texts: Any) -> Any:
        seen.extend(ask(in_pool, e5, "policies", question))
        return e5.passages(texts)

    services.index(document.pk, embed=embed_slowly)
    seen.extend(ask(in_pool, e5, "policies", question))
    assert [(e.evidence[0].version, "3 lakh" in e.evidence[0].text) for e in seen] == [
        ("1", False),
        ("2", True),
    ]
    assert list(Chunk.objects.values_list("version", flat=True)) == [2]


def test_a_version_changed_while_it_is_indexed_is_left_to_the_next_run(e5: LocalE5) -> None:
    document = services.save_document(slug="a", title="A", body="The first words of it.", queue=False)

    def embed_and_edit(texts: Any) -> Any:
        services.save_document(slug="a", title="A", body="The second words of it.", queue=False)
        return e5.passages(texts)

    assert services.index(document.pk, embed=embed_and_edit) == 0
    assert services.index(document.pk, embed=e5.passages) == 1
    assert Chunk.objects.get().text == "The second words of it."


def test_saving_queues_the_index_after_the_commit_and_only_for_new_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queued: list[int] = []
    monkeypatch.setattr(services, "queue_indexing", queued.append)
    document = services.save_document(slug="a", title="A", body="The words of it.")
    assert queued == [document.pk]
    Document.objects.update(indexed_version=1)
    services.save_document(slug="a", title="A", body="The words of it.", is_published=False)
    assert queued == [document.pk]
    assert services.save_document(slug="a", title="A", body="Other words.").version == 2
    assert queued == [document.pk] * 2


def test_what_could_not_be_indexed_is_indexed_by_the_beat(
    e5: LocalE5, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(texts: Any) -> Any:
        raise SourceError("the embedder is away", code="unavailable")

    monkeypatch.setattr(tasks, "_embed", away)
    services.save_document(slug="a", title="A", body="The words of the document.")
    assert services.pending() and not Chunk.objects.exists(), "saving must not fail with the index"
    monkeypatch.setattr(tasks, "_embed", e5.passages)
    assert tasks.index_pending.delay().get() == 1
    assert not services.pending() and tasks.index_pending.delay().get() == 0


def test_a_document_that_cannot_be_saved_says_what_to_change() -> None:
    with pytest.raises(services.InvalidDocument, match="article or policy"):
        services.save_document(slug="a", title="A", body="b", kind="novel")
    with pytest.raises(services.InvalidDocument, match="a title and a text"):
        services.save_document(slug="a", title="A", body="  ")
    now = timezone.now()
    with pytest.raises(services.InvalidDocument, match="valid_to"):
        services.save_document(slug="a", title="A", body="b", valid_from=now, valid_to=now)


def test_seeding_twice_changes_nothing(e5: LocalE5) -> None:
    services.seed_demo(embed=e5.passages)
    before = list(Document.objects.values("slug", "version", "indexed_version", "updated_at"))
    chunks = Chunk.objects.count()

    def refuse(texts: Any) -> Any:
        raise AssertionError("nothing is left to embed")

    services.seed_demo(embed=refuse)
    assert list(Document.objects.values("slug", "version", "indexed_version", "updated_at")) == before
    assert Chunk.objects.count() == chunks > 40
