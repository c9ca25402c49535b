"""Words and numbers: what is read out, what is understood, when a clause may start."""

from __future__ import annotations

import pytest

from agents.demo import INTENTS, PROFILE
from agents.pipeline.clauses import split
from agents.pipeline.entities import (
    find_choice,
    find_entities,
    find_name,
    find_phone,
    find_yes_no,
    places_of,
    wants_to_cancel,
)
from agents.pipeline.lines import DEFAULT_LINES, say
from agents.pipeline.number_words import in_words, indian_grouping, read_number
from agents.pipeline.spoken import rupees, spoken
from agents.pipeline.templates import fill, validate_template, written_values
from agents.pipeline.when import find_when, past_day
from tests.pipeline.conftest import NOW, PLACES, QUOTE, plan

KNOWN = places_of({"places": PLACES}, ())


@pytest.mark.parametrize(
    ("written", "english", "hindi"),
    [
        ("₹12000000", "one crore twenty lakh rupees", "एक करोड़ बीस लाख रुपये"),
        ("₹1.2 crore", "one crore twenty lakh rupees", "एक करोड़ बीस लाख रुपये"),
        ("₹1,20,00,000", "one crore twenty lakh rupees", "एक करोड़ बीस लाख रुपये"),
        ("₹85 lakh", "eighty-five lakh rupees", "पचासी लाख रुपये"),
        ("₹86,400", "eighty-six thousand four hundred rupees", "छियासी हज़ार चार सौ रुपये"),
        ("3BHK", "three B H K", "तीन बी एच के"),
        ("8.5%", "eight point five percent", "आठ दशमलव पाँच प्रतिशत"),
        ("9876543210", "nine eight seven six five four three two one zero",
         "नौ आठ सात छह पाँच चार तीन दो एक शून्य"),
        ("5 PM", "five PM", "शाम पाँच बजे"),
        ("11:30 AM", "eleven thirty AM", "सुबह साढ़े ग्यारह बजे"),
        ("Saturday, 28 November", "Saturday, twenty-eighth November", "शनिवार, अट्ठाईस नवंबर"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_say_them(written: str, english: str, hindi: str) -> None:
    """A voice that reads digits says "twelve million" or "rupee sign one point two"."""
    assert spoken(written, "en") == english
    assert spoken(written, "hi") == hindi


def test_a_whole_sentence_is_read_out() -> None:
    text = "The 3BHK has 1,650 sq ft and an EMI of ₹86,400 until December 2027."
    assert spoken(text) == (
        "The three B H K has one thousand six hundred fifty square feet and an E M I of "
        "eighty-six thousand four hundred rupees until December twenty twenty-seven."
    )


def test_words_without_numbers_stay_as_they_are() -> None:
    text = "Hello, one moment please. How are you?"
    assert spoken(text) == text


@pytest.mark.parametrize(
    "value", [0, 7, 19, 20, 85, 99, 100, 105, 999, 1000, 1650, 86_400, 8_500_000, 12_345_678]
)
@pytest.mark.parametrize("language", ["en", "hi"])
def test_numbers_survive_being_said(value: int, language: str) -> None:
    tokens = in_words(value, language).split()
    assert read_number(tokens, 0) == (float(value), len(tokens))


def test_rupees_are_written_the_indian_way() -> None:
    assert rupees(12_000_000) == "₹1.2 crore" and rupees(8_500_000, "hi") == "₹85 लाख"
    assert rupees(12_345_678) == "₹1,23,45,678" and indian_grouping(999) == "999"


@pytest.mark.parametrize(
    ("heard", "slots"),
    [
        ("price of the three bedroom at lake view residency", ("3BHK", "Lakeview Residency", "Whitefield")),
        ("2 BHK in white field", ("2BHK", None, "Whitefield")),
        ("what about Whitfield", (None, None, "Whitefield")),
        ("व्हाइटफील्ड में तीन बीएचके", ("3BHK", None, "Whitefield")),
        ("flats near sarjapur road", (None, None, "Sarjapur")),
        ("is that the right field", (None, None, None)),
        ("hello, how are you", (None, None, None)),
    ],
)
def test_names_are_found_also_when_misheard(heard: str, slots: tuple[str | None, ...]) -> None:
    found = find_entities(heard, KNOWN)
    assert (found.get("property_type"), found.get("project"), found.get("locality")) == slots


@pytest.mark.parametrize(
    ("heard", "day", "at", "part"),
    [
        ("tomorrow at five", 24, "17:00", ""),
        ("today at 11 am", 23, "11:00", ""),
        ("Saturday morning", 28, None, "morning"),
        ("day after tomorrow at half past four", 25, "16:30", ""),
        ("on the 28th of November at noon", 28, "12:00", ""),
        ("kal shaam 5 baje", 24, "17:00", ""),
        ("शनिवार सुबह ग्यारह बजे", 28, "11:00", ""),
        ("how about 10:30", None, "10:30", ""),
        ("a three bedroom", None, None, ""),
        ("the second one", None, None, ""),
    ],
)
def test_days_and_times_from_the_callers_now(heard: str, day: int | None, at: str | None, part: str) -> None:
    when = find_when(heard, NOW)
    assert (when.day.day if when.day else None) == day
    assert (when.at.strftime("%H:%M") if when.at else None) == at
    assert when.part == part


@pytest.mark.parametrize(
    ("heard", "phone"),
    [
        ("nine eight seven six five four three two one zero", "+919876543210"),
        ("it's 98765 43210", "+919876543210"),
        ("double nine eight seven six five four three two one", "+919987654321"),
        ("09876543210", "+919876543210"),
        ("+91 98765 43210", "+919876543210"),
        ("+14155550123", "+14155550123"),
        ("नौ आठ सात छह पाँच चार तीन दो एक शून्य", "+919876543210"),
        ("98765", None),
        ("1234567890", None),
        ("my name is Asha", None),
    ],
)
def test_phone_numbers_are_whole_or_not_taken(heard: str, phone: str | None) -> None:
    """Nine digits reach nobody."""
    assert find_phone(heard) == phone


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("my name is asha rao", "Asha Rao"),
        ("Ravi Kumar", "Ravi Kumar"),
        ("mera naam Ravi hai", "Ravi"),
        ("yes", None),
    ],
)
def test_names(heard: str, name: str | None) -> None:
    assert find_name(heard) == name


@pytest.mark.parametrize(
    ("heard", "answer"),
    [("yes please", True), ("haan kar do", True), ("no thanks", False), ("nahi", False), ("Saturday", None)],
)
def test_yes_and_no(heard: str, answer: bool | None) -> None:
    assert find_yes_no(heard) is answer


@pytest.mark.parametrize(
    ("heard", "day"),
    [("what did you quote yesterday", 22), ("kal kitna bataya", 22), ("last Saturday", 21), ("on Monday", 16),
     ("last week", None)],
)  # fmt: skip
def test_days_gone_by(heard: str, day: int | None) -> None:
    found = past_day(heard, NOW)
    assert (found.day if found else None) == day


def test_choices_and_cancelling() -> None:
    assert find_choice("the second one", 3) == 1 and find_choice("the last", 3) == 2
    assert find_choice("the third", 2) is None
    assert wants_to_cancel("forget it") and wants_to_cancel("रहने दो") and not wants_to_cancel("book it")


def test_clauses_start_early_and_never_inside_a_number() -> None:
    text = "The price of the 3BHK, as listed, is ₹1.2 crore. It has 1,650 sq. ft. of space."
    clauses = split(text)
    assert clauses[0] == "The price of the 3BHK,"
    assert " ".join(clauses) == text
    assert any("₹1.2 crore." in clause for clause in clauses) and any("1,650" in clause for clause in clauses)


def test_templates_say_what_is_wrong_with_them() -> None:
    assert validate_template("The {property_type} costs {price}.") == []
    assert "{prise}" in validate_template("It costs {prise}.")[0]
    assert "partner" in validate_template("It costs {price.")[0]
    assert validate_template(" ")


def test_templates_are_filled_in_both_languages() -> None:
    values = written_values(QUOTE.values, "en", now=NOW)
    assert fill("{emi} {quoted_on} for {tenure_years} years", values) == "₹86,400 yesterday for 20 years"
    assert written_values(QUOTE.values, "hi", now=NOW)["quoted_on"] == "कल"


def test_the_demo_desk_is_complete() -> None:
    """A missing line is a silence on somebody's call."""
    required = {
        "greeting", "filler", "recovery", "no_knowledge", "apology", "handover", "still_there", "goodbye",
        "not_understood", "stt_down",
    }  # fmt: skip
    for language in PROFILE["languages"]:
        assert required <= set(PROFILE["lines"][language])
    for intent in INTENTS:
        languages = [language for language, _ in intent["examples"]]
        assert languages.count("en") >= 12 and languages.count("hi") >= 6, intent["slug"]
        for template in intent["templates"].values():
            assert validate_template(template) == []
        if intent["line"]:
            assert PROFILE["lines"]["en"][intent["line"]] and PROFILE["lines"]["hi"][intent["line"]]


def test_every_line_exists_in_both_languages_with_the_same_placeholders() -> None:
    import re

    assert set(DEFAULT_LINES["en"]) == set(DEFAULT_LINES["hi"])
    for code, text in DEFAULT_LINES["en"].items():
        names = set(re.findall(r"{(\w+)}", text))
        assert names == set(re.findall(r"{(\w+)}", DEFAULT_LINES["hi"][code])), code


def test_the_profiles_own_words_win() -> None:
    profile = plan().agent
    assert say(profile, "filler", "en") == PROFILE["lines"]["en"]["filler"]
    assert say(profile, "visit_ask_name", "hi") == DEFAULT_LINES["hi"]["visit_ask_name"]
