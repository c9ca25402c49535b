"""Work begun on words that are taken back later is wasted, or worse, spoken: stable words stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.providers.stt.agreement import Agreement


def stable_after(*texts: str) -> str:
    agreement = Agreement()
    for text in texts:
        agreement.hear(text)
    return agreement.stable


def test_one_decode_alone_makes_nothing_stable() -> None:
    assert stable_after("What is the price of") == ""


def test_what_two_decodes_agree_on_is_stable_but_for_the_last_word() -> None:
    assert stable_after("What is the pri", "What is the price of a") == "What is the"
    assert stable_after("What is", "What is") == "What"


def test_case_and_punctuation_are_no_disagreement() -> None:
    assert stable_after("hello, what is it", "Hello. What is it then") == "Hello. What is it"


def test_hindi_vowel_signs_tell_words_apart() -> None:
    assert stable_after("की कीमत क्या", "का कीमत क्या है") == ""
    assert stable_after("घर की कीमत", "घर की कीमत क्या") == "घर की कीमत"


@pytest.mark.parametrize(
    ("one", "two", "stable"),
    [
        ("my number is 98", "my number is 988 6", "my number is"),
        ("my number is 98 86 0", "my number is 98 86 04 4", "my number is"),
        ("budget is one crore", "budget is one crore twenty", "budget is"),
        ("call me at 11", "call me at 11 tomorrow", "call me at"),
        ("a 3 bedroom flat in", "a 3 bedroom flat in Whitefield", "a 3 bedroom flat in"),
    ],
)
def test_a_number_is_not_stable_while_it_may_go_on(one: str, two: str, stable: str) -> None:
    """ "98" becomes "988": an agent that planned with the first would quote the wrong amount."""
    assert stable_after(one, two) == stable


def test_a_decode_that_contradicts_stable_words_does_not_replace_them() -> None:
    agreement = Agreement()
    agreement.hear("I want a flat in")
    agreement.hear("I want a flat in Whitefield")
    assert agreement.stable == "I want a flat in"
    assert agreement.hear("I wanted a flat in Hebbal please") == "I want a flat in Hebbal please"
    assert agreement.held == 1
    assert agreement.settle("You want a flat in Hebbal") == "I want a flat in Hebbal"


_TEXTS = st.lists(
    st.lists(st.sampled_from(["I", "want", "a", "flat", "in", "98", "one", "crore", "Hebbal."]), max_size=7),
    max_size=8,
)


@given(_TEXTS)
def test_stable_words_are_never_taken_back(decodes: list[list[str]]) -> None:
    agreement = Agreement()
    for words in decodes:
        before = agreement.stable
        heard = agreement.hear(" ".join(words))
        assert heard.startswith(before)
        assert agreement.stable.startswith(before)
        assert heard.startswith(agreement.stable)
    stable = agreement.stable
    assert agreement.settle("something else").startswith(stable) and agreement.stable == stable
