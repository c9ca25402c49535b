"""Finding what a sentence names: projects, localities and kinds of flat, spelled as heard."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

CLOSE_ENOUGH = 0.84
"""Similarity at which a run of words is taken for a name: `lake view residence` still finds
Lakeview Residency, `white feel` finds Whitefield, and no two seeded names reach it."""

HEAD_LETTERS = 5
"""A first word this long stands for the whole name: "the 3BHK in Lakeview"."""

_NUMBERS = ("one एक १", "two दो २", "three तीन ३", "four चार ४", "five पांच ५")
_BEDROOMS = {
    word: str(number)
    for number, words in enumerate(_NUMBERS, start=1)
    for word in (str(number), *words.split())
} | {"पाँच": "5"}
_FLAT = re.compile(
    r"(?<![\w])(" + "|".join(_BEDROOMS) + r")[\s\-]*"
    r"(?:b\.?\s*h\.?\s*k\b|bed\s?-?rooms?\b|बी\s?एच\s?के|बीएचके|बेडरूम|बैडरूम)",
    re.IGNORECASE,
)


def compact(text: str) -> str:
    """Letters and digits only, lower case: `Lake View` and `Lakeview` are the same."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return "".join(c for c in folded if c.isalnum() or unicodedata.category(c).startswith("M"))


def flat_types(text: str) -> tuple[str, ...]:
    """Kinds of flat named in `text`, in order: `3 bedroom` and `तीन बीएचके` are `3BHK`."""
    found = (f"{_BEDROOMS[match.group(1).casefold()]}BHK" for match in _FLAT.finditer(text))
    return tuple(dict.fromkeys(found))


def named(text: str, names: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Keys of `names` (key: its spellings) that `text` names, best match first.

    Only the matches that share the best score's class are returned: an exact name hides
    merely similar ones.
    """
    words = text.split()
    whole = compact(text)
    scored = [
        (max((_score(s, words, whole) for s in spellings), default=0.0), key)
        for key, spellings in names.items()
    ]
    best = max((score for score, _ in scored), default=0.0)
    if best < CLOSE_ENOUGH:
        return ()
    floor = 1.0 if best >= 1.0 else best - 0.02
    return tuple(key for score, key in sorted(scored, key=lambda pair: -pair[0]) if score >= floor)


def _score(name: str, words: Sequence[str], whole: str) -> float:
    target = compact(name)
    if len(target) < 3:
        return 0.0
    if target in whole:
        return 1.0
    parts = name.split()
    head = compact(parts[0])
    if len(parts) > 1 and len(head) >= HEAD_LETTERS and _similar(head, words, 1) >= 0.97:
        return 0.98
    return _similar(target, words, len(parts))


def _similar(target: str, words: Sequence[str], size: int) -> float:
    best = 0.0
    for length in range(max(1, size - 1), size + 2):
        for start in range(len(words) - length + 1):
            run = compact("".join(words[start : start + length]))
            if abs(len(run) - len(target)) > max(2, len(target) // 4):
                continue
            best = max(best, SequenceMatcher(None, target, run, autojunk=False).ratio())
    return min(best, 0.97)
