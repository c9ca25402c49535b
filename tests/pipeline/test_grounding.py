"""Sentences against facts: each wrongly passed one is a lie told to a customer."""

from __future__ import annotations

from datetime import datetime

import pytest

from agents.pipeline.grounding import check, contains_asked, grounds_of
from tests.fakes.ports import listing
from tests.pipeline.conftest import PLACES, QUOTE
from voiceops.core.facts import Evidence

HOME = listing()
NAMES = [str(place["name"]) for place in PLACES]
PRICE = grounds_of([HOME], heard="is the 3BHK in Whitefield 90 lakh?", intent="price_enquiry", places=NAMES)
EMI = grounds_of([QUOTE], heard="what was the EMI yesterday", intent="emi_history", places=NAMES)
POLICY = grounds_of(
    [
        Evidence(
            "policies", "chunk:1", "1", "Cancellation",
            "If you cancel within 15 days, the booking amount is refunded in full. "
            "Cheques are not accepted. Visits start at 10 AM on Saturday, 28 November.",
        )
    ],
    heard="what is the cancellation policy", intent="policy_question", places=NAMES,
)  # fmt: skip


@pytest.mark.parametrize(
    "sentence",
    [
        "The 3BHK at Lakeview Residency in Whitefield is priced at ₹1.2 crore.",
        "It costs ₹12000000.",
        "The price is Rs. 1,20,00,000.",
        "The price is INR 1,20,00,000.",
        "It costs one crore twenty lakh rupees.",
        "It is 1.2 cr.",
        "The three bedroom home is 120 lakh rupees.",
        "Three bedroom homes cost ₹1.2 crore.",
        "It has 1,650 square feet for ₹1.2 crore.",
        "Possession is in December 2027.",
        "4 units are available at Lakeview Residency.",
        "There are four homes left.",
    ],
)
def test_what_stands_in_the_record_may_be_said(sentence: str) -> None:
    assert check(sentence, PRICE) == []


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("It costs ₹1.3 crore.", "number"),
        ("It costs ₹1.2 lakh.", "number"),
        ("It costs ₹12,00,000.", "number"),
        ("It costs one crore thirty lakh rupees.", "number"),
        ("It costs $12000000.", "number"),
        ("It is 90 lakh.", "number"),
        ("It costs ₹1,650.", "number"),
        ("There are 12000000 units.", "number"),
        ("The price is ₹4.", "number"),
        ("There are 5 units left.", "number"),
        ("The 2BHK costs ₹1.2 crore.", "number"),
        ("Four bedroom homes cost ₹1.2 crore.", "number"),
        ("Possession is in December 2028.", "number"),
        ("Possession is in March 2027.", "date"),
        ("Possession is on Saturday.", "date"),
        ("The 3BHK in Sarjapur costs ₹1.2 crore.", "name"),
        ("the 3bhk in sarjapur costs ₹1.2 crore", "name"),
        ("Prestige Towers has a 3BHK for ₹1.2 crore.", "name"),
        ("Orchid Grove costs ₹1.2 crore.", "name"),
        ("Mr. Sharma sells it for ₹1.2 crore.", "name"),
        ("It does not cost ₹1.2 crore.", "negation"),
        ("It isn't available.", "negation"),
        ("The 3BHK is sold out.", "negation"),
        ("It costs about ₹1.2 crore.", "hedge"),
        ("It costs up to ₹1.2 crore.", "hedge"),
        ("Prices start from ₹1.2 crore.", "hedge"),
        ("It is probably ₹1.2 crore.", "hedge"),
        ("Yes, it is ₹1.2 crore.", "assent"),
        ("No, it is ₹1.2 crore.", "assent"),
        ("It has a swimming pool.", "extra"),
        ("It costs ₹1.2 crore with free parking.", "extra"),
        ("The price is negotiable.", "extra"),
        ("I'm sorry, as an AI language model I cannot say.", "off_script"),
        ("Facts: price ₹1.2 crore", "off_script"),
        ("The interest rate is 8.5%.", "number"),
        ("It takes 20 years.", "number"),
    ],
)
def test_what_does_not_stand_in_the_record_is_caught(sentence: str, code: str) -> None:
    assert code in {problem.code for problem in check(sentence, PRICE)}


@pytest.mark.parametrize(
    "sentence",
    [
        "The EMI quoted yesterday was ₹86,400 a month.",
        "Your EMI is 86400 rupees for 20 years at 8.5%.",
        "Your EMI is ₹86,400 for 240 months.",
        "It was eighty-six thousand four hundred rupees.",
    ],
)
def test_the_quote_in_any_form(sentence: str) -> None:
    assert check(sentence, EMI) == [] and contains_asked(sentence, EMI)


@pytest.mark.parametrize(
    "sentence",
    [
        "If you cancel within 15 days, the booking amount is refunded in full.",
        "Cheques are not accepted.",
        "Visits start at 10 AM.",
        "Visits start on Saturday.",
    ],
)
def test_a_policy_in_its_own_words(sentence: str) -> None:
    assert check(sentence, POLICY) == []


@pytest.mark.parametrize("sentence", ["Within 30 days.", "Visits start at 11 AM.", "Visits start on Sunday."])
def test_a_policy_with_other_numbers(sentence: str) -> None:
    assert check(sentence, POLICY)


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("The price is 4 units.", False),
        ("It is a lovely home in Whitefield.", False),
        ("It is one crore twenty lakh rupees.", True),
        ("₹1.2 crore", True),
    ],
)
def test_the_value_that_was_asked_for_must_be_said(sentence: str, said: bool) -> None:
    """A small model asked for the price happily answers with the number of units."""
    assert contains_asked(sentence, PRICE) is said


def test_an_answer_must_be_about_the_question() -> None:
    """ "When is possession?" is not answered by the size of the flat."""
    asked = grounds_of([HOME], heard="When is possession?", intent="project_info", places=NAMES)
    assert not contains_asked("The 3BHK at Lakeview Residency has 1650 sq ft,", asked)
    assert contains_asked("Possession is in December 2027.", asked)


def test_slots_ground_their_day_and_time() -> None:
    slot = Evidence(
        "slots",
        "slot:1",
        "1",
        "",
        "",
        {"project": "Lakeview Residency", "starts_at": datetime(2026, 11, 28, 17)},
    )
    grounds = grounds_of([slot], heard="", intent="", places=NAMES)
    assert check("Saturday 28 November at 5 PM is available.", grounds) == []
    assert check("Sunday 29 November at 5 PM is available.", grounds)
    assert check("Saturday 28 November at 6 PM is available.", grounds)


def test_an_amount_in_crores_is_the_same_amount_in_rupees() -> None:
    """1.36 × 10,000,000 is no whole number in binary; true sentences must not be refused for it."""
    from agents.pipeline.quantities import find_quantities

    for crores in ("1.36", "1.15", "2.45", "0.57"):
        (quantity,) = find_quantities(f"It costs ₹{crores} crore.")
        assert quantity.value == round(float(crores) * 100) * 100_000
