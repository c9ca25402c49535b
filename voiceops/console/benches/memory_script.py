# ruff: noqa: E501 - a line of a script stays on one line
"""A long conversation, made from a seed: facts told, corrected and contradicted among much else."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Asked:
    """A fact of the script, and how to tell whether an answer knows it."""

    name: str
    question: str
    wanted: tuple[str, ...]
    """Any of these in the answer is right, whatever the case."""
    outdated: tuple[str, ...] = ()
    """With one of these the answer is wrong: values that were taken back."""


@dataclass(frozen=True, slots=True)
class Script:
    lines: tuple[str, ...]
    """What the caller says, turn by turn."""
    asked: tuple[Asked, ...]
    corrections: int
    contradictions: int


_NAMES = ("Asha Rao", "Ravi Menon", "Neha Gupta", "Arjun Shetty")
_AREAS = ("Whitefield", "Sarjapur", "Hebbal", "Indiranagar")
_SIZES = (("two bedroom", "2BHK"), ("3BHK", "3BHK"), ("four bedroom", "4BHK"))
_AMOUNTS = (("90 lakh", "₹90 lakh"), ("1.2 crore", "₹1.2 crore"), ("80 lakhs", "₹80 lakh"), ("one crore fifty lakh", "₹1.5 crore"))  # fmt: skip
_CHATTER = (
    "Thank you", "Okay", "Hello, can you hear me?", "What is the price of a {size} in {area}?",
    "How many {size} flats are left in {area}?", "What is your cancellation policy?",
    "Do you charge brokerage?", "Are pets allowed?", "What amenities does the project in {area} have?",
    "What is the weather today?", "Tell me a joke", "When is possession in {area}?",
    "Is the project in {area} RERA registered?", "What about {area}?", "And the {size}?",
    "{area} mein {size} ka price kya hai?", "Is parking included in the price?", "Great, thank you",
    "My cousin lives in Mumbai", "The weather was bad yesterday", "I read about {area} in the newspaper",
)  # fmt: skip


def script(turns: int, seed: int = 1) -> Script:
    """`turns` lines (at least 60). The same seed gives the same conversation."""
    dice = Random(seed)
    name = dice.choice(_NAMES)
    areas = dice.sample(_AREAS, 3)
    sizes = dice.sample(_SIZES, 2)
    budgets = dice.sample(_AMOUNTS, 3)
    told = [
        f"My name is {name}",
        f"My budget is {budgets[0][0]}",
        f"I am looking for a {sizes[0][0]} in {areas[0]}",
        "We are a family of four",
        "I want to move in by March 2028",
        "I will need a home loan of 60 lakh",
        "It is for investment",
        "I prefer a high floor, east facing",
        "I need two parking spaces",
        "We have a dog",
    ]
    later = [
        "My number is 98765 43210",
        "My office is in Electronic City",
        "I live in Pune",
        "I can make a down payment of 30 lakh",
        "Weekends suit me best for a visit",
        f"Actually my budget is {budgets[1][0]}",
        f"No, make it a {sizes[1][0]}",
        "Sorry, we are five people now",
        "Actually it is for my own use, to live in",
        "I mean I want to move in within six months",
    ]
    contradictions = [
        (f"I am looking for a flat in {areas[1]}", "Yes please"),
        (f"My budget is {budgets[2][0]}", "No"),
        ("I prefer a low floor", f"No, keep the high floor. What is the price in {areas[2]}?"),
    ]
    kept = {
        "corrections": 5,
        "contradictions": len(contradictions),
    }
    lines: list[str] = []
    middle = sorted(dice.sample(range(len(told) + 5, turns - 20), len(later) + len(contradictions)))
    due: dict[int, list[str]] = {}
    for turn, line in zip(middle[: len(later)], later, strict=True):
        due.setdefault(turn, []).append(line)
    for turn, pair in zip(middle[len(later) :], contradictions, strict=True):
        due.setdefault(turn, []).extend(pair)
    # Most facts are told at once, as people do, so that the memory of turn 10 is as full as later.
    pending: list[str] = list(told[:8])
    rest = list(told[8:])
    while len(lines) < turns:
        pending += due.pop(len(lines), [])
        if pending:
            lines.append(pending.pop(0))
        elif rest and len(lines) > 9:
            lines.append(rest.pop(0))
        else:
            size, area = dice.choice(_SIZES)[0], dice.choice(_AREAS)
            lines.append(dice.choice(_CHATTER).format(size=size, area=area))
    asked = (
        Asked("name", "What is my name?", (name,)),
        Asked("budget", "What did I say my budget was?", (budgets[1][1], budgets[1][0]), (budgets[0][0], budgets[2][0])),
        Asked("property_type", "What size of home did I want?", (sizes[1][1], sizes[1][0]), (sizes[0][1],)),
        Asked("preferred_location", "Which area did I want?", (areas[1],), (areas[0],)),
        Asked("family_size", "How many people are in my family?", ("5", "five"), ("four",)),
        Asked("move_in", "When did I say I want to move in?", ("6 months", "six months"), ("march",)),
        Asked("financing", "How did I say I would pay?", ("loan",)),
        Asked("loan_amount", "How much loan did I say I need?", ("60 lakh", "sixty lakh")),
        Asked("purpose", "What did I say the purpose was?", ("live in", "own use"), ("investment",)),
        Asked("floor", "Which floor did I prefer?", ("high",), ("low",)),
        Asked("facing", "Which facing did I prefer?", ("east",)),
        Asked("parking", "How much parking did I say I need?", ("2", "two")),
        Asked("pets", "Do you remember which pets I have?", ("dog",)),
        Asked("phone", "What is my phone number?", ("9876543210", "98765 43210")),
        Asked("workplace", "Where did I say I work?", ("Electronic City",)),
        Asked("lives_in", "Where did I say I live?", ("Pune",), ("Mumbai",)),
        Asked("down_payment", "What did I say my down payment was?", ("30 lakh", "thirty lakh")),
        Asked("visit_time", "When did I say a visit suits me?", ("weekend",)),
        Asked("name", "मेरा नाम क्या है?", (name,)),
        Asked("budget", "Maine apna budget kitna bataya tha?", (budgets[1][1].replace("crore", "करोड़").replace("lakh", "लाख"), budgets[1][0]), (budgets[0][0],)),
    )  # fmt: skip
    return Script(tuple(lines), asked, **kept)


def knows(asked: Asked, answer: str) -> bool:
    """Whether an answer says the value that holds, and none that was taken back."""
    lower = answer.lower()
    if any(value.lower() in lower for value in asked.outdated):
        return False
    return any(value.lower() in lower for value in asked.wanted)
