"""Spoken numbers as people write them in India: "one crore twenty lakh rupees" is ₹1,20,00,000, "double nine
eight…" a phone number, "half past four" 4:30. English, romanised Hindi and Devanagari; what it is not sure
of stays as it was said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from agents.pipeline.number_words import indian_grouping, multiplier, read_number, word_value
from agents.pipeline.spoken_dates import DAY_WORDS, MONTHS, ordinal

_TOKEN = re.compile(r"₹|\d+(?:,\d+)*(?:\.\d+)?|[A-Za-z]+(?:['’][A-Za-z]+)*|[\u0900-\u097f]+|\S")
_ONE_DIGIT = {"o": 0, "oh": 0, "zero": 0, "शून्य": 0, "shunya": 0, "do": 2, "char": 4}
_TIMES = {"double": 2, "triple": 3, "डबल": 2, "ट्रिपल": 3}
_MERIDIAN = frozenset(["am", "pm"])
_BAJE = frozenset(["baje", "बजे"])
_BEFORE_TIME = frozenset(["at", "by", "around", "about", "till", "until", "after", "before", "from", "to"])
_RUPEE_BEFORE = frozenset(["₹", "rs", "inr"])
_RUPEE_AFTER = frozenset(["rupees", "rupee", "rs", "inr", "रुपये", "रुपए", "रुपया", "rupaye", "rupaya", "rupay"])
_MONEY_SCALES = frozenset([100_000, 10_000_000])
_OTHER_UNITS = frozenset([
    "sq", "square", "sqft", "units", "unit", "people", "homes", "flats", "km", "kilometres", "kilometers",
    "metres", "meters", "years", "days", "months", "shares", "वर्ग", "लोग",
])  # fmt: skip
_RANGE = frozenset(["to", "or", "and", "-", "se", "से", "या"])
_PERCENT = frozenset(["percent", "%", "प्रतिशत"])
_SUFFIX = {"cr": 10_000_000, "l": 100_000, "k": 1000}
_HALVES = {
    "dedh": 1.5, "डेढ़": 1.5, "डेढ": 1.5, "dhai": 2.5, "adhai": 2.5, "ढाई": 2.5, "अढ़ाई": 2.5,
    "sawa": 1.25, "sava": 1.25, "सवा": 1.25,
}  # fmt: skip
_PLUS = {"saadhe": 0.5, "sadhe": 0.5, "साढ़े": 0.5, "साढे": 0.5, "paune": -0.25, "पौने": -0.25} | {
    "sawa": 0.25, "sava": 0.25, "सवा": 0.25,
}  # fmt: skip
_HINDI_AFTER = frozenset([
    "baje", "bhk", "tareekh", "tarikh", "mahine", "saal", "hazaar", "hazar", "sau", "lakh", "crore",
])  # fmt: skip
"""Words after which "do" and "char" are two and four."""
_NEEDS_UNIT = frozenset([
    "bedroom", "bedrooms", "bhk", "bed", "year", "years", "month", "months", "day", "days", "week", "weeks",
    "hour", "hours", "minute", "minutes", "percent", "am", "pm", "unit", "units", "km", "bathroom",
])  # fmt: skip
"""Words after which "one" is a number: "this one" and "one of them" are not."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    """Lower case."""
    start: int
    end: int


_Found = tuple[str, int]
"""What is written, and the index after the tokens that it stands for."""


def normalise(text: str) -> str:
    """`text` with numbers, rupee amounts, times, dates and phone numbers in digits; empty when that
    changes nothing."""
    tokens = [_Token(m[0].lower(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
    reader = _Reader(text, tokens)
    out: list[str] = []
    done = index = 0
    while index < len(tokens):
        found = reader.read(index)
        if found is None:
            index += 1
            continue
        written, after = found
        out += [text[done : tokens[index].start], written]
        done, index = tokens[after - 1].end, after
    changed = "".join([*out, text[done:]])
    return "" if changed == text else changed


class _Reader:
    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._readers: tuple[Callable[[int], _Found | None], ...] = (
            self._phone, self._time, self._date, self._amount,
        )  # fmt: skip

    def read(self, index: int) -> _Found | None:
        for reader in self._readers:
            if (found := reader(index)) is not None:
                return found
        return None

    def _word(self, index: int) -> str:
        return self._tokens[index].text if 0 <= index < len(self._tokens) else ""

    def _glued(self, index: int) -> bool:
        """Whether token `index` follows the one before it without a space."""
        return 0 < index < len(self._tokens) and self._tokens[index].start == self._tokens[index - 1].end

    # Digit by digit -----------------------------------------------------------------------

    def _phone(self, index: int) -> _Found | None:
        start = index
        plus = self._word(index) in ("+", "plus")
        if plus:
            index += 1
        digits, pieces, single, commas, last = "", 0, True, False, index
        while index < len(self._tokens):
            word = self._word(index)
            if pieces and word in ("-", ",", ".") and (word != "-" or self._glued(index)):
                commas |= word != "-"
                index += 1
                continue
            piece, after = self._digits(index)
            if not piece:
                break
            single &= len(piece) == 1 or word in _TIMES
            digits, pieces, index, last = digits + piece, pieces + 1, after, after
        if pieces < 2 or multiplier(self._word(last)) is not None:
            return None
        spoken = any(not self._word(i)[:1].isdigit() for i in range(start, last))
        joined = 7 <= len(digits) <= 13 and (single or pieces == 2 or spoken or len(digits) >= 10)
        short = single and not commas and 3 <= len(digits) <= 6 and spoken
        if not (joined or short) or self._years(start, last):
            return None
        return ("+" if plus else "") + digits, last

    def _years(self, start: int, end: int) -> bool:
        numerals = [self._word(i) for i in range(start, end) if self._word(i)[:1].isdigit()]
        return bool(numerals) and all(len(n) == 4 and n[:2] in ("19", "20") for n in numerals)

    def _digits(self, index: int) -> tuple[str, int]:
        """The digits of one piece ("nine", "double nine", "98", "ninety eight") and the index after it."""
        word = self._word(index)
        if word in _TIMES:
            digit, after = self._digits(index + 1)
            # "double 4123" is how a recogniser writes "double four one two three".
            return (digit[:1] * _TIMES[word] + digit[1:], after) if digit else ("", index)
        if word.isdigit():
            return (word, index + 1) if len(word) <= 6 else ("", index)
        if word in _ONE_DIGIT:
            return str(_ONE_DIGIT[word]), index + 1
        value = word_value(word) if word[:1].isalpha() or "\u0900" <= word[:1] <= "\u097f" else None
        if value is None or value >= 100:
            return "", index
        after = index + 1
        if value >= 20 and value % 10 == 0:
            ahead = after + 1 if self._word(after) == "-" else after
            ones = word_value(self._word(ahead)) if self._word(ahead).isalpha() else None
            if ones is not None and 0 < ones < 10:
                return str(int(value + ones)), ahead + 1
        return str(int(value)), after

    # Times --------------------------------------------------------------------------------

    def _time(self, index: int) -> _Found | None:
        return self._past(index) or self._hindi_time(index) or self._clock(index)

    def _past(self, index: int) -> _Found | None:
        """ "half past four", "quarter to five"."""
        shift = {("half", "past"): 30, ("quarter", "past"): 15, ("quarter", "to"): -15}.get(
            (self._word(index), self._word(index + 1))
        )
        hour = self._hour(index + 2)
        if shift is None or hour is None:
            return None
        value, after = hour
        return self._written(value - 1 if shift < 0 else value, shift % 60, after)

    def _hindi_time(self, index: int) -> _Found | None:
        """ "साढ़े चार बजे", "paanch baje", "dedh baje"."""
        word, shift, at = self._word(index), 0, index
        if word in _HALVES and self._word(index + 1) in _BAJE:
            minutes = int(_HALVES[word] * 60)
            return f"{minutes // 60}:{minutes % 60:02d}", index + 1
        if word in _PLUS:
            shift, at = int(_PLUS[word] * 60), index + 1
        hour = self._hour(at)
        if hour is None or self._word(hour[1]) not in _BAJE:
            return None
        value, after = hour
        return f"{value - 1 if shift < 0 else value}:{shift % 60:02d}", after

    def _clock(self, index: int) -> _Found | None:
        decimal = re.fullmatch(r"(\d{1,2})\.(\d\d)", self._word(index))
        if decimal:
            value, minutes, after = int(decimal[1]), int(decimal[2]), index + 1
        else:
            hour = self._hour(index)
            if hour is None:
                return None
            value, after = hour
            colon = self._word(after) == ":" and self._glued(after)
            minutes, after = self._minutes(after + 1 if colon else after) or (-1, after)
        if value > 24 or minutes > 59:
            return None
        told = self._word(after) in ("o'clock", "o’clock", "oclock") or self._meridian(after)[0]
        at = self._word(index - 1) in _BEFORE_TIME and minutes in (0, 15, 20, 30, 40, 45, 50)
        if not told and not (at and not self._is_money(after)):
            return None
        return self._written(value, max(0, minutes), after)

    def _hour(self, index: int) -> tuple[int, int] | None:
        word = self._word(index)
        value = _ONE_DIGIT.get(word) if word in ("do", "char") else word_value(word)
        if value is None or value != int(value) or not 0 < value <= 24 or "," in word or "." in word:
            return None
        return int(value), index + 1

    def _minutes(self, index: int) -> tuple[int, int] | None:
        word = self._word(index)
        if word.isdigit():
            return (int(word), index + 1) if len(word) == 2 else None
        value = word_value(word)
        if value is None or not 10 <= value < 60:
            return None
        ones = word_value(self._word(index + 1)) if self._word(index + 1).isalpha() else None
        if value >= 20 and value % 10 == 0 and ones is not None and 0 < ones < 10:
            return int(value + ones), index + 2
        return int(value), index + 1

    def _meridian(self, index: int) -> tuple[str, int]:
        """("am" or "pm" or "", index after it); "p m" and "p.m." too."""
        if self._word(index) in _MERIDIAN:
            return self._word(index), index + 1
        if self._word(index) not in ("a", "p"):
            return "", index
        after = index + 2 if self._word(index + 1) == "." else index + 1
        if self._word(after) != "m":
            return "", index
        ends = self._word(after + 1) == "." and self._glued(after + 1) and self._word(index + 1) == "."
        return self._word(index) + "m", after + 2 if ends else after + 1

    def _written(self, hour: int, minutes: int, after: int) -> _Found:
        hour = 12 if hour == 0 else hour
        meridian, end = self._meridian(after)
        if meridian:
            return f"{hour}:{minutes:02d} {meridian}", end
        if self._word(after) in ("o'clock", "o’clock", "oclock"):
            return self._written(hour, minutes, after + 1)
        return f"{hour}:{minutes:02d}", after

    def _is_money(self, index: int) -> bool:
        word = self._word(index)
        return multiplier(word) is not None or word in _RUPEE_AFTER or word in _PERCENT

    # Dates --------------------------------------------------------------------------------

    def _date(self, index: int) -> _Found | None:
        """ "the twenty third of November" → "the 23 November"; "the twenty third" → "the 23rd"."""
        words = [token.text for token in self._tokens]
        day = ordinal(words, index)
        if day is None:
            hour = word_value(self._word(index))
            if hour is None or not 0 < hour <= 31 or hour != int(hour):
                return None
            read = read_number(words, index)
            if read is None or not 0 < read[0] <= 31:
                return None
            day = int(read[0]), read[1], False
        value, after, is_ordinal = day
        month = after + 1 if self._word(after) == "of" else after
        if self._word(month) in MONTHS and (is_ordinal or self._word(month) != "may"):
            return f"{value} {self._said(month)}", month + 1
        before = self._word(index - 1) if self._word(index - 1) != "the" else self._word(index - 2)
        if before in MONTHS:
            return str(value), after
        if is_ordinal and value > 10 and self._word(index) not in DAY_WORDS:
            return f"{value}{_suffix(value)}", after
        return None

    def _said(self, index: int) -> str:
        token = self._tokens[index]
        return self._text[token.start : token.end]

    # Amounts and plain numbers ------------------------------------------------------------

    def _amount(self, index: int) -> _Found | None:
        prefix = self._word(index) in _RUPEE_BEFORE
        at = index + 1 if prefix else index
        if prefix and self._word(at) == ".":
            at += 1
        read = self._number(at)
        if read is None:
            return None
        value, after, money = read
        if self._word(after) in _RUPEE_AFTER:
            return f"₹{_grouped(value)}", after + 1
        size = 1 if money or prefix else self._range_scale(value, after)
        if size > 1:
            return f"₹{_grouped(value * size)}", after
        if prefix or (money and self._word(after) not in _OTHER_UNITS):
            return f"₹{_grouped(value)}", after
        if self._word(after) in _PERCENT:
            return f"{value:g}%", after + 1
        plain = self._tokens[at].text
        if plain[0].isdigit() and after == at + 1:
            return None
        if plain in ("one", "ek", "एक") and after == at + 1 and self._word(after) not in _NEEDS_UNIT:
            return None
        return (_grouped(value) if value >= 10_000 else f"{value:g}"), after

    def _range_scale(self, value: float, after: int) -> int:
        """The scale word that a number shares with the one after it: "80 to 90 lakh"; else 1."""
        if self._word(after) not in _RANGE or not 0 < value < 100:
            return 1
        upper = self._number(after + 1)
        if upper is None or not upper[2] or self._word(upper[1]) in _OTHER_UNITS:
            return 1
        sizes = [multiplier(self._word(place)) for place in range(after + 1, upper[1])]
        return next(size for size in sizes if size in _MONEY_SCALES and size is not None)

    def _number(self, index: int) -> tuple[float, int, bool] | None:
        """(value, index after it, whether lakh or crore was said)."""
        word = self._word(index)
        if word in ("a", "half") and (read := self._part(index)) is not None:
            return read
        if word in _HALVES and (size := multiplier(self._word(index + 1))) is not None:
            return _HALVES[word] * size, index + 2, size in _MONEY_SCALES
        if word in _PLUS and (read := self._number(index + 1)) is not None:
            return self._with_fraction(index + 1, _PLUS[word])
        if word in ("do", "char") and self._word(index + 1) in _HINDI_AFTER:
            size = multiplier(self._word(index + 1))
            value = float(_ONE_DIGIT[word])
            return (value * size, index + 2, size in _MONEY_SCALES) if size else (value, index + 1, False)
        if word_value(word) is None:
            return None
        if _SUFFIX.get(self._word(index + 1)) and self._glued(index + 1) and word[0].isdigit():
            size = _SUFFIX[self._word(index + 1)]
            return float(word.replace(",", "")) * size, index + 2, size in _MONEY_SCALES
        words, places = self._plain(index)
        if words[1:4] == ["and", "a", "half"]:
            size = multiplier(words[4]) if len(words) > 4 else None
            value = (word_value(word) or 0.0) + 0.5
            after = places[4] if len(places) > 4 else places[3] + 1
            return value * (size or 1), places[4] + 1 if size else after, size in _MONEY_SCALES
        plain = read_number(words, 0)
        if plain is None:
            return None
        value, count = plain
        money = any(multiplier(w) in _MONEY_SCALES for w in words[:count])
        return value, places[count - 1] + 1, money

    def _part(self, index: int) -> tuple[float, int, bool] | None:
        """ "a crore", "half a crore", "half crore"."""
        share = 0.5 if self._word(index) == "half" else 1.0
        at = index + 1
        if share == 0.5 and self._word(at) == "a":
            at += 1
        size = multiplier(self._word(at))
        if size is None or (size < 1000 and share == 1.0) or self._word(at) == "cr":
            return None
        return share * size, at + 1, size in _MONEY_SCALES

    def _with_fraction(self, index: int, part: float) -> tuple[float, int, bool] | None:
        """ "साढ़े तीन करोड़": the fraction is of the scale word that follows."""
        value = word_value(self._word(index))
        size = multiplier(self._word(index + 1))
        if value is None:
            return None
        if size is None:
            return value + part, index + 1, False
        return (value + part) * size, index + 2, size in _MONEY_SCALES

    def _plain(self, index: int) -> tuple[list[str], list[int]]:
        """The words from `index` on as `read_number` takes them, and where each stands: hyphens between
        two of them are left out, and reading ends at punctuation."""
        words: list[str] = []
        places: list[int] = []
        for place in range(index, min(len(self._tokens), index + 24)):
            word = self._word(place)
            if word == "-" and self._glued(place) and self._glued(place + 1):
                continue
            if not (word[0].isalnum() or "\u0900" <= word[0] <= "\u097f"):
                break
            words.append(word)
            places.append(place)
        return words, places


def _grouped(value: float) -> str:
    whole = round(value)
    if abs(value - whole) > 1e-6:
        return f"{value:g}"
    return indian_grouping(whole)


def _suffix(day: int) -> str:
    return "th" if 10 < day % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
