"""Prices and flats as records: what a caller names is found, however it is spelled."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge import demo, services
from knowledge.api import build_retriever, places, vocabulary
from knowledge.models import Listing, Project
from knowledge.sources.names import flat_types, named
from tests.facts.conftest import InPool, NoEmbedder, soon
from voiceops.core.facts import Envelope, Query

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def projects(transactional_db: None) -> None:
    for entry in demo.PROJECTS:
        fields = {key: value for key, value in entry.items() if key != "listings"}
        project = Project.objects.create(**fields)
        for row in entry["listings"]:
            Listing.objects.create(project=project, **dict(zip(demo.LISTING_FIELDS, row, strict=True)))


def ask(in_pool: InPool, query: Query) -> Envelope:
    async def work(pool: Any) -> Envelope:
        retriever = build_retriever(pool, NoEmbedder(), {})
        retrieved = await retriever.search(query, sources=["listings"], deadline=soon())
        return retrieved.envelopes[0]

    return in_pool(work)


def test_the_price_of_a_flat_comes_as_a_record_with_its_version(projects: None, in_pool: InPool) -> None:
    slots = {"project_slug": "lakeview-residency", "property_type": "3BHK"}
    envelope = ask(in_pool, Query("how much is it", "en", slots=slots))
    assert envelope.status == "ok" and envelope.latency_ms > 0
    (flat,) = envelope.evidence
    assert (flat.source, flat.chunk, flat.score) == ("listings", "listing:lakeview-residency-3bhk", 1.0)
    assert flat.values["price_inr"] == 12_000_000
    assert flat.values["locality"] == "Whitefield" and flat.values["city"] == "Bangalore"
    assert flat.text.startswith("The 3BHK in Lakeview Residency, Whitefield costs ₹1.2 crore.")
    updated_at = Listing.objects.get(project__slug="lakeview-residency", property_type="3BHK").updated_at
    assert flat.version[:19] == updated_at.isoformat()[:19] and flat.age_s >= 0


@pytest.mark.parametrize(
    ("text", "chunks"),
    [
        ("what does a 3 BHK in Whitefield cost", ["lakeview-residency-3bhk"]),
        ("price of two bedroom flat in lake view residence", ["lakeview-residency-2bhk"]),
        ("three bhk at white field please", ["lakeview-residency-3bhk"]),
        ("व्हाइटफ़ील्ड में तीन बीएचके कितने का है", ["lakeview-residency-3bhk"]),
        ("पाम ग्रोव में 2BHK की कीमत", ["palm-grove-2bhk"]),
        ("a 3BHK or 4BHK in Hebbal", ["skyline-terraces-3bhk", "skyline-terraces-4bhk"]),
        ("4 BHK in HSR layout", ["maple-court-2bhk", "maple-court-3bhk"]),
        ("the cheapest 1BHK", ["greenwood-park-1bhk", "palm-grove-1bhk"]),
    ],
)  # fmt: skip
def test_what_the_words_name_is_found(projects: None, in_pool: InPool, text: str, chunks: list[str]) -> None:
    envelope = ask(in_pool, Query(text, "en"))
    assert [item.chunk for item in envelope.evidence] == [f"listing:{chunk}" for chunk in chunks]


def test_what_is_offered_instead_is_marked_as_such(projects: None, in_pool: InPool) -> None:
    envelope = ask(in_pool, Query("a 5BHK in Lakeview", "en"))
    assert {item.score for item in envelope.evidence} == {0.5}
    assert envelope.detail == "no exact match"


def test_a_place_we_do_not_have_is_empty_not_some_other_place(projects: None, in_pool: InPool) -> None:
    assert ask(in_pool, Query("and there?", "en", slots={"locality": "Mumbai"})).status == "empty"
    assert ask(in_pool, Query("and there?", "en", slots={"project_slug": "gone"})).status == "empty"


def test_hindi_callers_hear_hindi_facts(projects: None, in_pool: InPool) -> None:
    slots = {"locality": "व्हाइटफ़ील्ड", "property_type": "3BHK"}
    (flat,) = ask(in_pool, Query("कीमत?", "hi", slots=slots)).evidence
    assert "व्हाइटफ़ील्ड के लेकव्यू रेज़िडेंसी में 3BHK की कीमत ₹1.2 करोड़ है।" in flat.text
    assert flat.language == "hi"


def test_a_budget_is_kept_to(projects: None, in_pool: InPool) -> None:
    query = Query("a 3BHK", "en", slots={"max_price_inr": 10_000_000}, limit=10)
    assert [item.values["price_inr"] for item in ask(in_pool, query).evidence] == [
        7_900_000,
        9_400_000,
        9_900_000,
    ]


def test_nothing_in_the_inventory_is_empty(in_pool: InPool) -> None:
    assert ask(in_pool, Query("a 3BHK", "en")).status == "empty"


def test_the_plan_of_a_call_knows_every_name(projects: None) -> None:
    assert {"Lakeview Residency", "Whitefield", "HSR Layout"} <= set(vocabulary())
    lakeview = next(place for place in places() if place["project_slug"] == "lakeview-residency")
    assert lakeview["locality_hi"] == "व्हाइटफ़ील्ड"


def test_kinds_of_flat_are_read_in_both_languages() -> None:
    assert flat_types("a 2 bhk or three-bedroom") == ("2BHK", "3BHK")
    assert flat_types("दो बीएचके या 3 बेडरूम") == ("2BHK", "3BHK")
    assert flat_types("13 bhk, 3 o'clock") == ()


def test_two_names_that_share_a_word_are_told_apart() -> None:
    names = {"oak": ["Silver Oak"], "pine": ["Silver Pine"], "lake": ["Lakeview Residency"]}
    assert named("something in silver oak", names) == ("oak",)
    assert named("a garden somewhere", names) == ()


def test_a_second_start_keeps_what_operators_made_of_the_demo_and_a_reset_restores_it() -> None:
    def embed(texts: Any) -> list[list[float]]:
        return [[0.0] * 384 for _ in texts]

    def seen() -> set[tuple[Any, ...]]:
        return set(Listing.objects.values_list("pk", "price_inr", "updated_at"))

    services.seed_demo(embed=embed)
    Listing.objects.filter(project__slug="lakeview-residency", property_type="3BHK").update(price_inr=1)
    Project.objects.get(slug="maple-court").delete()
    edited = seen()
    services.seed_demo(embed=embed)
    assert seen() == edited
    services.seed_demo(embed=embed, reset=True)
    assert Listing.objects.count() == sum(len(project["listings"]) for project in demo.PROJECTS)
    assert (
        Listing.objects.get(project__slug="lakeview-residency", property_type="3BHK").price_inr == 12_000_000
    )
