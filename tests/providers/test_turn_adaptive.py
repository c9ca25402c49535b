"""Which words sound finished: what the caller would be cut off in, or wait after."""

from __future__ import annotations

import pytest

from agents.pipeline.barge_in import was_meant
from agents.pipeline.expecting import expecting
from agents.providers.turn.adaptive import AdaptiveJudge
from agents.providers.turn.completeness import is_backchannel, read
from voiceops.core.events import Transcript
from voiceops.core.ports import Expecting, Pause


def wait_ms(text: str, asked: Expecting = "") -> float:
    return AdaptiveJudge().judge(Pause(300.0, 1200.0, text, "en", True, asked)).wait_ms


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("What is the price of a 3BHK in Whitefield?", ""), ("I want to book a visit.", ""),
        ("Yes.", "yes_no"), ("no", "yes_no"), ("haan", "yes_no"), ("हाँ जी", "yes_no"), ("Thank you.", ""),
        ("मुझे व्हाइटफील्ड में फ्लैट चाहिए", ""), ("mujhe Whitefield mein flat chahiye", ""),
        ("kya yeh available hai", ""), ("98800 12345", "phone"), ("my number is 9 8 8 0 0 1 2 3 4 5", ""),
        ("nine eight double zero one two three four five six", "phone"), ("Asha Rao.", "name"),
        ("Saturday at five", "date"), ("the second one", "choice"), ("My budget is 80 lakh.", ""),
        ("12 MG Road, Bangalore 560 001", "address"), ("What is it for?", ""), ("yes it is", "yes_no"),
    ],
)  # fmt: skip
def test_a_finished_sentence_is_answered_soon(text: str, asked: Expecting) -> None:
    assert wait_ms(text, asked) <= 420


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("I am looking for a flat in", ""), ("I am looking for a flat in.", ""), ("and", ""),
        ("I want to, um", ""),
        ("my name is", "name"), ("My number is", "phone"), ("98800", "phone"), ("nine eight eight", "phone"),
        ("my number is 98800 12", ""), ("My budget is 80", ""), ("Can you tell me the", ""),
        ("M A Y A", "name"),
        ("मुझे व्हाइटफील्ड में", ""), ("मेरा नाम", "name"), ("mujhe Whitefield mein", ""), ("aur", ""),
        ("I was thinking...", ""), ("hold on one second", ""), ("ek minute", ""), ("12 MG Road", "address"),
    ],
)  # fmt: skip
def test_an_open_end_is_waited_for(text: str, asked: Expecting) -> None:
    assert wait_ms(text, asked) >= 900


@pytest.mark.parametrize(
    "text", ["hmm", "Mhm.", "mm-hmm", "okay", "Haan ji", "अच्छा", "ठीक है", "yeah yeah", "uh-huh"]
)
def test_a_murmur_is_no_interruption(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text", ["no", "stop", "yes but wait", "nahi", "नहीं", "okay and the two bedroom", ""]
)
def test_words_are_an_interruption(text: str) -> None:
    assert not is_backchannel(text)


def heard(text: str) -> Transcript:
    return Transcript("final", text, "en", 0.9, 500, 100, "fake")


def test_what_whisper_hears_in_noise_stops_nobody() -> None:
    assert not was_meant(heard("you"), 300, asked=False, unheard_ms=2000)
    assert not was_meant(heard(""), 5000, asked=False, unheard_ms=2000)
    assert was_meant(heard("wait"), 300, asked=False, unheard_ms=2000)


def test_okay_answers_a_question_only_near_its_end() -> None:
    assert was_meant(heard("okay"), 300, asked=True, unheard_ms=400)
    assert not was_meant(heard("okay"), 300, asked=True, unheard_ms=3000)
    assert not was_meant(heard("okay"), 300, asked=False, unheard_ms=400)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("And a ten-digit mobile number we can reach you on?", "phone"),
        ("May I have your name for the visit?", "name"),
        ("So that is Lakeview on Saturday at 11 AM. Shall I book it?", "yes_no"),
        ("Which day and time would suit you to visit Lakeview?", "date"),
        ("For Lakeview I have 11 AM or 5 PM. Which one suits you?", "choice"),
        ("Your visit is booked. See you there!", ""), ("Hello, how can I help you today?", ""),
        ("Is there anything else I can help with?", ""), ("और आपका दस अंकों का मोबाइल नंबर?", "phone"),
        ("विज़िट किसके नाम से रखूँ?", "name"), ("क्या मैं बुक कर दूँ?", "yes_no"), ("", ""),
    ],
)  # fmt: skip
def test_what_was_asked_is_read_from_the_agents_words(said: str, wanted: str) -> None:
    assert expecting(said) == wanted


def test_a_flow_says_what_it_wants_when_its_words_do_not() -> None:
    assert expecting("Bitte, und die Nummer?", "phone") == "phone"


def test_dots_mean_more_to_come() -> None:
    assert read("I was thinking...")[0] < read("I was thinking.")[0]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("And the three bedroom...", True),
        ("What about the two bedroom…", True),
        ("And the...", False),
        ("And what about...", False),
        ("I would like the three bedroom...", False),
        ("And the three bedroom,", False),
    ],
)
def test_a_short_follow_up_is_not_waited_for(text: str, whole: bool) -> None:
    """ "And the three bedroom?" comes back with dots; a second of silence would answer it."""
    completeness, reason = read(text)
    assert (completeness >= 0.6) is whole and (reason == "complete") is whole
