"""A name that is spelled wrong is a project that is not found; a name that was not said is worse."""

from __future__ import annotations

import pytest

from agents.demo import INTENTS
from agents.providers.stt.vocabulary import vocabulary

NAMES = (
    "Lakeview Residency",
    "Whitefield",
    "Sarjapur",
    "Indiranagar",
    "Hebbal",
    "Orchid Grove",
    "3BHK",
    "EMI",
)


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("in Indooranagar, Hebbel and white field.", "in Indiranagar, Hebbal and Whitefield."),
        (
            "When is possession at orchid growth in Sargepore?",
            "When is possession at Orchid Grove in Sarjapur?",
        ),
        ("Lake view residency please", "Lakeview Residency please"),
        ("Indiranagar, Hubble, and", "Indiranagar, Hebbal, and"),
        ("Sarja poor road", "Sarjapur road"),
        ("Indira Nagar", "Indiranagar"),
        ("1 crore 20 lock rupees", "1 crore 20 lakh rupees"),
        ("below 95-lock", "below 95 lakh"),
    ],
)
def test_near_misses_are_put_right(heard: str, meant: str) -> None:
    """Each was written by Whisper base for clear speech."""
    assert vocabulary(NAMES).repair(heard) == meant


@pytest.mark.parametrize(
    "text",
    [
        "the lake view is nice", "the white flag", "lock the door", "in the near future I need a garden",
        "are you able to help", "an orchard or a garden", "मुझे व्हाइटफील्ड में घर चाहिए", "",
        "I'd like Whitefield.", "Lakeview Residency in Whitefield",
    ],
)  # fmt: skip
def test_other_words_stay(text: str) -> None:
    assert vocabulary(NAMES).repair(text) == text


def test_no_name_is_read_into_the_demo_s_questions() -> None:
    names = vocabulary(NAMES)
    questions = [text for intent in INTENTS for language, text in intent["examples"] if language == "en"]
    assert len(questions) > 100
    assert [text for text in questions if names.repair(text).lower() != text.lower()] == []


def test_repairing_twice_changes_nothing_more() -> None:
    names = vocabulary(NAMES)
    once = names.repair("When is possession at orchid growth in Sargepore near white field")
    assert names.repair(once) == once


def test_without_names_only_amounts_are_mended() -> None:
    assert vocabulary(()).repair("90 lock near white field") == "90 lakh near white field"
