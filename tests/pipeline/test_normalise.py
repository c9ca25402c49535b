"""What a caller says in words is kept in digits too: an amount or a phone number that is written wrong
is a promise to somebody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.pipeline.normalise import normalise
from agents.pipeline.number_words import digits_in_words, in_words, indian_grouping

WRITTEN = {
    # rupees
    "my budget is one crore twenty lakh rupees": "my budget is ₹1,20,00,000",
    "My budget is 1 crore 20 lakh rupees.": "My budget is ₹1,20,00,000.",
    "around ₹1.2 crore": "around ₹1,20,00,000",
    "it costs Rs. 50,000 per month": "it costs ₹50,000 per month",
    "eighty five lakh": "₹85,00,000",
    "two and a half crore": "₹2,50,00,000",
    "a crore": "₹1,00,00,000",
    "half a crore": "₹50,00,000",
    "fifty thousand rupees": "₹50,000",
    "1.2cr": "₹1,20,00,000",
    "1 to 2 crore": "₹1,00,00,000 to ₹2,00,00,000",
    "between 80 and 90 lakh": "between ₹80,00,000 and ₹90,00,000",
    "एक करोड़ बीस लाख रुपये": "₹1,20,00,000",
    "डेढ़ करोड़ रुपये": "₹1,50,00,000",
    "साढ़े तीन करोड़": "₹3,50,00,000",
    "ढाई लाख": "₹2,50,000",
    "पौने दो करोड़": "₹1,75,00,000",
    "dedh crore": "₹1,50,00,000",
    "mera budget do crore hai": "mera budget ₹2,00,00,000 hai",
    # other numbers
    "two lakh square feet": "2,00,000 square feet",
    "two thousand five hundred square feet": "2500 square feet",
    "three bedroom flat": "3 bedroom flat",
    "one bedroom": "1 bedroom",
    "twenty-three years": "23 years",
    "eight point five percent": "8.5%",
    "8.5 percent": "8.5%",
    "one hundred and fifty": "150",
    "two or three bedrooms": "2 or 3 bedrooms",
    # phone numbers and other digits
    "nine eight eight six zero double four one two three": "9886044123",
    "My phone number is 98860 44123.": "My phone number is 9886044123.",
    "it is 988-6-0-44123": "it is 9886044123",
    "9, 8, 8, 6, 0, 4, 4, 1, 2, 3": "9886044123",
    "on plus nine one nine eight eight six zero four four one two three": "on +919886044123",
    "nine eight triple six oh four one two three": "9866604123",
    "ninety eight eighty six zero double four one two three": "9886044123",
    "नौ आठ आठ छह शून्य चार चार एक दो तीन": "9886044123",
    "98860 double 4123": "9886044123",
    "pin code five six zero zero six six": "pin code 560066",
    "back on 765-432-1098 after 6": "back on 7654321098 after 6",
    # times
    "at four p m": "at 4:00 pm",
    "at 4 p.m. tomorrow": "at 4:00 pm tomorrow",
    "Saturday at 11.30.": "Saturday at 11:30.",
    "at eleven thirty": "at 11:30",
    "half past four": "4:30",
    "quarter to five": "4:45",
    "quarter to one": "12:45",
    "five o'clock": "5:00",
    "शाम पाँच बजे": "शाम 5:00 बजे",
    "साढ़े चार बजे": "4:30 बजे",
    "पौने पाँच बजे": "4:45 बजे",
    "paanch baje": "5:00 baje",
    "do baje": "2:00 baje",
    # dates
    "the 23rd of November at 4pm": "the 23 November at 4:00 pm",
    "twenty third of November": "23 November",
    "on November twenty third": "on November 23",
    "the twenty third": "the 23rd",
    "तेईस नवंबर": "23 नवंबर",
}


@pytest.mark.parametrize(("said", "written"), WRITTEN.items(), ids=list(WRITTEN))
def test_what_is_said_is_written_in_digits(said: str, written: str) -> None:
    assert normalise(said) == written


@pytest.mark.parametrize(
    "said",
    [
        "", "hello", "the first one", "this one please", "one of them", "second floor please",
        "I am interested in Whitefield", "what do you charge", "you may call me at 5", "in 2026 and 2027",
        "3BHK in Whitefield", "no one told me", "on the 5th", "char dham", "मुझे घर चाहिए", "₹", "a", "half",
        "the price is ₹1,20,00,000",
    ],
)  # fmt: skip
def test_what_is_no_number_stays(said: str) -> None:
    assert normalise(said) == ""


@pytest.mark.parametrize("said", WRITTEN.values())
def test_what_is_written_stays_as_it_is(said: str) -> None:
    """A transcript may pass twice: an answer built on a number that changed on the way is wrong."""
    assert normalise(said) in ("", said)


@given(st.integers(min_value=100_000, max_value=999_999_999), st.sampled_from(["en", "hi"]))
def test_every_amount_comes_back(amount: int, language: str) -> None:
    rupees = "rupees" if language == "en" else "रुपये"
    assert normalise(f"{in_words(amount, language)} {rupees}") == f"₹{indian_grouping(amount)}"


@given(st.text("0123456789", min_size=10, max_size=10), st.sampled_from(["en", "hi"]))
def test_every_phone_number_comes_back(digits: str, language: str) -> None:
    assert normalise(digits_in_words(digits, language)) == digits


@given(st.text(max_size=80))
def test_nothing_a_recogniser_writes_breaks_it(text: str) -> None:
    normalise(text)


_WORDS = [
    "one", "twenty", "and", "a", "half", "crore", "lakh", "rupees", "point", "double", "nine", "at",
    "past", "to", "quarter", "pm", "p", "m", ".", "-", "₹", "rs", "saadhe", "dedh",
    "do", "baje", "of", "november", "third", "98",
]  # fmt: skip


@given(st.lists(st.sampled_from(_WORDS), max_size=8))
def test_no_order_of_number_words_breaks_it(words: list[str]) -> None:
    normalise(" ".join(words))
