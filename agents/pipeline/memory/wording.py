# ruff: noqa: E501 - a spoken line stays on one line
"""Facts of a caller as sentences, and the lines that ask, confirm and recall them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.pipeline.lines import joined
from agents.pipeline.memory.facts import values_of
from agents.pipeline.number_words import indian_grouping
from agents.pipeline.spoken import rupees
from agents.pipeline.templates import fill
from voiceops.core.plan import AgentProfile

_MONTHS_EN = "January February March April May June July August September October November December"
_MONTHS_HI = "जनवरी फ़रवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर"
_MONTHS = {"en": _MONTHS_EN.split(), "hi": _MONTHS_HI.split()}
_UNITS = {"M": ("month", "महीने"), "Y": ("year", "साल"), "W": ("week", "हफ़्ते")}

SENTENCES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "name": "your name is {value}",
        "phone": "your number is {value}",
        "budget": "your budget is {value}",
        "property_type": "you want a {value}",
        "preferred_location": "you are looking in {value}",
        "preferred_project": "you like {value}",
        "city": "you are looking in {value}",
        "move_in": "you want to move in {value}",
        "financing": "you will pay with {value}",
        "loan_amount": "you need a loan of {value}",
        "down_payment": "your down payment is {value}",
        "purpose": "you are buying {value}",
        "family_size": "there are {value} of you",
        "floor": "you prefer {value}",
        "facing": "you prefer a home facing {value}",
        "parking": "you need parking for {value}",
        "pets": "you have a {value}",
        "visit_time": "{value} suit you for a visit",
        "workplace": "you work in {value}",
        "lives_in": "you live in {value}",
    },
    "hi": {
        "name": "आपका नाम {value} है",
        "phone": "आपका नंबर {value} है",
        "budget": "आपका बजट {value} है",
        "property_type": "आपको {value} चाहिए",
        "preferred_location": "आप {value} में घर देख रहे हैं",
        "preferred_project": "आपको {value} पसंद है",
        "city": "आप {value} में घर देख रहे हैं",
        "move_in": "आपको {value} शिफ़्ट होना है",
        "financing": "आप {value} से भुगतान करेंगे",
        "loan_amount": "आपको {value} का लोन चाहिए",
        "down_payment": "आपका डाउन पेमेंट {value} है",
        "purpose": "आप {value} ख़रीद रहे हैं",
        "family_size": "आप {value} लोग हैं",
        "floor": "आपको {value} पसंद है",
        "facing": "आपको {value}मुखी घर पसंद है",
        "parking": "आपको {value} गाड़ियों की पार्किंग चाहिए",
        "pets": "आपके पास {value} है",
        "visit_time": "विज़िट के लिए आपको {value} ठीक रहता है",
        "workplace": "आप {value} में काम करते हैं",
        "lives_in": "आप {value} में रहते हैं",
    },
}  # fmt: skip
LABELS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "name": "your name", "phone": "your number", "budget": "your budget", "property_type": "what size of home you want",
        "preferred_location": "which area you want", "preferred_project": "which project you like", "city": "which city you want",
        "move_in": "when you want to move in", "financing": "how you will pay", "loan_amount": "how much loan you need",
        "down_payment": "your down payment", "purpose": "what the home is for", "family_size": "how many of you there are",
        "floor": "which floor you prefer", "facing": "which facing you prefer", "parking": "how much parking you need",
        "pets": "whether you have pets", "visit_time": "when a visit suits you", "workplace": "where you work",
        "lives_in": "where you live",
    },
    "hi": {
        "name": "अपना नाम", "phone": "अपना नंबर", "budget": "अपना बजट", "property_type": "कितने बेडरूम चाहिए",
        "preferred_location": "कौन सा इलाका चाहिए", "preferred_project": "कौन सा प्रोजेक्ट पसंद है", "city": "कौन सा शहर चाहिए",
        "move_in": "कब शिफ़्ट होना है", "financing": "भुगतान कैसे करेंगे", "loan_amount": "कितना लोन चाहिए",
        "down_payment": "अपना डाउन पेमेंट", "purpose": "घर किसलिए चाहिए", "family_size": "कितने लोग हैं",
        "floor": "कौन सी मंज़िल चाहिए", "facing": "किस दिशा का घर चाहिए", "parking": "कितनी पार्किंग चाहिए",
        "pets": "कोई पालतू जानवर है या नहीं", "visit_time": "विज़िट के लिए कब ठीक रहेगा", "workplace": "कहाँ काम करते हैं",
        "lives_in": "कहाँ रहते हैं",
    },
}  # fmt: skip
LINES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "memory_told": "You told me {fact}.",
        "memory_asked": "You asked about {value}.",
        "memory_record": "In our records, {fact}.",
        "memory_before": "When you called {day}, you told me {fact}.",
        "memory_unknown": "You haven't told me {label} yet.",
        "memory_nothing": "You haven't told me anything about yourself yet.",
        "memory_noted": "All right, I've noted that {fact}.",
        "memory_changed": "All right, I've changed that: {fact}.",
        "memory_kept": "All right, we keep to that: {fact}.",
        "memory_clarify": "Earlier you said {before}; shall I take {after} instead?",
        "memory_clarify_place": "Earlier you said {before}; shall I look in {after} instead?",
        "memory_disputed": "First you said {before}, and later {after}; shall I take {after}?",
        "memory_unclear": "I didn't catch the amount. Could you say it with lakh or crore?",
        "memory_refused": "{value} doesn't sound like a budget for a home. Could you say it again?",
        "memory_repeat": "I said: {said}",
        "memory_not_said": "I haven't told you anything about that yet.",
        "memory_last_call": "{said}",
        "memory_no_call": "I have no earlier call of yours on record.",
    },
    "hi": {
        "memory_told": "आपने बताया था कि {fact}।",
        "memory_asked": "आपने {value} के बारे में पूछा था।",
        "memory_record": "हमारे रिकॉर्ड में {fact}।",
        "memory_before": "{day} की कॉल में आपने बताया था कि {fact}।",
        "memory_unknown": "आपने अभी तक नहीं बताया: {label}।",
        "memory_nothing": "आपने अभी तक अपने बारे में कुछ नहीं बताया है।",
        "memory_noted": "ठीक है, मैंने लिख लिया कि {fact}।",
        "memory_changed": "ठीक है, मैंने बदल दिया: {fact}।",
        "memory_kept": "ठीक है, वही रखते हैं: {fact}।",
        "memory_clarify": "पहले आपने {before} कहा था; क्या अब {after} लिखूँ?",
        "memory_clarify_place": "पहले आपने {before} कहा था; क्या अब {after} में देखूँ?",
        "memory_disputed": "पहले आपने {before} कहा था और बाद में {after}; क्या मैं {after} रखूँ?",
        "memory_unclear": "रकम ठीक से समझ नहीं आई। क्या आप लाख या करोड़ में बताएँगे?",
        "memory_refused": "{value} घर का बजट नहीं लगता। क्या आप फिर से बताएँगे?",
        "memory_repeat": "मैंने कहा था: {said}",
        "memory_not_said": "इस बारे में मैंने अभी तक कुछ नहीं बताया है।",
        "memory_last_call": "{said}",
        "memory_no_call": "आपकी कोई पिछली कॉल मेरे रिकॉर्ड में नहीं है।",
    },
}  # fmt: skip

_VALUES: Mapping[str, Mapping[tuple[str, Any], str]] = {
    "en": {
        ("financing", "loan"): "a home loan", ("financing", "own funds"): "your own funds",
        ("purpose", "own use"): "to live in yourself", ("purpose", "investment"): "as an investment",
        ("purpose", "family"): "for your family",
    },
    "hi": {
        ("financing", "loan"): "होम लोन", ("financing", "own funds"): "अपने पैसों",
        ("purpose", "own use"): "ख़ुद रहने के लिए", ("purpose", "investment"): "निवेश के लिए",
        ("purpose", "family"): "परिवार के लिए",
        ("floor", "high"): "ऊँची मंज़िल", ("floor", "low"): "निचली मंज़िल", ("floor", "ground"): "ग्राउंड फ़्लोर",
        ("floor", "top"): "सबसे ऊपर की मंज़िल", ("floor", "middle"): "बीच की मंज़िल",
        ("facing", "east"): "पूर्व", ("facing", "west"): "पश्चिम", ("facing", "north"): "उत्तर", ("facing", "south"): "दक्षिण",
        ("facing", "north-east"): "उत्तर-पूर्व", ("facing", "north-west"): "उत्तर-पश्चिम",
        ("facing", "south-east"): "दक्षिण-पूर्व", ("facing", "south-west"): "दक्षिण-पश्चिम",
        ("pets", "dog"): "कुत्ता", ("pets", "cat"): "बिल्ली", ("pets", "pet"): "पालतू जानवर",
        ("visit_time", "weekend"): "वीकेंड", ("visit_time", "weekday"): "काम का दिन", ("visit_time", "morning"): "सुबह",
        ("visit_time", "afternoon"): "दोपहर", ("visit_time", "evening"): "शाम", ("visit_time", "saturday"): "शनिवार",
        ("visit_time", "sunday"): "रविवार", ("visit_time", "monday"): "सोमवार", ("visit_time", "tuesday"): "मंगलवार",
        ("visit_time", "wednesday"): "बुधवार", ("visit_time", "thursday"): "गुरुवार", ("visit_time", "friday"): "शुक्रवार",
    },
}  # fmt: skip
_AMOUNTS = ("budget", "loan_amount", "down_payment")
_ORDINALS = {
    "1": "first",
    "2": "second",
    "3": "third",
    "5": "fifth",
    "8": "eighth",
    "9": "ninth",
    "12": "twelfth",
}


def line(profile: AgentProfile, code: str, language: str, **values: str) -> str:
    """The line `code`: the profile's own words, else the ones above (English where none are)."""
    text = (profile.lines.get(language) or {}).get(code) or LINES.get(language, LINES["en"])[code]
    return fill(text, values) if values else text


def written(name: str, value: Any, language: str, places: Mapping[str, str] | None = None) -> str:
    """A fact's value as it is said. `places` are Hindi spellings by place name."""
    language = language if language in SENTENCES else "en"
    conjunction = "और" if language == "hi" else "and"
    parts = [_one(name, item, language, places or {}) for item in values_of(value)]
    return joined(parts, conjunction)


def _one(name: str, value: Any, language: str, places: Mapping[str, str]) -> str:
    known = _VALUES[language].get((name, value))
    if known is not None:
        return known
    if name in _AMOUNTS:
        return rupees(int(value), language)
    if name == "move_in":
        return _moment(str(value), language)
    if name == "floor" and language == "en":
        return (
            f"floor {value}"
            if str(value).isdigit()
            else f"{'the' if value in ('ground', 'top') else 'a'} {value} floor"
        )
    if name == "floor":
        return f"{value} मंज़िल"
    if name == "visit_time":
        return f"{str(value).capitalize() if str(value).endswith('day') and value != 'weekday' else value}s"
    if name in ("family_size", "parking"):
        return indian_grouping(int(value))
    if language == "hi" and str(value) in places:
        return places[str(value)]
    return str(value)


def _moment(value: str, language: str) -> str:
    hindi = language == "hi"
    if value == "now":
        return "जल्द से जल्द" if hindi else "as soon as possible"
    if value.startswith("P"):
        number, (english, hindi_unit) = int(value[1:-1]), _UNITS[value[-1]]
        return (
            f"{number} {hindi_unit} में" if hindi else f"within {number} {english}{'s' if number != 1 else ''}"
        )
    year, _, month = value.partition("-")
    if not month:
        return f"{year} में" if hindi else f"in {year}"
    named = f"{_MONTHS['hi' if hindi else 'en'][int(month) - 1]} {year}"
    return f"{named} तक" if hindi else f"by {named}"


def sentence(name: str, value: Any, language: str, places: Mapping[str, str] | None = None) -> str:
    """ "your budget is ₹90 lakh"."""
    language = language if language in SENTENCES else "en"
    return fill(SENTENCES[language][name], {"value": written(name, value, language, places)})


def label(name: str, language: str) -> str:
    return LABELS.get(language, LABELS["en"])[name]


def background(facts: Sequence[tuple[str, Any]], limit: int) -> str:
    """Facts as a short line for a prompt: "3BHK, Whitefield, budget ₹1.2 crore"."""
    parts: list[str] = []
    for name, value in facts:
        shown = written(name, value, "en")
        part = f"{name.replace('_', ' ')} {shown}" if name in _AMOUNTS else shown
        if len(", ".join([*parts, part])) > limit:
            break
        parts.append(part)
    return ", ".join(parts)
