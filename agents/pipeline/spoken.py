"""What is written turned into what is said. Captions and traces keep the written form; only
the voice gets the spoken one.

₹12000000 → "one crore twenty lakh rupees", 3BHK → "three B H K", 17:30 → "five thirty PM",
a phone number digit by digit. Hindi likewise: "एक करोड़ बीस लाख रुपये", with English names and
letters in Devanagari, so that a Hindi voice can say them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

from agents.pipeline.number_words import decimal_in_words, digits_in_words, in_words, indian_grouping
from agents.pipeline.time_words import (
    clock_in_words,
    hindi_clock,
    ordinal_in_words,
    part_of_day,
    year_in_words,
)

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
        return f"{part_of_day(at.hour)} {hour}{minutes} बजे"
    return f"{hour}{minutes} {'AM' if at.hour < 12 else 'PM'}"


# Spoken forms -----------------------------------------------------------------------------

_AMOUNT = r"(\d[\d,]*(?:\.\d+)?)"
_SCALE = r"(crores?|cr|lakhs?|lacs?|L|thousand|k|करोड़|लाख|हज़ार)(?![A-Za-z])"
_RUPEE = r"(?:₹|\bRs\.?|\bINR)\s*"
_MONEY = re.compile(rf"{_RUPEE}{_AMOUNT}(?:\s*{_SCALE})?(?:/-)?", re.IGNORECASE)
_MONEY_RANGE = re.compile(
    rf"{_RUPEE}{_AMOUNT}(?:\s*{_SCALE})?\s*(?:-|–|—|to)\s*(?:{_RUPEE})?{_AMOUNT}(?:\s*{_SCALE})?",
    re.IGNORECASE,
)
_SCALES = {
    "crore": CRORE, "crores": CRORE, "cr": CRORE, "करोड़": CRORE, "lakh": LAKH, "lakhs": LAKH, "lac": LAKH,
    "lacs": LAKH, "l": LAKH, "लाख": LAKH, "thousand": 1000, "k": 1000, "हज़ार": 1000,
}  # fmt: skip
_MONTH_NAMES = "|".join(_MONTHS_EN + _MONTHS_HI)
_MONTHS_IN_HINDI = dict(zip(_MONTHS_EN, _MONTHS_HI, strict=True))
_DAYS_IN_HINDI = dict(zip(_DAYS_EN, _DAYS_HI, strict=True))
_BHK = re.compile(r"\b(\d(?:\.5)?)\s*BHK\b", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![\d₹.,])(?:\+\d{1,3}[ -]?(?:\d[ -]?){6,11}\d"
    r"|(?:0|91)?[ -]?[6-9](?:[ -]?\d){9}|0\d{2,4}[ -]\d{6,8})(?!\d)"
)
_CODE = re.compile(r"\b((?:PIN|OTP)(?: ?code)?(?: is)?|पिन(?: कोड)?)([ :]+)(\d{4,8})\b", re.IGNORECASE)
_CLOCK = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?:\s*([AaPp])\.?[Mm]\b\.?)?")
_HOUR = re.compile(r"\b(1[0-2]|0?[1-9])\s*([AaPp])\.?[Mm]\b")
_BAJE = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*बजे")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+({_MONTH_NAMES})(?:,?\s+(\d{{4}}))?")
_MONTH_DAY = re.compile(rf"\b({'|'.join(_MONTHS_EN)})\s+(\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(\d{{4}}))?")
_YEAR_AFTER_MONTH = re.compile(rf"\b({_MONTH_NAMES}),?\s+(\d{{4}})\b")
_ORDINAL = re.compile(r"\b(\d{1,3})(?:(st|nd|rd|th)\b|(वाँ|वां|वीं|वें)(?![\u0900-\u097f]))")
_PERCENT = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s*%")
_RANGE = re.compile(r"(?<=\d)(?:\s+[-–—]\s+|[-–—])(?=\d)")
_PER = re.compile(r"\s*/\s*(?=(?:sq|month|year|day|महीन|माह|वर्ग|साल)\b)", re.IGNORECASE)
_ROUND_THE_CLOCK = re.compile(r"\b24\s*[x×/]\s*7\b", re.IGNORECASE)
_UNITS = (
    (re.compile(r"\bsq(?:\.|uare)?\s*(?:ft|feet)\b\.?|\bsft\b", re.IGNORECASE), "square feet", "वर्ग फ़ुट"),
    (re.compile(r"\bsq\.?\s*m\b\.?", re.IGNORECASE), "square metres", "वर्ग मीटर"),
    (re.compile(r"\bRERA\b"), "Rera", "रेरा"),
    (re.compile(r"\bPAN\b"), "pan", "पैन"),
    (re.compile(r"\bPIN\b"), "pin", "पिन"),
    (re.compile(r"\bII\b"), "two", "दो"),
    (re.compile(r"\bIII\b"), "three", "तीन"),
    (re.compile(r"\bIV\b"), "four", "चार"),
    (re.compile(r"\bkm\b"), "kilometres", "किलोमीटर"),
    (re.compile(r"\s&\s"), " and ", " और "),
)
_LETTERS = re.compile(r"\b(?!AM\b|PM\b|OK\b)[A-Z]{2,5}\b")
"""EMI, GST, NRI: said letter by letter."""
_LETTERS_HI_TEXT = """
ए बी सी डी ई एफ़ जी एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई ज़ेड
"""
_LETTERS_HI = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTERS_HI_TEXT.split(), strict=True))
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")
_SAID_IN_HINDI = {
    "Bangalore": "बैंगलोर", "Bengaluru": "बेंगलुरु", "Maya": "माया", "WhatsApp": "व्हाट्सऐप",
    "Outer Ring Road": "आउटर रिंग रोड", "Karnataka": "कर्नाटक", "Mumbai": "मुंबई", "Delhi": "दिल्ली",
    "Pune": "पुणे", "Hyderabad": "हैदराबाद", "Chennai": "चेन्नई",
} | _DAYS_IN_HINDI  # fmt: skip
"""Names that no record carries in Devanagari."""


def spoken(text: str, language: str = "en", names: Mapping[str, str] | None = None) -> str:
    """The words a voice should say for `text`; what is words already stays as it is.

    `names` are written names with their Devanagari spelling, for Hindi (see `hindi_names`).
    """
    hindi = language == "hi"
    if hindi:
        text = _in_devanagari(text, {**_SAID_IN_HINDI, **(names or {})})
    text = _MONEY_RANGE.sub(lambda m: _money_range(m, language), text)
    text = _MONEY.sub(lambda m: _money(m[1], m[2], language), text)
    text = _PER.sub(" प्रति " if hindi else " per ", text)
    text = _ISO_DATE.sub(lambda m: _iso(m, language), text)
    text = _DAY_MONTH.sub(lambda m: _day_month(m[1], m[2], m[3], language), text)
    text = _MONTH_DAY.sub(lambda m: _day_month(m[2], m[1], m[3], language), text)
    text = _YEAR_AFTER_MONTH.sub(
        lambda m: f"{_month(m[1], language)} {year_in_words(int(m[2]), language)}", text
    )
    text = _BAJE.sub(lambda m: hindi_clock(int(m[1]), int(m[2] or 0)), text)
    text = _CLOCK.sub(lambda m: clock_in_words(int(m[1]), int(m[2]), m[3] or "", language), text)
    text = _HOUR.sub(lambda m: clock_in_words(int(m[1]), 0, m[2], language), text)
    text = _CODE.sub(lambda m: f"{m[1]}{m[2]}{digits_in_words(m[3], language)}", text)
    text = _PHONE.sub(lambda m: digits_in_words(re.sub(r"\D", "", m[0]), language), text)
    text = _ROUND_THE_CLOCK.sub("चौबीसों घंटे" if hindi else "round the clock", text)
    text = _RANGE.sub(" से " if hindi else " to ", text)
    text = _BHK.sub(lambda m: f"{decimal_in_words(m[1], language)} {'बी एच के' if hindi else 'B H K'}", text)
    text = _ORDINAL.sub(lambda m: _ordinal(m, language), text)
    text = _PERCENT.sub(lambda m: f"{_decimal(m[1], language)} {'प्रतिशत' if hindi else 'percent'}", text)
    for pattern, english, hindi_words in _UNITS:
        text = pattern.sub(hindi_words if hindi else english, text)
    text = _LETTERS.sub(lambda m: " ".join(_LETTERS_HI[c] for c in m[0]) if hindi else " ".join(m[0]), text)
    return _NUMBER.sub(lambda m: _decimal(m[0], language), text)


def hindi_names(extra: Mapping[str, object]) -> dict[str, str]:
    """Devanagari spellings of a plan's places: `extra["places"]` with `name` and `aliases`."""
    found: dict[str, str] = {}
    places = extra.get("places")
    for place in places if isinstance(places, (list, tuple)) else ():
        if isinstance(place, Mapping):
            spelled = [
                str(alias) for alias in place.get("aliases", ()) if re.search(r"[\u0900-\u097f]", str(alias))
            ]
            if spelled:
                found[str(place["name"])] = spelled[0]
    return found


def reader(names: Mapping[str, str]) -> Callable[[str, str], str]:
    """`spoken` for one call, with the names of its plan."""
    return lambda text, language: spoken(text, language, names)


def _in_devanagari(text: str, names: Mapping[str, str]) -> str:
    """Longer names first: "Whitefield Palms" is not "व्हाइटफ़ील्ड Palms"."""
    known = {name.lower(): said for name, said in names.items() if name}
    pattern = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    return re.sub(
        rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", lambda m: known[m[0].lower()], text, flags=re.IGNORECASE
    )


def _decimal(digits: str, language: str) -> str:
    return decimal_in_words(digits.replace(",", "").rstrip("."), language)


def _money(digits: str, scale: str | None, language: str) -> str:
    amount = Decimal(digits.replace(",", "")) * _SCALES.get((scale or "").lower(), 1)
    whole = amount == int(amount)
    words = in_words(int(amount), language) if whole else decimal_in_words(f"{amount:f}", language)
    if language == "hi":
        return f"{words} {'रुपया' if amount == 1 else 'रुपये'}"
    return f"{words} {'rupee' if amount == 1 else 'rupees'}"


def _money_range(match: re.Match[str], language: str) -> str:
    """ "₹80–90 lakh": the scale said once goes for both."""
    low = _money(match[1], match[2] or match[4], language).rsplit(" ", 1)[0]
    return f"{low} {'से' if language == 'hi' else 'to'} {_money(match[3], match[4], language)}"


def _month(name: str, language: str) -> str:
    return _MONTHS_IN_HINDI.get(name, name) if language == "hi" else name


def _day_month(day: str, month: str, year: str | None, language: str) -> str:
    if not 1 <= int(day) <= 31:
        return f"{day} {month}" + (f" {year}" if year else "")
    said = in_words(int(day), "hi") if language == "hi" else ordinal_in_words(int(day))
    if language == "hi" and day.lstrip("0") == "1":
        said = "पहली"  # "पहली जनवरी", never "एक जनवरी"
    tail = f" {year_in_words(int(year), language)}" if year else ""
    return f"{said} {_month(month, language)}{tail}"


def _iso(match: re.Match[str], language: str) -> str:
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return match[0]
    return _day_month(str(day.day), _MONTHS_EN[day.month - 1], str(day.year), language)


def _ordinal(match: re.Match[str], language: str) -> str:
    form = {"वीं": "feminine", "वें": "oblique"}.get(match[3] or "", "masculine")
    return ordinal_in_words(int(match[1]), "hi" if match[3] else language, form)
