"""What the caller wants, from examples: wrong here, and the right answer goes to no question."""

from __future__ import annotations

import pytest

from agents.pipeline.intent import UNKNOWN, IntentClassifier
from tests.fakes.ports import embed
from tests.pipeline.conftest import PLACES, plan

NAMES = [str(place["name"]) for place in PLACES]
CLASSIFIER = IntentClassifier(plan().intents, names=NAMES)


def classify(text: str) -> str:
    return CLASSIFIER.classify(text, embed(CLASSIFIER.masked(text))).slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("what is the price of the flat there", "price_enquiry"),
        ("please book me a site visit", "site_visit_booking"),
        ("what was my EMI", "emi_history"),
        ("can i talk to a human please", "handover_request"),
        ("thank you so much", "thanks"),
        ("  HELLO!! ", "greeting"),
        ("bye.", "goodbye"),
        ("धन्यवाद", "thanks"),
        ("zxcv qwerty blorp", UNKNOWN),
    ],
)
def test_near_examples_decide(text: str, slug: str) -> None:
    assert classify(text) == slug


@pytest.mark.parametrize("text", ["hmm", "mm", "uh huh", "qwerty"])
def test_a_murmur_is_not_taken_for_a_greeting(text: str) -> None:
    """Embeddings put every short sound near "hi"."""
    assert classify(text) == UNKNOWN


def test_the_match_says_how_sure_it_is() -> None:
    match = CLASSIFIER.classify("how much is a flat", embed("how much is a flat"))
    assert match.slug == "price_enquiry" and match.runner_up != match.slug
    assert match.score >= match.runner_up_score > 0 and match.example and match.method == "embedding"


def test_an_example_word_for_word_is_certain() -> None:
    match = CLASSIFIER.classify("What EMI did you tell me last time", None)
    assert (match.slug, match.score, match.method) == ("emi_history", 1.0, "exact")


def test_words_alone_do_when_the_embedder_is_down() -> None:
    """A dead embedder would make every question an unknown one."""
    match = CLASSIFIER.classify("tell me the price of the flat please", None)
    assert match.slug == "price_enquiry" and match.method == "words"
    assert CLASSIFIER.classify("zxcv qwerty", None).slug == UNKNOWN


def test_names_of_places_do_not_decide() -> None:
    """ "in Hebbal" would pull every question to whichever example names Hebbal."""
    assert CLASSIFIER.masked("price of a 3BHK at Lakeview Residency") == "price of a flat at the project"
    assert CLASSIFIER.masked("Is it in whitefield?") == "Is it in the project?"


def test_no_examples_means_unknown() -> None:
    assert IntentClassifier([]).classify("hello", None).slug == UNKNOWN
