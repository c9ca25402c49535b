# ruff: noqa: E501 - a pattern stays on one line
"""What a caller tells of themselves, found by rules in English, Hinglish and Devanagari: the same
words always give the same facts. An utterance costs 1 to 2 ms, most of it for misheard places, so it is
done when the answer is under way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agents.pipeline.entities import (
    PROPERTY_TYPE,
    find_name,
    find_phone,
    find_places,
    find_property_type,
)
from agents.pipeline.memory.amounts import NUMBER, count, moment
from agents.pipeline.memory.clauses import ToldClause, negated, told_clauses
from agents.pipeline.memory.facts import STATED, Heard
from agents.pipeline.memory.money import financing, money
from agents.pipeline.memory.setting import Rule, Setting, heard, interest

__all__ = ["Setting", "heard_facts"]

_HOME = re.compile(
    r"\b(?:live|lives|living|stay|stays|staying|reside|residing|settled|rah(?:ta|ti|te|tha|thi))\b|रहत",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\b(?:i|we|i'm|we're|i've) (?:\w+ ){0,2}(?:live|living|stay|staying|reside|residing|settled|work|working)\b"
    r"|\b(?:my|our) (?:\w+ )?(?:office|job|work|workplace|company|employer)\b"
    r"|\b(?:main|hum|ham|mera|meri|hamara)\b|मैं|मेर[ाीे]|हम"
)
_WORK = re.compile(
    r"\b(?:office|work|works|working|job|company|employer|kaam|naukri)\b|ऑफ़िस|ऑफिस|दफ़्तर|काम करत|नौकरी",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:school|college|parents|airport|metro|station|commute|drive|distance|traffic|far from|than)\b"
)
_NAME = re.compile(
    r"(?:\bmy name(?:'s| is)(?: actually| now)?|\bcall me|\bname is|\bmera naam|\bmy good name is|मेरा नाम)\s+(?P<named>.+)"
    r"|\b(?:this is|i am|i'm|main|it's)\s+(?P<speaking>.+?)\s+(?:here|speaking|calling|bol rah\w+|hoon bol\w*)\b"
    r"|मैं\s+(?P<hindi>.+?)\s+बोल",
    re.IGNORECASE,
)
_NAME_ENDS = re.compile(
    r"\s+(?:and|but|from|here|speaking|calling|by the way|not|if|so|please|hai|hain|hoon|है|हूँ|aur|और|bol\w*|इस)\b.*$",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"\b(?:number|phone|mobile|whatsapp|reach me|call me (?:on|at|back))\b|नंबर|मोबाइल|फ़ोन|फोन", re.IGNORECASE
)
_MOVE = re.compile(
    r"\b(?:mov(?:e|ing)|shift(?:ing)?|possession|handover|relocat\w+|occupy|timeline|settle|need (?:it|the|a|to)"
    r"|want (?:it|to buy|the)|buy|buying|purchase|close the deal|chahiye|lena|ghar)\b|शिफ्ट|शिफ़्ट|चाहिए|लेना|पज़ेशन",
    re.IGNORECASE,
)
_INVEST = re.compile(
    r"\b(?:invest\w*|rent(?:ing)? (?:it )?out|rental income|nivesh)\b|निवेश|किराए पर द", re.IGNORECASE
)
_OWN_USE = re.compile(
    r"\b(?:own use|self[- ]use|end[- ]?use|for (?:my|our)selves|for myself|to live in|live (?:in it|there)|own stay"
    r"|khud rehne|khud ke liye|rehne ke liye|apne liye)\b|खुद रहने|ख़ुद रहने|रहने के लिए|अपने लिए",
    re.IGNORECASE,
)
_FOR_FAMILY = re.compile(
    r"\bfor my (?:parents|son|daughter|brother|sister|mother|father|in-laws|family)\b|माता-पिता के लिए|बेटे के लिए",
    re.IGNORECASE,
)
_FAMILY = re.compile(
    rf"\b(?:family of|(?:we are|we're|there are|there will be|there'll be|hum log|hum)(?! a\b))\s+(?P<a>{NUMBER})"
    r"(?P<who>\s+(?:people|persons|members|of us|log|logon|adults))?"
    rf"|\b(?P<b>{NUMBER})\s+(?:of us|(?:people|members|persons|log) (?:in|hain|are|live))"
    rf"|(?:हम|परिवार में)\s+(?P<c>{NUMBER})\s+(?:लोग|सदस्य|जने)",
    re.IGNORECASE,
)
_FLOOR = re.compile(
    r"\b(?P<kind>high|higher|low|lower|ground|top|middle|upper)[- ]floors?\b|\b(?P<nth>\d{1,2})(?:st|nd|rd|th)? floor\b"
    r"|\b(?P<word>first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|twelfth|fifteenth|twentieth) floor\b"
    r"|\bfloor (?:no\.? |number )?(?P<number>\d{1,2})\b|(?P<hi>ऊपर की मंज़िल|ऊपर की मंजिल|ऊँची मंज़िल|ग्राउंड फ्लोर|नीचे की मंज़िल|नीचे की मंजिल)"
    r"|\b(?P<hing>upar|neeche|niche)(?: wal[ai]| ki| ka)? (?:manzil|floor)\b",
    re.IGNORECASE,
)
_FLOOR_WORDS = {
    "higher": "high", "upper": "high", "lower": "low", "ऊपर की मंज़िल": "high", "ऊपर की मंजिल": "high",
    "ऊँची मंज़िल": "high", "ग्राउंड फ्लोर": "ground", "नीचे की मंज़िल": "low", "नीचे की मंजिल": "low", "upar": "high",
    "neeche": "low", "niche": "low", "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5",
    "sixth": "6", "seventh": "7", "eighth": "8", "ninth": "9", "tenth": "10", "twelfth": "12", "fifteenth": "15",
    "twentieth": "20",
}  # fmt: skip
_FACING = re.compile(
    r"\b(?P<a>(?:north|south)(?:[- ]?(?:east|west))?|east|west)(?:ern)?[- ]?(?:facing|mukhi)\b"
    r"|\bfacing (?P<b>(?:north|south)(?:[- ]?(?:east|west))?|east|west)\b"
    r"|(?P<c>पूर्व|पूरब|पश्चिम|उत्तर|दक्षिण|purv|paschim|uttar|dakshin)[- ]?(?:मुखी|mukhi|facing)",
    re.IGNORECASE,
)
_FACING_WORDS = {
    "पूर्व": "east", "पूरब": "east", "पश्चिम": "west", "उत्तर": "north", "दक्षिण": "south", "purv": "east",
    "paschim": "west", "uttar": "north", "dakshin": "south",
}  # fmt: skip
_PARKING = re.compile(
    rf"\b(?P<a>{NUMBER}) (?:covered |car )*(?:parks?|parkings?|parking (?:spaces?|spots?|slots?|lots?))\b"
    rf"|\bparking for (?P<b>{NUMBER})\b|(?P<c>{NUMBER}) (?:कार )?पार्किंग",
    re.IGNORECASE,
)
_PETS = re.compile(
    r"\b(?:i|we) (?:also )?have (?:a |an |one |two |my )?(?P<a>dogs?|cats?|pets?|puppy)\b|\bmy (?P<b>dog|cat|puppy)\b"
    r"|(?P<c>कुत्ता|बिल्ली) है|\b(?P<d>kutta|billi) hai\b",
    re.IGNORECASE,
)
_PET_WORDS = {"dogs": "dog", "cats": "cat", "pets": "pet", "puppy": "dog", "कुत्ता": "dog", "बिल्ली": "cat", "kutta": "dog", "billi": "cat"}  # fmt: skip
_VISIT_TIME = re.compile(
    r"\b(?P<a>weekends?|weekdays?|saturdays?|sundays?|mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|mornings?"
    r"|evenings?|afternoons?|shaam|subah|itwar|shaniwar)\b|(?P<b>शनिवार|रविवार|इतवार|सुबह|शाम|दोपहर|वीकेंड)",
    re.IGNORECASE,
)
_VISIT_WORDS = {
    "shaam": "evening", "subah": "morning", "itwar": "sunday", "shaniwar": "saturday", "शनिवार": "saturday",
    "रविवार": "sunday", "इतवार": "sunday", "सुबह": "morning", "शाम": "evening", "दोपहर": "afternoon", "वीकेंड": "weekend",
}  # fmt: skip
_PREFERS_TIME = re.compile(
    r"\b(?:prefer|best for|suits? (?:me|us)|convenient|(?:i'm|i am|we're|we are) (?:only )?free|can only (?:come|visit)"
    r"|usually free|work(?:s)? (?:best|better)|theek raheg\w+|suvidha|khali (?:hoon|rehta|rehti))\b|ठीक रहेग|सुविधा|खाली",
    re.IGNORECASE,
)
_CITIES = {
    "bangalore": "Bangalore", "bengaluru": "Bangalore", "bengalooru": "Bangalore", "बैंगलोर": "Bangalore",
    "बेंगलुरु": "Bangalore", "mumbai": "Mumbai", "मुंबई": "Mumbai", "delhi": "Delhi", "दिल्ली": "Delhi",
    "pune": "Pune", "पुणे": "Pune", "hyderabad": "Hyderabad", "हैदराबाद": "Hyderabad", "chennai": "Chennai",
    "चेन्नई": "Chennai", "kolkata": "Kolkata", "कोलकाता": "Kolkata", "mysore": "Mysore", "noida": "Noida",
    "gurgaon": "Gurgaon", "ahmedabad": "Ahmedabad", "jaipur": "Jaipur", "kochi": "Kochi", "dubai": "Dubai",
    "london": "London", "singapore": "Singapore",
}  # fmt: skip
_CITY = re.compile(rf"(?<!\w)(?:{'|'.join(_CITIES)})(?!\w)", re.IGNORECASE)


def heard_facts(text: str, setting: Setting) -> list[Heard]:
    """The facts of one utterance, in order; the last word on each fact."""
    found: dict[tuple[str, bool], Heard] = {}
    for clause in told_clauses(text, answering=bool(setting.expecting)):
        for rule in _RULES:
            for item in rule(clause, setting):
                key = item.name, item.retract or item.also
                found.pop(key, None)
                found[key] = item
    return list(found.values())


def _property_type(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    for match in PROPERTY_TYPE.finditer(clause.lower):
        value = find_property_type(match[0])
        if value is not None:
            yield interest(
                "property_type",
                value,
                clause,
                setting,
                retract=negated(clause.lower, match.start(), match.end()),
            )


def _places(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    named = find_places(clause.text, setting.places)
    place = next((p for p in named if p.kind == "locality"), None)
    project = next((p for p in named if p.kind == "project"), None)
    city = _CITY.search(clause.lower)
    if _WORK.search(clause.lower) or _HOME.search(clause.lower):
        if not clause.asks and _OWN.search(clause.lower):
            where = place.name if place else (_CITIES[city[0]] if city else _named_place(clause.text))
            if where:
                yield heard("workplace" if _WORK.search(clause.lower) else "lives_in", where, clause)
        return
    if city is not None and not clause.asks and (clause.wants or setting.expecting == "city"):
        yield heard("city", _CITIES[city[0]], clause)
    if _ELSEWHERE.search(clause.lower):
        return
    for name, found in (("preferred_location", place), ("preferred_project", project)):
        if found is None or (name == "preferred_project" and place is not None and place.name == found.name):
            continue
        start, end = _position(clause.lower, (found.name, *found.aliases))
        item = interest(name, found.name, clause, setting, retract=negated(clause.lower, start, end))
        if clause.also and not item.retract and item.confidence >= STATED and name == "preferred_location":
            item = Heard(name, found.name, clause.text, STATED, also=True)
        yield item


def _position(lower: str, names: Sequence[str]) -> tuple[int, int]:
    for name in names:
        start = lower.find(name.lower())
        if start >= 0:
            return start, start + len(name)
    return len(lower), len(lower)


def _named_place(text: str) -> str:
    """ "in Mysore Road", after a word that leads to a place."""
    match = re.search(r"\b(?:in|at|near|from)\s+((?:[A-Z]\w+)(?:\s+[A-Z]\w+){0,2})", text)
    return match[1] if match else ""


def _name(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    match = _NAME.search(clause.text)
    if match is None and setting.expecting != "name":
        return
    said = (match["named"] or match["speaking"] or match["hindi"]) if match else clause.text
    if clause.asks and match is None:
        return
    said = _NAME_ENDS.sub("", f" {said} ").strip(" .,!?।")
    words = said.split()
    if (
        not words
        or len(words) > 4
        or re.search(r"\d|^(?:what|not|kya|क्या|going|looking)\b", said, re.IGNORECASE)
    ):
        return
    if (name := find_name(said)) is not None:
        yield heard("name", name, clause)


def _phone(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    lead = _PHONE.search(clause.text)
    whole = re.search(r"(?:\+91[\s-]?|\b0)?\b[6-9]\d{4}[\s-]?\d{5}\b", clause.text)
    if lead is None and whole is None and setting.expecting != "phone":
        return
    number = find_phone(whole[0] if whole else clause.text[lead.end() if lead else 0 :])
    if number is not None:
        yield heard("phone", number, clause)


def _move_in(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    if clause.asks or not (_MOVE.search(clause.lower) or clause.corrects or setting.expecting == "move_in"):
        return
    if re.search(r"\b(?:visit|loan|tenure|emi|quote\w*|call)\b|लोन", clause.lower):
        return
    if (value := moment(clause.lower, setting.now)) is not None:
        yield heard("move_in", value, clause)


def _purpose(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    if clause.asks:
        return
    for value, pattern in (("investment", _INVEST), ("family", _FOR_FAMILY), ("own use", _OWN_USE)):
        match = pattern.search(clause.lower)
        if match and not negated(clause.lower, match.start(), match.end()):
            yield heard("purpose", value, clause)
            return


def _family_size(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    if clause.asks:
        return
    match = _FAMILY.search(clause.lower)
    if match is None:
        return
    bare = match["a"] and not match["who"] and not match[0].startswith("family of")
    if bare and clause.lower[match.end() :].strip():
        return  # "we are two blocks away"
    number = count(match["a"] or match["b"] or match["c"])
    if number is not None and 1 <= number <= 20:
        yield heard("family_size", number, clause)


def _floor(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    match = _FLOOR.search(clause.lower)
    if match is None or clause.asks or negated(clause.lower, match.start(), match.end()):
        return
    word = next(group for group in match.groups() if group)
    yield heard("floor", _FLOOR_WORDS.get(word, word), clause)


def _facing(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    match = _FACING.search(clause.lower)
    if match is None or clause.asks or negated(clause.lower, match.start(), match.end()):
        return
    word = match["a"] or match["b"] or match["c"]
    yield heard("facing", _FACING_WORDS.get(word, re.sub(r"[ -]+", "-", word)), clause)


def _parking(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    match = None if clause.asks else _PARKING.search(clause.lower)
    number = count(match["a"] or match["b"] or match["c"]) if match else None
    if number is not None and 1 <= number <= 6:
        yield heard("parking", number, clause)


def _pets(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    match = None if clause.asks else _PETS.search(clause.lower)
    if match is not None:
        word = match["a"] or match["b"] or match["c"] or match["d"]
        yield heard("pets", _PET_WORDS.get(word, word), clause)


def _visit_time(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    match = _VISIT_TIME.search(clause.lower)
    if (
        match is None
        or clause.asks
        or not (_PREFERS_TIME.search(clause.lower) or setting.expecting == "visit_time")
    ):
        return
    word = match["a"] or match["b"]
    yield heard("visit_time", _VISIT_WORDS.get(word, word.removesuffix("s")), clause)


_RULES: tuple[Rule, ...] = (
    _name, _phone, _property_type, _places, money, _move_in, financing, _purpose, _family_size, _floor,
    _facing, _parking, _pets, _visit_time,
)  # fmt: skip
