"""Days and times in what was said, seen from the caller's now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from agents.pipeline.number_words import word_value

_DAYS = {
    "monday": 0, "mon": 0, "somvar": 0, "somwar": 0, "सोमवार": 0,
    "tuesday": 1, "tue": 1, "tues": 1, "mangalvar": 1, "mangalwar": 1, "मंगलवार": 1, "मंगल": 1,
    "wednesday": 2, "wed": 2, "budhvar": 2, "budhwar": 2, "बुधवार": 2, "बुध": 2,
    "thursday": 3, "thu": 3, "thurs": 3, "guruvar": 3, "guruwar": 3, "गुरुवार": 3, "बृहस्पतिवार": 3,
    "friday": 4, "fri": 4, "shukravar": 4, "shukrawar": 4, "शुक्रवार": 4,
    "saturday": 5, "sat": 5, "shanivar": 5, "shaniwar": 5, "शनिवार": 5,
    "sunday": 6, "sun": 6, "ravivar": 6, "raviwar": 6, "itvaar": 6, "itwar": 6, "रविवार": 6, "इतवार": 6,
}  # fmt: skip
_SHORT_DAYS = ("sat", "sun", "mon", "wed", "fri")
_MONTHS_TEXT = (
    "january jan,february feb,march mar,april apr,may,june jun,july jul,august aug,"
    "september sep sept,october oct,november nov,december dec"
)
_MONTHS = {
    name: number for number, names in enumerate(_MONTHS_TEXT.split(","), 1) for name in names.split()
} | {
    "जनवरी": 1, "फ़रवरी": 2, "फरवरी": 2, "मार्च": 3, "अप्रैल": 4, "मई": 5, "जून": 6, "जुलाई": 7, "अगस्त": 8,
    "सितंबर": 9, "अक्टूबर": 10, "नवंबर": 11, "दिसंबर": 12,
}  # fmt: skip
_ORDINALS_TEXT = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_ORDINALS = {word: number for number, word in enumerate(_ORDINALS_TEXT.split(), 1)} | {
    "twenty-first": 21, "twenty-second": 22, "twenty-third": 23, "twenty-fourth": 24, "twenty-fifth": 25,
    "twenty-sixth": 26, "twenty-seventh": 27, "twenty-eighth": 28, "twenty-ninth": 29, "thirtieth": 30,
    "thirty-first": 31, "पहली": 1, "pehli": 1,
}  # fmt: skip
_PARTS = {
    "morning": "morning", "subah": "morning", "सुबह": "morning", "savere": "morning",
    "afternoon": "afternoon", "dopahar": "afternoon", "dopahr": "afternoon", "दोपहर": "afternoon",
    "night": "night", "raat": "night", "रात": "night",
    "evening": "evening", "shaam": "evening", "sham": "evening", "शाम": "evening", "tonight": "evening",
}  # fmt: skip
PART_HOURS = {"morning": (8, 12), "afternoon": (12, 16), "evening": (16, 20), "night": (20, 24)}
"""Hours that a part of the day covers, end excluded."""

_CLOCK = re.compile(r"\b(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|a\.m\.?|p\.m\.?)(?!\w)|\b(\d{1,2}):(\d{2})\b")
_O_CLOCK = ("o'clock", "oclock", "baje", "बजे")
_TOKEN = re.compile(r"[\w\u0900-\u097f'’-]+")


@dataclass(frozen=True, slots=True)
class When:
    """What was said about a day and a time; either may be missing."""

    day: date | None = None
    at: time | None = None
    part: str = ""
    """morning | afternoon | evening | night, when only that was said."""

    def __bool__(self) -> bool:
        return self.day is not None or self.at is not None or bool(self.part)


def find_when(text: str, now: datetime) -> When:
    """ "tomorrow at five" → the next day, 17:00. A bare hour of 1 to 7 is in the afternoon:
    nobody shows a flat before eight in the morning."""
    lower = text.lower().replace("’", "'")
    tokens = _TOKEN.findall(lower)
    part = next((_PARTS[token] for token in tokens if token in _PARTS), "")
    at = _time(lower, tokens, part)
    return When(_day(tokens, now), at, "" if at else part)


def past_day(text: str, now: datetime) -> date | None:
    """The day that something already happened on: "yesterday", "kal" (in Hindi both ways),
    "last Saturday"; None when no day was named."""
    tokens = _TOKEN.findall(text.lower())
    for token in tokens:
        if token in ("yesterday", "kal", "कल"):
            return now.date() - timedelta(days=1)
        if token in ("today", "aaj", "आज"):
            return now.date()
        if token in _DAYS and token not in _SHORT_DAYS:
            return now.date() - timedelta(days=(now.weekday() - _DAYS[token] - 1) % 7 + 1)
    return None


def _day(tokens: list[str], now: datetime) -> date | None:
    today = now.date()
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        if token in ("today", "aaj", "आज", "tonight"):
            return today
        if token in ("tomorrow", "kal", "कल", "tomorow", "tommorow"):
            after = before == "after" and index >= 2 and tokens[index - 2] == "day"
            return today + timedelta(days=2 if after else 1)
        if token in ("parson", "parso", "परसों"):
            return today + timedelta(days=2)
        # "sun" and "sat" are words of their own unless they stand where a day would.
        if token in _DAYS and (token not in _SHORT_DAYS or before in ("on", "this", "next", "")):
            ahead = (_DAYS[token] - today.weekday()) % 7
            if before == "next" and ahead == 0:
                ahead = 7
            return today + timedelta(days=ahead)
        if token in ("weekend",):
            return today + timedelta(days=(5 - today.weekday()) % 7)
        month = _MONTHS.get(token)
        if month is not None:
            for neighbour in (
                before if before != "of" else (tokens[index - 2] if index >= 2 else ""),
                tokens[index + 1] if index + 1 < len(tokens) else "",
            ):
                number = _day_number(neighbour)
                if number is not None:
                    return _next_date(today, month, number)
    return None


def _day_number(token: str) -> int | None:
    if token in _ORDINALS:
        return _ORDINALS[token]
    match = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?", token)
    value = int(match[1]) if match else int(word_value(token) or 0)
    return value if 1 <= value <= 31 else None


def _next_date(today: date, month: int, number: int) -> date | None:
    for year in (today.year, today.year + 1):
        try:
            found = date(year, month, number)
        except ValueError:
            continue
        if found >= today:
            return found
    return None


def _time(lower: str, tokens: list[str], part: str) -> time | None:
    match = _CLOCK.search(lower)
    if match:
        hour = int(match[1] or match[4])
        minute = int(match[2] or match[5] or 0)
        half = (match[3] or "")[:1]
        return _at(hour, minute, half, part)
    if any(token in ("noon", "midday") for token in tokens):
        return time(12)
    for index in range(len(tokens)):
        found = _fraction(tokens, index, part) or _whole(tokens, index, part)
        if found is not None:
            return found
    return None


_FRACTIONS = {
    "साढ़े": 30, "साढे": 30, "saadhe": 30, "sadhe": 30, "saade": 30, "half": 30,
    "सवा": 15, "sawa": 15, "sava": 15,
    "पौने": -15, "paune": -15, "pone": -15,
}  # fmt: skip
"""Minutes that the word before an hour adds: "साढ़े पाँच" is half past five, "पौने छह" a quarter to six."""
_ALONE = {"डेढ़": (1, 30), "डेढ": (1, 30), "dedh": (1, 30), "ढाई": (2, 30), "dhai": (2, 30), "adhai": (2, 30)}
"""Half past one and half past two have words of their own."""
_NOT_TIMES = ("bhk", "bedroom", "bed", "crore", "lakh", "लाख", "करोड़", "b", "बी", "बीएचके")


def _fraction(tokens: list[str], index: int, part: str) -> time | None:
    """ "डेढ़ बजे", "सवा पाँच", "paune chhah baje"."""
    word = tokens[index]
    after = tokens[index + 1] if index + 1 < len(tokens) else ""
    if word in _ALONE and after in _O_CLOCK:
        return _at(*_ALONE[word], "", part)
    value = word_value(after) if word in _FRACTIONS else None
    if value is None or value != int(value) or not 1 <= value <= 12:
        return None
    if (tokens[index + 2] if index + 2 < len(tokens) else "") in _NOT_TIMES:
        return None
    hour, minute = int(value), _FRACTIONS[word]
    if minute < 0:
        hour, minute = hour - 1 or 12, 60 + minute
    half = _half(tokens, index + 2)
    return _at(hour, minute, half, part)


def _half(tokens: list[str], index: int) -> str:
    following = tokens[index] if index < len(tokens) else ""
    return following[0] if following in ("am", "pm", "a.m", "p.m") else ""


def _whole(tokens: list[str], index: int, part: str) -> time | None:
    value = word_value(tokens[index])
    if value is None or value != int(value) or not 1 <= value <= 23:
        return None
    before = tokens[index - 1] if index else ""
    following = tokens[index + 1 : index + 5]
    after = following[0] if following else ""
    minute, taken = _minutes(following)
    half = _half(tokens, index + 1 + taken)
    if before == "past" and index >= 2 and tokens[index - 2] == "half":
        minute = 30
    said_as_time = (
        half
        or any(word in _O_CLOCK for word in following[:2])
        or after == "बजकर"
        or before in ("at", "around", "by", "past")
        or (after == "in" and part)
        or before in _PARTS
        or (minute and part)
    )
    if said_as_time and after not in _NOT_TIMES:
        return _at(int(value), minute, half, part)
    return None


def _minutes(following: list[str]) -> tuple[int, int]:
    """(minutes, words they took) said after an hour: "thirty", "oh five", "बजकर बीस मिनट"."""
    words = [*following, "", "", ""]
    if words[0] in ("बजकर", "bajkar") and (value := word_value(words[1])) is not None:
        return (int(value), 3) if value < 60 else (0, 0)
    if words[0] in ("oh", "o") and (value := word_value(words[1])) is not None and 0 < value < 10:
        return int(value), 2
    value = word_value(words[0])
    if value is None or value != int(value) or not 10 <= value < 60:
        return 0, 0
    said = words[1] in ("am", "pm", "a.m", "p.m") or int(value) in (15, 30, 45)
    return (int(value), 1) if said else (0, 0)


def _at(hour: int, minute: int, half: str, part: str) -> time | None:
    if not half and part == "night":
        half = "a" if hour == 12 or hour < 4 else "p"
    elif not half and part:
        half = "a" if part == "morning" else "p"
    if half == "p" and hour < 12:
        hour += 12
    elif half == "a" and hour == 12:
        hour = 0
    elif not half and 1 <= hour <= 7:
        hour += 12
    return time(hour, minute) if hour < 24 and minute < 60 else None
