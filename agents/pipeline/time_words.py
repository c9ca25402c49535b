"""Clock times, ordinals and years in words, English and Hindi."""

from __future__ import annotations

from agents.pipeline.number_words import in_words

_ORDINALS_TEXT = """
zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth
fifteenth sixteenth seventeenth eighteenth nineteenth
"""
_ORDINALS = _ORDINALS_TEXT.split()
_HINDI_STEMS = {1: "पहल", 2: "दूसर", 3: "तीसर", 4: "चौथ", 6: "छठ"}
_HINDI_ENDINGS = {"masculine": ("ा", "वाँ"), "feminine": ("ी", "वीं"), "oblique": ("े", "वें")}


def ordinal_in_words(value: int, language: str = "en", form: str = "masculine") -> str:
    """`21` → "twenty-first"; `5` → "पाँचवाँ", feminine "पाँचवीं", oblique "पाँचवें"."""
    if language == "hi":
        irregular, regular = _HINDI_ENDINGS[form]
        stem = _HINDI_STEMS.get(value)
        return stem + irregular if stem else in_words(value, "hi") + regular
    if value < 20:
        return _ORDINALS[value]
    head, _, last = in_words(value).rpartition(" ")
    tens, hyphen, ones = last.rpartition("-")
    if hyphen:
        last = f"{tens}-{_ORDINALS[_ONES[ones]]}"
    elif last in _ONES:
        last = _ORDINALS[_ONES[last]]
    else:
        last = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return f"{head} {last}" if head else last


_ONES = {in_words(value): value for value in range(1, 20)}


def year_in_words(value: int, language: str = "en") -> str:
    """`2027` → "twenty twenty-seven" or "दो हज़ार सत्ताईस"; `1998` → "nineteen
    ninety-eight" or "उन्नीस सौ अट्ठानवे"."""
    if language == "hi" and 1100 <= value <= 1999 and value % 100:
        return f"{in_words(value // 100, 'hi')} सौ {in_words(value % 100, 'hi')}"
    if language != "hi" and (1100 <= value <= 1999 or 2010 <= value <= 2099):
        rest = value % 100
        tail = "hundred" if not rest else f"oh {in_words(rest)}" if rest < 10 else in_words(rest)
        return f"{in_words(value // 100)} {tail}"
    return in_words(value, language)


def part_of_day(hour: int) -> str:
    """The Hindi part of the day that goes before an hour of the 24-hour clock."""
    if hour < 4 or hour >= 20:
        return "रात"
    if hour < 12:
        return "सुबह"
    return "दोपहर" if hour < 16 else "शाम"


def hindi_clock(hour: int, minute: int) -> str:
    """`5, 30` → "साढ़े पाँच बजे": half past one and two have words of their own, a quarter to
    eight counts from eight."""
    hour = hour % 12 or 12
    if minute == 30:
        return {1: "डेढ़ बजे", 2: "ढाई बजे"}.get(hour, f"साढ़े {in_words(hour, 'hi')} बजे")
    if minute == 15:
        return f"सवा {in_words(hour, 'hi')} बजे"
    if minute == 45:
        return f"पौने {in_words(hour % 12 + 1, 'hi')} बजे"
    shown = in_words(hour, "hi")
    return f"{shown} बजकर {in_words(minute, 'hi')} मिनट" if minute else f"{shown} बजे"


def clock_in_words(hour: int, minute: int, half: str, language: str = "en") -> str:
    """`17, 30` → "five thirty PM" or "शाम साढ़े पाँच बजे"; `half` is "a", "p" or empty."""
    full = hour
    if half:
        full = hour % 12 + (12 if half.lower() == "p" else 0)
    known = bool(half) or hour >= 12 or hour == 0
    if language == "hi":
        said = hindi_clock(full, minute)
        return f"{part_of_day(full)} {said}" if known else said
    suffix = (" PM" if full >= 12 else " AM") if known else ""
    shown = in_words(full % 12 or 12)
    if not minute:
        return f"{shown}{suffix}" if suffix else f"{shown} o'clock"
    return f"{shown} {in_words(minute) if minute >= 10 else f'oh {in_words(minute)}'}{suffix}"
