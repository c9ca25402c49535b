"""Whole numbers in words, the Indian way (lakh, crore), and back."""

from __future__ import annotations

import re

_ONES_TEXT = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
"""
_ONES = _ONES_TEXT.split()
_TENS_TEXT = """
_ _ twenty thirty forty fifty sixty seventy eighty ninety
"""
_TENS = _TENS_TEXT.split()

_HINDI_TEXT = """
शून्य एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह उन्नीस
बीस इक्कीस बाईस तेईस चौबीस पच्चीस छब्बीस सत्ताईस अट्ठाईस उनतीस तीस इकतीस बत्तीस तैंतीस चौंतीस
पैंतीस छत्तीस सैंतीस अड़तीस उनतालीस चालीस इकतालीस बयालीस तैंतालीस चौवालीस पैंतालीस छियालीस
सैंतालीस अड़तालीस उनचास पचास इक्यावन बावन तिरपन चौवन पचपन छप्पन सत्तावन अट्ठावन उनसठ साठ इकसठ
बासठ तिरसठ चौंसठ पैंसठ छियासठ सड़सठ अड़सठ उनहत्तर सत्तर इकहत्तर बहत्तर तिहत्तर चौहत्तर पचहत्तर
छिहत्तर सतहत्तर अठहत्तर उनासी अस्सी इक्यासी बयासी तिरासी चौरासी पचासी छियासी सत्तासी अट्ठासी
नवासी नब्बे इक्यानवे बानवे तिरानवे चौरानवे पचानवे छियानवे सत्तानवे अट्ठानवे निन्यानवे
"""
_HINDI = _HINDI_TEXT.split()

_SCALES = {
    "en": ((10_000_000, "crore"), (100_000, "lakh"), (1000, "thousand"), (100, "hundred")),
    "hi": ((10_000_000, "करोड़"), (100_000, "लाख"), (1000, "हज़ार"), (100, "सौ")),
}


def _below_hundred(value: int, language: str) -> str:
    if language == "hi":
        return _HINDI[value]
    if value < 20:
        return _ONES[value]
    tens, ones = divmod(value, 10)
    return _TENS[tens] if not ones else f"{_TENS[tens]}-{_ONES[ones]}"


def in_words(value: int, language: str = "en") -> str:
    """`12000000` → "one crore twenty lakh" or "एक करोड़ बीस लाख"."""
    if value < 0:
        return ("minus " if language == "en" else "ऋण ") + in_words(-value, language)
    if value < 100:
        return _below_hundred(value, language)
    parts: list[str] = []
    rest = value
    for size, word in _SCALES.get(language, _SCALES["en"]):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{in_words(count, language)} {word}")
    if rest:
        parts.append(_below_hundred(rest, language))
    return " ".join(parts)


def decimal_in_words(text: str, language: str = "en") -> str:
    """`"8.5"` → "eight point five"; a whole number is read as one."""
    whole, _, fraction = text.partition(".")
    words = in_words(int(whole or 0), language)
    fraction = fraction.rstrip("0")
    if not fraction:
        return words
    point = "दशमलव" if language == "hi" else "point"
    return f"{words} {point} " + " ".join(in_words(int(digit), language) for digit in fraction)


def digits_in_words(digits: str, language: str = "en") -> str:
    """`"9876"` → "nine eight seven six"."""
    return " ".join(in_words(int(d), language) for d in digits)


def indian_grouping(value: int) -> str:
    """`12000000` → "1,20,00,000"."""
    sign, text = ("-", str(-value)) if value < 0 else ("", str(value))
    head, tail = text[:-3], text[-3:]
    if not head:
        return sign + tail
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    return sign + ",".join([*groups, tail])


# Words to numbers --------------------------------------------------------------------------

_UNITS: dict[str, int] = {word: value for value, word in enumerate(_ONES)}
_UNITS |= {word: index * 10 for index, word in enumerate(_TENS) if word != "_"}
_UNITS |= {word: value for value, word in enumerate(_HINDI)}
_UNITS |= {
    "fourty": 40, "पांच": 5, "छः": 6, "छे": 6,
    "ek": 1, "teen": 3, "chaar": 4, "paanch": 5, "chhah": 6, "saat": 7, "aath": 8, "nau": 9, "das": 10,
    "gyarah": 11, "barah": 12,
}  # fmt: skip
# "do" (two) and "char" are English words too, so romanised Hindi numerals leave them out.
_MULTIPLIERS = {
    "hundred": 100, "thousand": 1000, "lakh": 100_000, "lakhs": 100_000, "lac": 100_000, "lacs": 100_000,
    "crore": 10_000_000, "crores": 10_000_000, "cr": 10_000_000, "million": 1_000_000,
    "सौ": 100, "हज़ार": 1000, "हजार": 1000, "लाख": 100_000, "करोड़": 10_000_000, "hazaar": 1000, "hazar": 1000,
}  # fmt: skip

_NUMERAL = re.compile(r"\d[\d,]*(?:\.\d+)?")


def word_value(word: str) -> float | None:
    """A single token's value: a numeral, a unit word, or a hyphenated pair; else None."""
    if _NUMERAL.fullmatch(word):
        return float(word.replace(",", ""))
    if word in _UNITS:
        return float(_UNITS[word])
    if "-" in word:
        left, _, right = word.partition("-")
        if left in _UNITS and right in _UNITS and _UNITS[left] >= 20 > _UNITS[right]:
            return float(_UNITS[left] + _UNITS[right])
    return None


def multiplier(word: str) -> int | None:
    """The size of a scale word (lakh, crore, thousand…), or None."""
    return _MULTIPLIERS.get(word)


def read_number(tokens: list[str], start: int) -> tuple[float, int] | None:
    """The number that starts at `tokens[start]` (lower case) and the index after it.

    "one crore twenty lakh" → 12000000; "1.2 crore" → 12000000; "eight point five" → 8.5.
    """
    total, current, index, seen, last_unit = 0.0, 0.0, start, False, 1000.0
    largest = 0
    while index < len(tokens):
        word = tokens[index]
        value = word_value(word)
        if value is not None:
            # "two three" is two numbers, "twenty three" is one.
            if seen and not (
                last_unit >= 20 > value and value > 0 and last_unit % 10 == 0 and last_unit < 100
            ):
                break
            current += value
            seen, last_unit = True, value
        elif seen and word in ("point", "दशमलव") and index + 1 < len(tokens):
            fraction, ahead = "", index + 1
            while ahead < len(tokens) and (digit := word_value(tokens[ahead])) is not None and digit < 10:
                fraction, ahead = fraction + str(int(digit)), ahead + 1
            if not fraction:
                break
            current += float(f"0.{fraction}")
            index = ahead - 1
            last_unit = 1000.0
        elif seen and (size := multiplier(word)) is not None:
            if size == 100:
                current *= 100
            elif size > largest > 100:
                # "one thousand two hundred | crore" counts crores.
                total, current, largest = (total + current) * size, 0.0, size
            else:
                total, current, largest = total + current * size, 0.0, max(largest, size)
            # After a scale word another group may follow: "one crore | twenty lakh".
            last_unit = 1000.0
            if index + 1 < len(tokens) and tokens[index + 1] == "and":
                index += 1
            following = word_value(tokens[index + 1]) if index + 1 < len(tokens) else None
            if following is None:
                index += 1
                if index < len(tokens) and (multiplier(tokens[index]) or 0) > size:
                    continue
                break
            if not (following < 100 or size > 1000):
                index += 1
                break
            index += 1
            current += following
            last_unit = following
        else:
            break
        index += 1
    if not seen:
        return None
    return total + current, index
