"""A caller is answered in the language they speak, and one odd utterance does not change it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.pipeline.language import Heard, LanguageState, heard_of, opening_language
from agents.pipeline.language_requests import only_asks_for_language, requested_language
from agents.pipeline.language_words import name_words, text_evidence
from tests.pipeline.conftest import ASHA, PLACES, Desk, plan
from tests.pipeline.language_table import LABELLED, NAMES
from voiceops.core.events import LanguageReading, Transcript

BOTH = ("en", "hi")
WORDS = name_words(NAMES)


def _label(text: str) -> str:
    found = text_evidence(text, WORDS)
    return "mixed" if found.mixed else (found.language if found.is_clear else "")


def test_the_labelled_utterances_are_told_apart() -> None:
    """140 utterances; those that are wrong must not be the dangerous kind of wrong."""
    wrong = [(text, label, _label(text)) for text, label in LABELLED if _label(text) != label]
    accuracy = 1 - len(wrong) / len(LABELLED)
    assert len(LABELLED) >= 120 and accuracy >= 0.95, wrong
    # An English sentence taken for a Hindi one, or a name for any, would answer in the wrong language.
    dangerous = [row for row in wrong if {row[1], row[2]} == {"en", "hi"} or (not row[1] and row[2])]
    assert not dangerous, dangerous


CLEAR = {
    language: [text for text, label in LABELLED if label == language and _label(text) == language]
    for language in BOTH
}
MOVES_NOTHING = [text for text, label in LABELLED if label in ("", "mixed") and _label(text) == label]


def _after(state: LanguageState, *texts: str) -> LanguageState:
    for text in texts:
        state, _ = state.hear(Heard(text, decoded_as=state.current, confidence=0.8, audio_ms=2000))
    return state


def settled(language: str) -> LanguageState:
    """A call whose caller has spoken `language`."""
    return LanguageState(language, BOTH, WORDS, "caller")


calls = st.sampled_from(BOTH)
fillers = st.lists(st.sampled_from(MOVES_NOTHING), max_size=4)


@settings(deadline=None)
@given(language=calls, before=fillers, between=fillers, data=st.data())
def test_one_odd_utterance_never_moves_a_call(
    language: str, before: list[str], between: list[str], data: st.DataObject
) -> None:
    other = "en" if language == "hi" else "hi"
    odd = data.draw(st.sampled_from(CLEAR[other]))
    own = data.draw(st.sampled_from(CLEAR[language]))
    again = data.draw(st.sampled_from(CLEAR[other]))
    state = _after(settled(language), *before, odd)
    assert state.current == language
    # Neither do two that the caller's own language stands between.
    assert _after(state, *between, own, again).current == language


@settings(deadline=None)
@given(language=calls, between=fillers, data=st.data())
def test_a_real_switch_takes_two_utterances(language: str, between: list[str], data: st.DataObject) -> None:
    other = "en" if language == "hi" else "hi"
    first, second = (data.draw(st.sampled_from(CLEAR[other])) for _ in range(2))
    assert _after(settled(language), first, *between, second).current == other


@settings(deadline=None)
@given(language=calls, texts=st.lists(st.sampled_from(MOVES_NOTHING), max_size=12))
def test_mixed_words_names_and_small_words_move_nothing(language: str, texts: list[str]) -> None:
    """Hinglish is how people talk; "Whitefield" and "thank you" are said in any language."""
    assert _after(settled(language), *texts).current == language


@given(
    language=calls,
    heard=st.lists(
        st.builds(
            Heard,
            text=st.sampled_from([text for text, _ in LABELLED]) | st.text(max_size=40),
            acoustic=st.dictionaries(st.sampled_from(["en", "hi", "ur", "ta"]), st.floats(0, 1), max_size=4),
            decoded_as=st.sampled_from(["", "en", "hi"]),
            confidence=st.floats(0, 1),
            audio_ms=st.floats(0, 10_000),
        ),
        max_size=10,
    ),
)
@settings(max_examples=300, deadline=None)
def test_every_reading_is_true_to_the_state(language: str, heard: list[Heard]) -> None:
    """Whatever is heard: the trace tells the state, the language is one of the agent's, and a
    change has a request, a first sentence or two clear utterances behind it."""
    state = LanguageState(language, BOTH, WORDS, "caller")
    for item in heard:
        before = state
        state, reading = state.hear(item)
        assert (reading.before, reading.after) == (before.current, state.current)
        assert state.current in BOTH and 0 <= reading.doubt <= 1
        if state.current != before.current and not requested_language(item.text, BOTH):
            found = text_evidence(item.text, WORDS)
            assert found.is_clear and found.language == state.current
            assert before.toward == state.current and before.streak == 1


@settings(deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_is_readable(text: str) -> None:
    found = text_evidence(text, WORDS)
    assert 0 <= found.strength <= 1 and found.language in ("", "en", "hi")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Can we speak in English?", "en"), ("hindi mein baat kijiye", "hi"), ("Hindi please", "hi"),
        ("हिंदी में बात कीजिए", "hi"), ("अंग्रेज़ी में बताइए", "en"), ("I don't understand Hindi", "en"),
        ("mujhe english nahi aati", "hi"), ("nahi, hindi mein baat karo", "hi"),
        ("hindi nahi, english mein baat karo", "en"), ("मुझे हिंदी नहीं आती", "en"),
        ("Please don't speak in English", "hi"), ("tell me the price in English", "en"),
        ("is the agreement in Hindi?", ""), ("I read an English newspaper, tell me more", ""),
        ("What is the price?", ""), ("can we speak in Tamil", ""),
    ],
)  # fmt: skip
def test_asking_for_a_language(text: str, wanted: str) -> None:
    assert requested_language(text, BOTH) == wanted
    if wanted:
        assert _after(settled("en" if wanted == "hi" else "hi"), text).current == wanted
        assert requested_language(text, ("en",)) in ("", "en")


def test_asking_for_a_language_alone_is_told_from_asking_for_something_in_it() -> None:
    for text in (
        "Can we speak in English please?",
        "हिंदी में बात कीजिए",
        "I do not understand Hindi",
        "Hindi please",
    ):
        assert only_asks_for_language(text, BOTH), text
    for text in ("tell me the price in English", "हिंदी में क़ीमत बताइए", "What is the price?"):
        assert not only_asks_for_language(text, BOTH), text


def test_before_the_caller_has_spoken_the_first_sentence_decides() -> None:
    """The agent's default is a guess; nobody should have to say it twice in an answered call."""
    guess = LanguageState("en", BOTH, WORDS)
    assert _after(guess, "flat ka daam kya hai").current == "hi"
    assert _after(guess, "नमस्ते").current == "hi"
    greeted = _after(guess, "नमस्ते", "What is the price of the flat?")
    assert greeted.current == "en"
    assert _after(guess, "haan", "ok", "Whitefield").current == "en"
    assert LanguageState("en", ("en",)).hear(Heard("नमस्ते, दाम क्या है"))[0].current == "en"


def test_a_customer_on_record_is_not_moved_by_one_spoken_sentence_but_by_a_typed_one() -> None:
    """What is typed cannot be misheard."""
    hindi = opening_language(plan(customer=replace(ASHA, language="hi")))
    assert hindi.current == "hi" and hindi.known == "record" and "asha" in hindi.names
    assert _after(hindi, "What is the price of the flat?").current == "hi"
    assert _after(hindi, "What is the price of the flat?", "Is it still available?").current == "en"
    assert hindi.hear(Heard("What is the price of the flat?"))[0].current == "en"
    unknown = opening_language(plan(customer=replace(ASHA, language="ta")))
    assert unknown.current == "en" and unknown.known == "guess"


# Doubt -------------------------------------------------------------------------------------


def _spoken(text: str, told: str, sounds: dict[str, float], confidence: float = 0.8) -> Heard:
    return Heard(text, sounds, told, confidence, 2500)


def test_words_written_as_told_are_no_proof_against_the_sound() -> None:
    """Whisper told English writes English, whatever was said: no switch, no certainty, an alarm."""
    state, reading = settled("en").hear(
        _spoken("What is the price of the flat", "en", {"hi": 0.96, "en": 0.03})
    )
    assert state.current == "en" and "sounds like Hindi" in reading.suspicion
    again, second = state.hear(_spoken("Is there a swimming pool", "en", {"hi": 0.96, "en": 0.03}))
    assert not second.suspicion, "one alarm for one doubt"
    assert again.current == "en"
    _, urdu = settled("en").hear(_spoken("What is the price of the flat", "en", {"ur": 0.9, "en": 0.05}))
    assert "sounds like Hindi" in urdu.suspicion


@pytest.mark.parametrize(
    "sounds", [{"hi": 0.6, "en": 0.4}, {"ta": 0.9, "hi": 0.06, "en": 0.04}, {"en": 0.9, "hi": 0.1}, {}]
)
def test_a_weak_or_foreign_sound_raises_no_alarm(sounds: dict[str, float]) -> None:
    _, reading = settled("en").hear(_spoken("What is the price of the flat", "en", sounds))
    assert not reading.suspicion


def test_a_short_sound_is_no_evidence() -> None:
    _, reading = settled("en").hear(replace(_spoken("what is it", "en", {"hi": 1.0}), audio_ms=600))
    assert not reading.suspicion and all(sign.source != "acoustic" for sign in reading.signs)


def test_doubtful_words_that_sound_like_the_other_language_are_an_alarm() -> None:
    _, reading = settled("en").hear(_spoken("key mat", "en", {"hi": 0.97}, confidence=0.2))
    assert "doubtful" in reading.suspicion
    _, sure = settled("en").hear(_spoken("key mat", "en", {"hi": 0.97}, confidence=0.9))
    assert not sure.suspicion


def test_turns_in_a_row_that_nobody_understood_are_an_alarm_once() -> None:
    state: LanguageState = settled("hi")
    reading: LanguageReading | None
    seen = []
    for _ in range(4):
        state, reading = state.answered(None, understood=False)
        seen.append(reading.suspicion if reading else "")
    assert [bool(text) for text in seen] == [False, True, False, False] and "not understood" in seen[1]
    state, _ = settled("hi").answered(None, understood=False)
    state, _ = state.answered(None, understood=True)
    assert state.answered(None, understood=False)[1] is None


def test_a_clear_sentence_about_something_else_casts_no_doubt_on_the_language() -> None:
    state = settled("en")
    for text in ("What is the weather like in Delhi today", "Who won the match they played yesterday"):
        state, reading = state.hear(Heard(text))
        state, after = state.answered(reading, understood=False)
        assert after is not None and not after.suspicion


def test_utterances_of_one_turn_are_heard_as_one() -> None:
    long = Transcript(
        "final", "what is", "en", 0.5, 3000, 90, "whisper", language_scores={"en": 0.9, "hi": 0.1}
    )
    short = Transcript(
        "final", "the price", "en", 0.9, 1000, 90, "whisper", language_scores={"en": 0.1, "hi": 0.9}
    )
    heard = heard_of([long, short])
    assert heard.text == "what is the price" and heard.decoded_as == "en" and heard.confidence == 0.5
    assert heard.acoustic["en"] == pytest.approx(0.7) and heard.audio_ms == 4000
    assert heard_of([Transcript("final", "hi", "en", 1.0, 0, 0, "typed")]).typed


HINDI_NAMES = {
    "Lakeview Residency": "लेकव्यू रेज़िडेंसी", "Orchid Grove": "ऑर्किड ग्रोव", "Whitefield": "व्हाइटफ़ील्ड",
    "Sarjapur": "सरजापुर", "Indiranagar": "इंदिरानगर",
}  # fmt: skip


# The whole call ----------------------------------------------------------------------------


async def test_a_hindi_call_is_hindi_in_every_word_said(desk: Desk) -> None:
    """Typed Hindi gets Hindi: answer, record, voice and the trace's evidence."""
    async with desk.on_call():
        turn = await desk.type("व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?")
    assert turn["language"] == "hi" and "₹1.2 करोड़ है" in turn["said"]
    reading = turn["language_reading"]
    assert reading["before"] == "en" and reading["after"] == "hi"
    assert {sign["source"] for sign in reading["signs"]} == {"script", "words"}
    assert desk.heard_events("language")[0].data["after"] == "hi"
    assert "एक करोड़ बीस लाख रुपये" in desk.tts.said[-1]


async def test_a_hindi_voice_gets_no_english_letters(desk: Desk) -> None:
    """eSpeak's Hindi voice spells or mumbles what is not Devanagari."""
    places = [{**place, "aliases": [HINDI_NAMES[place["name"]]]} for place in PLACES]
    desk.plan = plan(extra={"places": places})
    async with desk.on_call():
        turn = await desk.type("व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?")
        visit = await desk.type("मुझे लेकव्यू रेज़िडेंसी की साइट विज़िट बुक करनी है")
    assert "Lakeview Residency" in turn["said"], "captions keep the name as it is written"
    assert "लेकव्यू रेज़िडेंसी" in " ".join(desk.tts.said) and visit["language"] == "hi"
    for text, language in zip(desk.tts.said, desk.tts.languages, strict=True):
        if language == "hi":
            assert not re.search(r"[A-Za-z0-9₹]", text), text


async def test_one_english_sentence_leaves_a_hindi_call_hindi(desk: Desk) -> None:
    async with desk.on_call():
        await desk.type("व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?")
        odd = await desk.type("What is the price of the 2BHK in Whitefield?")
        back = await desk.type("और दो बीएचके की कीमत क्या है?")
        odd_again = await desk.type("Is it still available?")
        asked = await desk.type("Can we speak in English please?")
    assert [odd["language"], back["language"], odd_again["language"]] == ["hi", "hi", "hi"]
    assert odd["language_reading"]["doubt"] == 0.5 and back["language_reading"]["doubt"] == 0
    assert asked["language"] == "en" and "let's speak English" in asked["said"]
    assert asked["intent"] == "language_request"


async def test_a_question_asked_in_two_breaths_is_one_utterance(desk: Desk) -> None:
    """The first half is judged again with the second: it must not count twice."""
    desk.plan = plan(customer=replace(ASHA, language="hi"))
    desk.stt.texts = ["What is the price of the flat", "in Whitefield please"]
    async with desk.on_call():
        await desk.mic.speak(1500)
        await asyncio.sleep(0.75)
        await desk.mic.speak(1200)
        await desk.until(lambda: len(desk.turns()) > 1)
    assert desk.last["language"] == "hi"
