"""What is written turned into what is said. Captions and traces keep the written form; only
the voice gets the spoken one.

₹12000000 → "one crore twenty lakh rupees", 3BHK → "three B H K", 17:30 → "five thirty PM",
a phone number digit by digit. Hindi likewise: "एक करोड़ बीस लाख रुपये".
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from agents.pipeline.number_words import decimal_in_words, digits_in_words, in_words, indian_grouping

_MONTHS_EN_TEXT = """
January February March April May June July August September October November December
"""
_MONTHS_EN = _MONTHS_EN_TEXT.split()
_MONTHS_HI_TEXT = """
जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर
"""
_MONTHS_HI = _MONTHS_HI_TEXT.split()
_DAYS_EN = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_DAYS_HI = ["सोमवार", "मंगलवार", "बुधवार", "गुरुवार", "शुक्रवार", "शनिवार", "रविवार"]
_ORDINALS = {
    1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth",
    20: "twentieth", 21: "twenty-first", 22: "twenty-second", 23: "twenty-third", 25: "twenty-fifth",
    28: "twenty-eighth", 29: "twenty-ninth", 30: "thirtieth", 31: "thirty-first",
}  # fmt: skip
CRORE = 10_000_000
LAKH = 100_000


# Written forms ----------------------------------------------------------------------------


def rupees(amount: int, language: str = "en") -> str:
    """An amount as a caption shows it: "₹1.2 crore", "₹85 lakh", "₹86,400"."""
    crore, lakh = ("करोड़", "लाख") if language == "hi" else ("crore", "lakh")
    for size, word in ((CRORE, crore), (LAKH, lakh)):
        if amount >= size:
            value = Decimal(amount) / size
            if value == value.quantize(Decimal("0.01")):
                return f"₹{value.normalize():f} {word}"
            break
    return f"₹{indian_grouping(amount)}"


def weekday(day: date, language: str = "en") -> str:
    return (_DAYS_HI if language == "hi" else _DAYS_EN)[day.weekday()]


def written_day(day: date, language: str = "en") -> str:
    """ "Saturday, 28 November" or "शनिवार, 28 नवंबर"."""
    months = _MONTHS_HI if language == "hi" else _MONTHS_EN
    return f"{weekday(day, language)}, {day.day} {months[day.month - 1]}"


def written_time(at: time | datetime, language: str = "en") -> str:
    """ "5 PM", "11:30 AM"; in Hindi "शाम 5 बजे", "सुबह 11:30 बजे"."""
    hour = at.hour % 12 or 12
    minutes = f":{at.minute:02d}" if at.minute else ""
    if language == "hi":
        return f"{_part_of_day(at.hour)} {hour}{minutes} बजे"
    return f"{hour}{minutes} {'AM' if at.hour < 12 else 'PM'}"


def _part_of_day(hour: int) -> str:
    if hour < 12:
        return "सुबह"
    return "दोपहर" if hour < 16 else ("शाम" if hour < 20 else "रात")


# Spoken forms -----------------------------------------------------------------------------

_MONEY = re.compile(
    r"(?:₹|\bRs\.?|\bINR)\s*(\d[\d,]*(?:\.\d+)?)(?:\s*(crores?|cr|lakhs?|lacs?|L|thousand|करोड़|लाख|हज़ार)(?![A-Za-z]))?",
    re.IGNORECASE,
)
_SCALES = {
    "crore": CRORE, "crores": CRORE, "cr": CRORE, "करोड़": CRORE, "lakh": LAKH, "lakhs": LAKH, "lac": LAKH,
    "lacs": LAKH, "l": LAKH, "लाख": LAKH, "thousand": 1000, "हज़ार": 1000,
}  # fmt: skip
_BHK = re.compile(r"\b(\d(?:\.5)?)\s*BHK\b", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\d₹])(\+?)((?:\d[ -]?){10,13})(?!\d)")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})(?:\s*([AaPp])\.?[Mm]\b\.?)?")
_HOUR = re.compile(r"\b(\d{1,2})\s*([AaPp])\.?[Mm]\b")
_BAJE = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*बजे")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})\s+({'|'.join(_MONTHS_EN + _MONTHS_HI)})(?:\s+(\d{{4}}))?")
_YEAR_AFTER_MONTH = re.compile(rf"\b({'|'.join(_MONTHS_EN + _MONTHS_HI)})\s+(\d{{4}})\b")
_PERCENT = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*%")
_UNITS = (
    (re.compile(r"\bsq\.?\s*ft\b\.?", re.IGNORECASE), "square feet", "वर्ग फ़ुट"),
    (re.compile(r"\bsq\.?\s*m\b\.?", re.IGNORECASE), "square metres", "वर्ग मीटर"),
    (re.compile(r"\bEMI\b"), "E M I", "ई एम आई"),
    (re.compile(r"\bGST\b"), "G S T", "जी एस टी"),
    (re.compile(r"\bRERA\b"), "Rera", "रेरा"),
    (re.compile(r"\bkm\b"), "kilometres", "किलोमीटर"),
)
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")


def spoken(text: str, language: str = "en") -> str:
    """The words a voice should say for `text`. Idempotent on text without digits."""
    hindi = language == "hi"

    def money(match: re.Match[str]) -> str:
        scale = _SCALES.get((match[2] or "").lower(), 1)
        amount = Decimal(match[1].replace(",", "")) * scale
        words = (
            in_words(int(amount), language)
            if amount == int(amount)
            else decimal_in_words(f"{amount:f}", language)
        )
        return f"{words} {'रुपये' if hindi else 'rupees' if amount != 1 else 'rupee'}"

    def bhk(match: re.Match[str]) -> str:
        return f"{decimal_in_words(match[1], language)} {'बी एच के' if hindi else 'B H K'}"

    def phone(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match[2])
        return digits_in_words(digits, language) + (" " if match[2][-1] in " -" else "")

    def clock(match: re.Match[str]) -> str:
        return _clock_words(int(match[1]), int(match[2]), match[3], language)

    def hour(match: re.Match[str]) -> str:
        return _clock_words(int(match[1]), 0, match[2], language)

    def baje(match: re.Match[str]) -> str:
        minutes = int(match[2] or 0)
        if minutes == 30:
            return f"साढ़े {in_words(int(match[1]), 'hi')} बजे"
        tail = f" बजकर {in_words(minutes, 'hi')} मिनट" if minutes else " बजे"
        return in_words(int(match[1]), "hi") + tail

    def day_month(match: re.Match[str]) -> str:
        day = in_words(int(match[1]), "hi") if hindi else _ordinal(int(match[1]))
        year = f" {_year(int(match[3]), language)}" if match[3] else ""
        return f"{day} {match[2]}{year}"

    def iso(match: re.Match[str]) -> str:
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            return match[0]
        months = _MONTHS_HI if hindi else _MONTHS_EN
        return f"{day.day} {months[day.month - 1]} {day.year}"

    text = _MONEY.sub(money, text)
    text = _BHK.sub(bhk, text)
    text = _ISO_DATE.sub(iso, text)
    text = _DAY_MONTH.sub(day_month, text)
    text = _YEAR_AFTER_MONTH.sub(lambda m: f"{m[1]} {_year(int(m[2]), language)}", text)
    text = _BAJE.sub(baje, text)
    text = _CLOCK.sub(clock, text)
    text = _HOUR.sub(hour, text)
    text = _PHONE.sub(phone, text)
    text = _PERCENT.sub(
        lambda m: f"{decimal_in_words(m[1].replace(',', ''), language)} {'प्रतिशत' if hindi else 'percent'}",
        text,
    )
    for pattern, english, hindi_words in _UNITS:
        text = pattern.sub(hindi_words if hindi else english, text)
    return _NUMBER.sub(lambda m: decimal_in_words(m[0].replace(",", ""), language), text)


def _ordinal(value: int) -> str:
    if value in _ORDINALS:
        return _ORDINALS[value]
    return in_words(value) + "th"


def _year(value: int, language: str) -> str:
    if language != "hi" and (2010 <= value <= 2099):
        return f"twenty {in_words(value % 100)}"
    return in_words(value, language)


def _clock_words(hour: int, minute: int, half: str | None, language: str) -> str:
    if language == "hi":
        shown = in_words(hour % 12 or 12, "hi")
        return f"{shown} बजे" if not minute else f"{shown} बजकर {in_words(minute, 'hi')} मिनट"
    if half is None and hour >= 12:
        half = "p"
    suffix = {"a": " AM", "p": " PM"}.get((half or "").lower(), "")
    shown = in_words(hour % 12 or 12)
    if not minute:
        return f"{shown}{suffix}" if suffix else f"{shown} o'clock"
    tail = in_words(minute) if minute >= 10 else f"oh {in_words(minute)}"
    return f"{shown} {tail}{suffix}"
