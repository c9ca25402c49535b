"""Typed values in an utterance, found by rules: the same words always give the same values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from agents.pipeline.number_words import word_value

_WORD = re.compile(r"[\w\u0900-\u097f'’-]+")
PROPERTY_TYPE = re.compile(
    r"\b([1-6]|one|two|three|four|five|ek|do|teen|char|chaar|single|double|triple|एक|दो|तीन|चार|टू|थ्री|फोर|वन)"
    r"[\s-]*(?:b\.?\s*h\.?\s*k\b\.?|bed\s*-?rooms?\b|beds?\b|बी\s*एच\s*के|बीएचके|बेडरूम|बैडरूम|kamre|कमरे)",
    re.IGNORECASE,
)
_COUNTS = {
    "one": 1, "ek": 1, "single": 1, "एक": 1, "वन": 1, "two": 2, "do": 2, "double": 2, "दो": 2, "टू": 2,
    "three": 3, "teen": 3, "triple": 3, "तीन": 3, "थ्री": 3, "four": 4, "char": 4, "chaar": 4, "चार": 4,
    "फोर": 4, "five": 5,
}  # fmt: skip
FUZZY = 0.78
"""Likeness at which a misheard name is taken for a known one ("white field", "lake view")."""

_YES_TEXT = """
yes yeah yep yup sure okay ok correct right absolutely definitely haan haanji han ji please book confirm
हाँ हां जी ठीक बिल्कुल बुक theek bilkul
"""
_YES = frozenset(_YES_TEXT.split())
_YES_PHRASES = (
    "go ahead",
    "that works",
    "sounds good",
    "that's fine",
    "that is fine",
    "do it",
    "kar do",
    "कर दो",
)
_NO_TEXT = "no nope nah nahi nahin not don't नहीं ना मत never neither"
_NO = frozenset(_NO_TEXT.split())
_CANCEL = re.compile(
    r"\b(cancel|forget (it|about)|never ?mind|leave it|don'?t (want|book|need)|stop)\b"
    r"|\b(rehne do|mat karo|chhodo)\b"
    r"|रहने दो|मत कर|कैंसिल|छोड़"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A project or a locality the agent knows, from `CallPlan.extra["places"]`."""

    name: str
    kind: str
    """project | locality"""
    slug: str = ""
    locality: str = ""
    aliases: tuple[str, ...] = ()
    """Other spellings, Devanagari among them."""


def places_of(extra: Mapping[str, Any], hints: Sequence[str]) -> tuple[Place, ...]:
    """Known places of a plan: `extra["places"]` is a list of mappings with `name`, `kind`
    (project or locality), and optionally `slug`, `locality`, `aliases`; plain strings and
    `hints` are taken for localities unless they have several words."""
    places: list[Place] = []
    for item in extra.get("places", ()):
        if isinstance(item, Mapping):
            places.append(
                Place(
                    str(item["name"]),
                    str(item.get("kind", "project")),
                    str(item.get("slug", "")),
                    str(item.get("locality", "")),
                    tuple(str(alias) for alias in item.get("aliases", ()) if alias),
                )
            )
        else:
            places.append(_guess(str(item)))
    known = {place.name.lower() for place in places}
    places += [_guess(hint) for hint in hints if hint.lower() not in known and hint[:1].isupper()]
    return tuple(places)


def _guess(name: str) -> Place:
    return Place(name, "project" if " " in name else "locality")


def find_property_type(text: str) -> str | None:
    """ "three bedroom", "3 BHK", "तीन बीएचके" → "3BHK"."""
    match = PROPERTY_TYPE.search(text)
    if match is None:
        return None
    word = match[1].lower()
    return f"{_COUNTS.get(word) or int(word)}BHK"


def find_places(text: str, places: Sequence[Place]) -> list[Place]:
    """Known places named in `text`, also when slightly misheard, best match first."""
    words = [word.lower() for word in _WORD.findall(text)]
    found: list[tuple[float, Place]] = []
    for place in places:
        best = max((_likeness(words, name) for name in (place.name, *place.aliases)), default=0.0)
        if best >= FUZZY:
            found.append((best, place))
    found.sort(key=lambda item: -item[0])
    if found and found[0][0] == 1.0:
        found = [item for item in found if item[0] == 1.0]
    return [place for _, place in found]


def _likeness(words: list[str], name: str) -> float:
    """How well some run of words matches the name; a project's first word alone will do."""
    target = [word.lower() for word in _WORD.findall(name)]
    joined = "".join(target)
    best = 0.0
    for size in {max(1, len(target) - 1), len(target), len(target) + 1}:
        for start in range(len(words) - size + 1):
            run = "".join(words[start : start + size])
            if run == joined:
                return 1.0
            # Letters of ordinary words ("right", "fields") come close by chance when short.
            if len(run) >= 6 and abs(len(run) - len(joined)) <= 3 and run[0] == joined[0]:
                best = max(best, SequenceMatcher(None, run, joined).ratio())
    if len(target) > 1 and len(target[0]) >= 5:
        for start, word in enumerate(words):
            pair = "".join(words[start : start + 2])
            if word == target[0] or pair == target[0]:
                best = max(best, 0.95)
            elif len(word) >= 7 and word[0] == target[0][0]:
                best = max(best, SequenceMatcher(None, word, target[0]).ratio() - 0.05)
    return best


def find_phone(text: str) -> str | None:
    """An Indian mobile or an E.164 number in `text`, as E.164; None when there is none whole."""
    digits = dictated_digits(text)
    if digits.startswith("+"):
        return digits if 8 <= len(digits) - 1 <= 15 and not digits.startswith("+0") else None
    digits = digits.removeprefix("0")
    if len(digits) == 12 and digits.startswith("91"):
        digits = digits[2:]
    if len(digits) == 10 and digits[0] in "6789":
        return f"+91{digits}"
    return None


def dictated_digits(text: str) -> str:
    """Digits said one by one or written: "nine eight double seven…" → "9877…"."""
    result, repeat = "", 1
    for word in re.findall(r"\+|\d+|[a-z]+|[\u0900-\u097f]+", text.lower()):
        if word == "+" or word == "plus":
            result = result or "+"
        elif word in ("double", "triple"):
            repeat = 2 if word == "double" else 3
        elif word.isdigit():
            result, repeat = result + word * repeat, 1
        elif word in ("oh", "o"):
            result, repeat = result + "0" * repeat, 1
        elif (value := word_value(word)) is not None and value < 10:
            result, repeat = result + str(int(value)) * repeat, 1
    return result


_NAME_LEAD = re.compile(
    r"(?:my name is|name is|this is|i am|i'm|it's|it is"
    r"|mera naam|naam|मेरा नाम|नाम|put it under|under)\s+(.+)",
    re.IGNORECASE,
)
_NOT_A_NAME_TEXT = """
yes no the a an is it okay ok please thanks thank you my name book flat visit price hai hain है हैं ji जी
tomorrow today here there just and for under speaking
"""
_NOT_A_NAME = frozenset(_NOT_A_NAME_TEXT.split())


def find_name(text: str) -> str | None:
    """The name somebody gives when asked for it: "my name is Asha Rao" or just "Asha Rao"."""
    match = _NAME_LEAD.search(text)
    words = _WORD.findall(match[1] if match else text)
    kept: list[str] = []
    for word in words:
        if word.lower() in _NOT_A_NAME or any(c.isdigit() for c in word):
            if kept:
                break
            continue
        kept.append(word[:1].upper() + word[1:])
    if not kept or len(kept) > 4:
        return None
    return " ".join(kept)


def find_yes_no(text: str) -> bool | None:
    """True for consent, False for refusal, None when neither is clear."""
    lower = text.lower().replace("’", "'")
    words = set(_WORD.findall(lower))
    if words & _NO:
        return False
    if words & _YES or any(phrase in lower for phrase in _YES_PHRASES):
        return True
    return None


def wants_to_cancel(text: str) -> bool:
    return _CANCEL.search(text.lower().replace("’", "'")) is not None


def find_choice(text: str, count: int) -> int | None:
    """Which of `count` offers was picked, from zero: "the second one", "last", "दूसरा"."""
    ordinals = {
        "first": 0, "1st": 0, "pehla": 0, "pehle": 0, "पहला": 0, "पहले": 0, "second": 1, "2nd": 1,
        "doosra": 1, "dusra": 1, "दूसरा": 1, "third": 2, "3rd": 2, "teesra": 2, "तीसरा": 2,
        "last": count - 1, "earliest": 0, "latest": count - 1, "आखिरी": count - 1,
    }  # fmt: skip
    for word in _WORD.findall(text.lower()):
        index = ordinals.get(word)
        if index is not None and 0 <= index < count:
            return index
    return None


def find_entities(text: str, places: Sequence[Place]) -> dict[str, Any]:
    """Slots worth remembering: property_type, project, project_slug, locality."""
    found: dict[str, Any] = {}
    property_type = find_property_type(text)
    if property_type:
        found["property_type"] = property_type
    named = find_places(text, places)
    project = next((place for place in named if place.kind == "project"), None)
    locality = next((place for place in named if place.kind == "locality"), None)
    if project is not None:
        found["project"] = project.name
        if project.slug:
            found["project_slug"] = project.slug
        if project.locality:
            found["locality"] = project.locality
    if locality is not None and project is None:
        found["locality"] = locality.name
    return found
