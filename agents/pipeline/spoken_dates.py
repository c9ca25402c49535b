"""Days of the month as they are said: ordinals and month names, English and Hindi."""

from __future__ import annotations

_MONTHS_TEXT = """
january february march april may june july august september october november december
जनवरी फ़रवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर सितम्बर अक्टूबर नवंबर नवम्बर दिसंबर दिसम्बर
"""
MONTHS = frozenset(_MONTHS_TEXT.split())
_SIMPLE_TEXT = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
"""
_SIMPLE = {word: value for value, word in enumerate(_SIMPLE_TEXT.split(), 1)} | {"thirtieth": 30}
_TENS = {"twenty": 20, "thirty": 30}
_SUFFIXES = frozenset(["st", "nd", "rd", "th"])
DAY_WORDS = frozenset(["second"])
"""Ordinals that are other words too."""


def ordinal(words: list[str], index: int) -> tuple[int, int, bool] | None:
    """(day, index after it, True) of an ordinal up to 31 that starts at `words[index]` (lower case)."""
    word = words[index]
    following = words[index + 1] if index + 1 < len(words) else ""
    if word.isdigit() and following in _SUFFIXES and 0 < int(word) <= 31:
        return int(word), index + 2, True
    if word in _SIMPLE:
        return _SIMPLE[word], index + 1, True
    if word in _TENS:
        after = index + 1
        if following == "-":
            after += 1
        ones = _SIMPLE.get(words[after], 99) if after < len(words) else 99
        if ones < 10 and _TENS[word] + ones <= 31:
            return _TENS[word] + ones, after + 1, True
    return None
