"""A fast wrong answer must not count as a good one, nor a right one in other words as a wrong one."""

from __future__ import annotations

import re

import pytest

from crm.demo import ANNUAL_RATE_PERCENT, PEOPLE
from crm.emi import LOAN_SHARE_PERCENT, emi_inr
from knowledge.demo import PROJECTS, documents
from voiceops.console.benches.peers import FOLDER
from voiceops.console.benches.questions import CONVERSATIONS, HISTORIES, Line, count, money
from voiceops.core.rupees import grouped, in_words

LINES = [line for conversation in CONVERSATIONS for line in conversation.lines]


@pytest.mark.parametrize(
    "said",
    ["₹1.2 crore", "1.20 crores", "1 crore 20 lakh", "1 crore and 20 lakhs", "120 lakh", "₹1,20,00,000",
     "12,000,000", "12 million rupees", "It is ₹1.2 crore."],
)  # fmt: skip
def test_an_amount_is_recognised_however_it_is_written(said: str) -> None:
    assert re.search(money(12_000_000), said, re.IGNORECASE)


@pytest.mark.parametrize(
    "said", ["₹11.2 crore", "₹1.25 crore", "₹12 crore", "₹1,20,000", "₹85 lakh", "1200 lakh"]
)
def test_another_amount_is_not(said: str) -> None:
    assert not re.search(money(12_000_000), said, re.IGNORECASE)


def test_a_count_is_not_mistaken_for_a_kind_of_flat_or_a_price() -> None:
    assert re.search(count(3), "Yes, 3 of the 4BHK homes") and re.search(count(3), "three are left")
    assert not re.search(count(3), "the 3BHK at 3.4 crore, 13 left, 3,000 away")


def test_at_least_a_hundred_different_things_are_asked() -> None:
    assert len(LINES) >= 100
    assert len({line.text for line in LINES}) >= 80


def test_prices_and_counts_are_those_of_the_demo() -> None:
    """Were the demo data changed, the bench would call right answers wrong."""
    priced = {money(price) for project in PROJECTS for _, price, _, _ in project["listings"]}
    left = {count(units) for project in PROJECTS for _, _, _, units in project["listings"]}
    for line in LINES:
        if re.match(r"(what is the price|how much is (a|the) .*bedroom|what does)", line.text.lower()):
            assert set(line.expects) <= priced, line.text
        if line.text.lower().startswith("how many"):
            assert set(line.expects) <= left, line.text


def test_earlier_quotes_are_those_of_the_demo() -> None:
    latest = {
        person.phone: min(person.quoted, key=lambda quote: quote.days_ago)
        for person in PEOPLE
        if person.quoted
    }
    asked = {
        conversation.pii_from: line
        for conversation in CONVERSATIONS
        for line in conversation.lines
        if "E M I" in line.text
    }
    assert asked.keys() == HISTORIES.keys()
    for phone, line in asked.items():
        quote = latest[phone]
        emi = emi_inr(
            quote.price_inr * LOAN_SHARE_PERCENT // 100,
            annual_rate_percent=ANNUAL_RATE_PERCENT,
            tenure_months=quote.tenure_months,
        )
        assert line.right(f"It was ₹{grouped(emi)} a month."), line.text
        assert line.right(HISTORIES[phone]), "the peer was told another amount"


def test_a_peer_is_told_every_fact_that_it_is_asked_for() -> None:
    """Else it would be blamed for what it could not know."""
    facts = (FOLDER / "facts.txt").read_text(encoding="utf-8") + " ".join(HISTORIES.values())
    missing = [line.text for line in LINES if line.kind == "fact" and not line.right(facts)]
    assert not missing


def test_a_peers_prices_are_the_demos() -> None:
    facts = (FOLDER / "facts.txt").read_text(encoding="utf-8")
    for project in PROJECTS:
        told = next(row for row in facts.splitlines() if row.startswith(project["name"]))
        for kind, price, _, units in project["listings"]:
            offer = "sold out" if not units else f"{in_words(price)}, {units} available"
            assert f"{kind} {offer}" in told, f"{project['name']} {kind}"


def test_the_documents_hold_the_answers_to_the_policy_questions() -> None:
    """A question that the platform has no text for would always be unanswered."""
    known = " ".join(document["body"] for document in documents())
    listed = {money(price) for project in PROJECTS for _, price, _, _ in project["listings"]}
    counted = {count(units) for project in PROJECTS for _, _, _, units in project["listings"]}
    for line in LINES:
        if line.kind == "fact" and "E M I" not in line.text and not set(line.expects) & (listed | counted):
            assert line.right(known), line.text


def test_every_part_of_an_answer_must_be_there() -> None:
    line = Line("price and place?", (money(8_500_000), "Whitefield"))
    assert line.right("₹85 lakh, in Whitefield") and not line.right("₹85 lakh") and not line.right("")
