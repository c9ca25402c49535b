"""What a voice says is understood as what was meant: no number, hour or price changes on its way
from the page to the ear."""

from __future__ import annotations

import re
from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.pipeline.entities import dictated_digits, find_property_type
from agents.pipeline.number_words import in_words, read_number
from agents.pipeline.quantities import find_quantities
from agents.pipeline.spoken import hindi_names, rupees, spoken, written_day, written_time
from agents.pipeline.time_words import ordinal_in_words, year_in_words
from agents.pipeline.when import find_when
from tests.pipeline.conftest import NOW

LANGUAGES = ("en", "hi")
languages = st.sampled_from(LANGUAGES)

ICU_HINDI_TEXT = """
शून्य एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पन्द्रह सोलह सत्रह अठारह उन्नीस बीस
इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस तीस इकतीस बत्तीस तैंतीस चौंतीस पैंतीस
छत्तीस सैंतीस अड़तीस उनतालीस चालीस इकतालीस बयालीस तैंतालीस चौवालीस पैंतालीस छियालीस सैंतालीस
अड़तालीस उनचास पचास इक्यावन बावन तिरेपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ साठ इकसठ बासठ तिरेसठ
चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर छिहत्तर सतहत्तर
अठहत्तर उनासी अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी नवासी नब्बे इक्यानबे
बानबे तिरानबे चौरानबे पंचानबे छियानबे सत्तानबे अट्ठानबे निन्यानबे
"""
ICU_HINDI = ICU_HINDI_TEXT.split()
"""0 to 99 as ICU's rule-based number format spells them (CLDR, locale hi)."""
SPELLED_BOTH_WAYS = {
    15: "पंद्रह", 53: "तिरपन", 63: "तिरसठ", 91: "इक्यानवे", 92: "बानवे", 93: "तिरानवे", 94: "चौरानवे", 95: "पचानवे",
    96: "छियानवे", 97: "सत्तानवे", 98: "अट्ठानवे", 99: "निन्यानवे",
}  # fmt: skip
"""Where dictionaries allow another spelling than ICU's, and this one is said."""


def test_all_hundred_hindi_numbers_are_the_right_words() -> None:
    """Every one of them is irregular: one slip and a price is another price."""
    assert len(ICU_HINDI) == 100
    for value, theirs in enumerate(ICU_HINDI):
        assert in_words(value, "hi") == SPELLED_BOTH_WAYS.get(value, theirs), value
    assert len({in_words(value, "hi") for value in range(100)}) == 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_to_ten_thousand_reads_back(language: str) -> None:
    for value in range(10_000):
        assert read_number(in_words(value, language).split(), 0) == (
            value,
            len(in_words(value, language).split()),
        )


@settings(deadline=None)
@given(value=st.integers(0, 10**11), language=languages)
def test_any_amount_is_heard_as_itself(value: int, language: str) -> None:
    words = spoken(f"₹{value}", language)
    assert not re.search(r"\d|₹", words)
    heard = find_quantities(words)
    assert [(item.value, item.unit) for item in heard] == [(float(value), "inr")], words
    assert spoken(rupees(value, language), language) == words, "every way to write it is said alike"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_minute_of_the_day_is_heard_as_itself(language: str) -> None:
    """A visit at a quarter to eight must not be booked for eight."""
    for minute in range(24 * 60):
        at = time(minute // 60, minute % 60)
        words = spoken(written_time(at, language), language)
        assert not re.search(r"\d", words)
        assert find_when(words, NOW).at == at, (at, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_day_of_a_year_is_heard_as_itself(language: str) -> None:
    for offset in range(365):
        day = date.fromordinal(NOW.date().toordinal() + offset)
        words = spoken(written_day(day, language), language).split(", ", 1)[1]
        assert not re.search(r"\d", words)
        assert find_when(words, NOW).day == day, words


@settings(deadline=None)
@given(digits=st.from_regex(r"\A[6-9][0-9]{9}\Z"), language=languages)
def test_a_phone_number_is_said_digit_by_digit(digits: str, language: str) -> None:
    for written in (digits, f"{digits[:5]} {digits[5:]}", f"{digits[:5]}-{digits[5:]}"):
        words = spoken(f"{written}.", language)
        assert dictated_digits(words) == digits and len(words.split()) == 10
    assert dictated_digits(spoken(f"+91 {digits}", language)) == f"91{digits}"


@settings(deadline=None)
@given(tenths=st.integers(0, 1000), language=languages)
def test_a_percentage_is_heard_as_itself(tenths: int, language: str) -> None:
    heard = find_quantities(spoken(f"{tenths / 10:g}%", language))
    assert [(item.value, item.unit) for item in heard] == [(tenths / 10, "percent")]


@settings(deadline=None)
@given(area=st.integers(100, 99_999), language=languages)
def test_an_area_is_heard_as_itself(area: int, language: str) -> None:
    heard = find_quantities(spoken(f"{area:,} sq. ft.", language))
    assert [(item.value, item.unit) for item in heard] == [(area, "sqft")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_size_is_heard_as_itself(language: str) -> None:
    for rooms in range(1, 7):
        words = spoken(f"{rooms}BHK", language)
        assert find_quantities(words)[0].unit == "bhk"
    assert find_property_type(spoken("3BHK", "hi")) == "3BHK" == find_property_type(spoken("3BHK"))


@pytest.mark.parametrize(
    ("written", "english", "hindi"),
    [
        ("₹12000000", "one crore twenty lakh rupees", "एक करोड़ बीस लाख रुपये"),
        ("₹80–90 lakh", "eighty lakh to ninety lakh rupees", "अस्सी लाख से नब्बे लाख रुपये"),
        ("₹1", "one rupee", "एक रुपया"),
        ("₹5,000/-", "five thousand rupees", "पाँच हज़ार रुपये"),
        ("₹7,500/sq ft", "seven thousand five hundred rupees per square feet",
         "सात हज़ार पाँच सौ रुपये प्रति वर्ग फ़ुट"),
        ("2-3 BHK", "two to three B H K", "दो से तीन बी एच के"),
        ("8–9%", "eight to nine percent", "आठ से नौ प्रतिशत"),
        ("1:30 PM", "one thirty PM", "दोपहर डेढ़ बजे"),
        ("2:30 PM", "two thirty PM", "दोपहर ढाई बजे"),
        ("7:45 PM", "seven forty-five PM", "शाम पौने आठ बजे"),
        ("11:15 AM", "eleven fifteen AM", "सुबह सवा ग्यारह बजे"),
        ("2026-12-01", "first December twenty twenty-six", "पहली दिसंबर दो हज़ार छब्बीस"),
        ("December 12, 2026", "twelfth December twenty twenty-six", "बारह दिसंबर दो हज़ार छब्बीस"),
        ("PIN code 560066", "pin code five six zero zero six six", "पिन code पाँच छह शून्य शून्य छह छह"),
        ("24x7", "round the clock", "चौबीसों घंटे"),
        ("NRI", "N R I", "एन आर आई"),
        ("RERA", "Rera", "रेरा"),
        ("21st", "twenty-first", "इक्कीसवाँ"),
        ("5वीं", "पाँचवीं", "पाँचवीं"),
        ("Whitefield", "Whitefield", "व्हाइटफ़ील्ड"),
        ("Whitefields", "Whitefields", "Whitefields"),
    ],
)  # fmt: skip
def test_what_stands_on_the_page_is_said_as_people_say_it(written: str, english: str, hindi: str) -> None:
    names = {"Whitefield": "व्हाइटफ़ील्ड"}
    assert spoken(written, "en", names) == english
    assert spoken(written, "hi", names) == hindi


@settings(deadline=None)
@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=60), language=languages)
def test_any_text_can_be_said(text: str, language: str) -> None:
    assert isinstance(spoken(text, language), str)


@settings(deadline=None)
@given(text=st.text(alphabet="abcdefgh ,.?!कखगमा", max_size=40))
def test_words_stay_as_they_are(text: str) -> None:
    assert spoken(text, "en") == text == spoken(text, "hi")


def test_ordinals_and_years() -> None:
    ends = {1: "st", 2: "nd", 3: "rd"}
    for value in range(1, 1000):
        word = ordinal_in_words(value)
        suffix = "th" if value % 100 in (11, 12, 13) else ends.get(value % 10, "th")
        assert word.endswith({"st": "first", "nd": "second", "rd": "third"}.get(suffix, "th")), word
    assert [ordinal_in_words(value, "hi") for value in (1, 2, 3, 4, 5, 6)] == [
        "पहला", "दूसरा", "तीसरा", "चौथा", "पाँचवाँ", "छठा",
    ]  # fmt: skip
    assert ordinal_in_words(2, "hi", "feminine") == "दूसरी" and ordinal_in_words(9, "hi", "oblique") == "नौवें"
    assert year_in_words(2027) == "twenty twenty-seven" and year_in_words(1905) == "nineteen oh five"
    assert year_in_words(1998, "hi") == "उन्नीस सौ अट्ठानवे" and year_in_words(2000) == "two thousand"


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("साढ़े पाँच बजे", time(17, 30)), ("डेढ़ बजे", time(13, 30)), ("dhai baje", time(14, 30)),
        ("सुबह सवा ग्यारह बजे", time(11, 15)), ("paune chaar baje", time(15, 45)),
        ("half past five", time(17, 30)),
        ("five fifteen pm", time(17, 15)), ("रात बारह बजे", time(0, 0)), ("रात नौ बजे", time(21, 0)),
        ("डेढ़ करोड़", None), ("साढ़े आठ लाख", None), ("saadhe teen bhk", None),
    ],
)  # fmt: skip
def test_hindi_halves_and_quarters_are_hours_only_when_they_are(said: str, at: time | None) -> None:
    assert find_when(said, NOW).at == at


def test_places_of_a_plan_carry_their_hindi_spelling() -> None:
    places = [
        {"name": "Whitefield", "kind": "locality", "aliases": ["White Field", "व्हाइटफ़ील्ड"]},
        {"name": "Orchid Grove", "kind": "project", "aliases": []},
        "Hebbal",
    ]
    assert hindi_names({"places": places}) == {"Whitefield": "व्हाइटफ़ील्ड"} and hindi_names({}) == {}


def test_the_hour_is_the_callers(now: datetime = NOW) -> None:
    assert spoken(f"{written_day(now.date(), 'hi')}, {written_time(now, 'hi')}", "hi") == (
        "सोमवार, तेईस नवंबर, सुबह दस बजे"
    )
