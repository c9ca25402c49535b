"""Corrections, contradictions and what counts as a fact, over many utterances."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.pipeline.entities import places_of
from agents.pipeline.memory import Memory, memory_of
from agents.pipeline.memory.extract import Setting, heard_facts
from agents.pipeline.memory.facts import ASKED, Heard, Known, known_of, merge, settle
from agents.pipeline.memory.recall import asked_to_recall
from agents.pipeline.memory.session import WORKING_TOKENS, PlayedTurn
from tests.pipeline.conftest import NOW, PLACES

PLACED = places_of({"places": PLACES}, ())


def heard(text: str, expecting: str = "") -> dict[str, Any]:
    found = heard_facts(text, Setting(PLACED, NOW, expecting))
    return {
        item.name: item.value
        for item in found
        if item.confidence > ASKED and not item.refused and not item.retract
    }


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("My name is Asha Rao and my budget is 1.2 crore", {"name": "Asha Rao", "budget": 12_000_000}),
        ("Looking for a 3BHK in Whitefield", {"property_type": "3BHK", "preferred_location": "Whitefield"}),
        ("mera budget dedh crore hai", {"budget": 15_000_000}),
        ("मेरा बजट एक करोड़ बीस लाख है", {"budget": 12_000_000}),
        ("मुझे व्हाइटफील्ड में तीन बीएचके चाहिए", {"property_type": "3BHK", "preferred_location": "Whitefield"}),
        ("mujhe Sarjapur mein 2BHK chahiye", {"property_type": "2BHK", "preferred_location": "Sarjapur"}),
        ("I can spend between 80 lakh and 1 crore", {"budget": 10_000_000}),
        ("We are a family of four", {"family_size": 4}),
        ("hum paanch log hain", {"family_size": 5}),
        ("I want to move in by March", {"move_in": "2027-03"}),
        ("छह महीने में शिफ्ट होना है", {"move_in": "P6M"}),
        ("I won't need a loan", {"financing": "own funds"}),
        ("not in Whitefield, I prefer Sarjapur", {"preferred_location": "Sarjapur"}),
        ("My office is in Whitefield", {"workplace": "Whitefield"}),
        ("my number is nine eight seven six five four three two one zero", {"phone": "+919876543210"}),
        # None of these tells anything of the caller's wishes.
        ("What is the price of a 3BHK in Whitefield?", {}),
        ("The price is too high", {}),
        ("What was the EMI amount you quoted me yesterday?", {}),
        ("My cousin lives in Mumbai", {}),
        ("When can I move in?", {}),
        ("my budget is 90", {}),
        ("my budget is 500 rupees", {}),
        ("this is good", {}),
        ("I want to book a site visit tomorrow at five", {}),
    ],
)  # fmt: skip
def test_what_is_told_is_understood_and_nothing_else(text: str, facts: dict[str, Any]) -> None:
    """A fact that was never told is worse than one that was missed."""
    assert heard(text) == facts


values = st.sampled_from(["Whitefield", "Sarjapur", "Hebbal"])
utterances = st.lists(
    st.builds(
        Heard, st.just("preferred_location"), values, st.just("said"),
        st.sampled_from([ASKED, 0.9]), correction=st.booleans(),
    ),
    max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(utterances)
def test_a_correction_always_holds_and_a_contradiction_never_does_by_itself(said: list[Heard]) -> None:
    """Whatever was said before, the last clear word decides; an unclear one waits for an answer."""
    known: dict[str, Known] = {}
    for turn, item in enumerate(said):
        before = known.get("preferred_location")
        merged = merge(known, [item], turn)
        after = merged.facts["preferred_location"]
        assert known.get("preferred_location") is before, "merging changed what was given to it"
        if item.correction and item.confidence > ASKED:
            assert after.value == item.value
        elif before is not None and before.confidence >= 0.9 and item.confidence == ASKED:
            assert after.value == before.value and after.rival is None
        if any(change.change == "contradicted" for change in merged.changes):
            assert before is not None and after.value == before.value
            assert after.rival is not None and after.rival.value == item.value
            assert settle(after, turn, newer=True).value == item.value
            assert settle(after, turn, newer=False).value == before.value
            assert settle(after, turn, newer=True).rival is None
        assert len(after.earlier) <= 4
        assert known_of(json.loads(json.dumps(after.as_json()))) == after
        known = dict(merged.facts)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=300), st.text(max_size=300)), max_size=40))
def test_working_memory_stays_small_and_survives_storage(turns: list[tuple[str, str]]) -> None:
    memory = Memory()
    for index, (words, said) in enumerate(turns):
        memory.played(PlayedTurn(index, words, said, "price_enquiry"))
    assert len(memory.turns) <= 1 or sum(t.tokens for t in memory.turns) <= WORKING_TOKENS
    stored = memory_of(json.loads(json.dumps(memory.as_json())))
    assert stored.as_json() == memory.as_json()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("What did I say my budget was?", ("budget",)),
        ("Which area did I want?", ("preferred_location",)),
        ("What is my name?", ("name",)),
        ("मेरा नाम क्या है?", ("name",)),
        ("Maine apna budget kitna bataya tha?", ("budget",)),
        ("What's my name and my budget?", ("budget", "name")),
    ],
)
def test_questions_about_what_was_said_are_told(text: str, names: tuple[str, ...]) -> None:
    recall = asked_to_recall(text)
    assert recall is not None and recall.kind == "facts" and set(recall.names) == set(names)


@pytest.mark.parametrize(
    "text",
    [
        "What is the price of a 3BHK?", "Do you have parking?",
        "What was the EMI amount you quoted me yesterday?",
        "When is possession?", "Tell me more about the project", "Is my booking amount refundable?",
        "Where is the project?", "What documents do I need?", "How many flats are left?",
        "What did you say my monthly payment would be?",
    ],
)  # fmt: skip
def test_other_questions_are_left_to_the_knowledge(text: str) -> None:
    """An answer from memory to a question about a record would be a wrong one."""
    assert asked_to_recall(text) is None
