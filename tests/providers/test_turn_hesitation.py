"""Callers who correct themselves or look for a word are cut off when these signs are missed."""

from __future__ import annotations

import pytest

from agents.providers.turn.completeness import read


@pytest.mark.parametrize(
    "text",
    [
        "I want a three, no.", "And Sarjapur, sorry.", "Yes, I mean.", "Good morning.", "Could you please?",
        "I think that would prefer.", "I want to know.", "And we need at least.", "42, Third Cross.",
        "Flat number 12, Rose apartment.",
    ],
)  # fmt: skip
def test_words_that_are_being_looked_for_are_not_an_end(text: str) -> None:
    assert read(text)[0] < 0.6


@pytest.mark.parametrize(
    "text",
    [
        "No.", "I am sorry.", "Is it ready or no?", "I want to know the price.", "Can I see it?",
        "Could you please call me?", "I live on Church Street.", "Is it on the third cross?",
        "Good morning, I have a question.", "Hello.",
    ],
)  # fmt: skip
def test_whole_sentences_that_look_alike_are_an_end(text: str) -> None:
    assert read(text)[0] >= 0.6
