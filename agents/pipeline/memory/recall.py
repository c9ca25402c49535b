# ruff: noqa: E501 - a pattern stays on one line
"""Whether the caller asks what was said before, and about what."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agents.pipeline.memory.clauses import told_clauses


@dataclass(frozen=True, slots=True)
class Recall:
    kind: Literal["facts", "all", "told", "repeat", "last_call"]
    names: tuple[str, ...] = ()
    """Facts asked for; for `told` the intent whose answer is meant."""
    before: bool = False
    """An earlier call is meant."""


_CUE = re.compile(
    r"\b(?:did|have|had) (?:i|we) (?:\w+ )?(?:say|said|tell|told|mention|mentioned|give|given|gave|want|wanted|ask|asked"
    r"|prefer|preferred|need|needed|choose|chosen|pick|picked|decide|decided|specify|specified|state|stated|share|shared)\b"
    r"|\b(?:what|which|where|when|how|who)\b.*\bi (?:had |have )?(?:said|told|mentioned|gave|wanted|asked|preferred|needed)\b"
    r"|\bdo you (?:still )?(?:remember|recall)\b|\bdo you (?:still )?(?:know|have) (?:my|what i|which|where i|when i)\b"
    r"|\b(?:remind me|tell me|repeat|confirm)\b.*\b(?:my|i (?:said|told|wanted|gave))\b"
    r"|\b(?:what|which|where|when|how much|how many)(?:'s| is| was| were| are)?(?: again)? (?:my|our)\b|\bwho am i\b"
    r"|\bwhat (?:did|do) you (?:have|know|note|write down|noted) (?:as |for |about )?(?:my|me)\b"
    r"|\b(?:maine|main ne|hamne|humne)\b.*\b(?:bata\w+|bol[ai]\w*|kah[ai]\w*|di[yh]\w+|maang[aei]\w*|chun[ai])\b.*"
    r"|\byaad (?:hai|hain|he)\b|\bmer[aei] .*\b(?:kya|kitn[aei]|kaun|kahan|kab)\b|\b(?:kya|kitn[aei]) .*\bmer[aei]\b"
    r"|मैंने.*(?:बताय|बताई|बोला|कहा|दिया|दी थी|माँगा|मांगा)|याद (?:है|हैं)|मेर[ाीे] .*(?:क्या|कितन|कौन|कहाँ|कहां|कब)"
    r"|(?:क्या|कितन\S*) .*मेर[ाीे]|मुझे .*(?:चाहिए था|चाहिए थी|चाहिए थे)|\bmujhe .*chahiye th[aei]\b"
)
_MINE = re.compile(r"\b(?:my|our) (?:family|budget|name|phone|mobile|number|down ?payment|preferences?)\b")
_OWN = re.compile(r"\b(?:i|i'm|i've|my|mine|we|our|maine|mera|meri|mere|hum|humne)\b|मैंने|मेर[ाीे]|हमने|हमार")
_HISTORY = re.compile(
    r"\b(?:emi|instal\w*|kist|monthly payment|interest|quote[sd]?|quotation|offer(?:ed)?)\b|किस्त|ईएमआई|कोटेशन|ब्याज"
)
_KEYWORDS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "down_payment": r"\bdown ?payment\b|डाउन ?पेमेंट",
        "loan_amount": r"\bhow (?:much|big|large).*\bloan\b|\bloan (?:amount|of)\b|कितना लोन|kitna loan",
        "budget": r"\bbudget\b|\bbajat\b|बजट|\bhow much (?:can|could|did) i\b.*\b(?:spend|afford)\b|\bafford\b",
        "name": r"\b(?:my|mera) (?:name|naam)\b|\bwho am i\b|मेरा नाम|\bname\b|\bnaam\b|नाम",
        "phone": r"\b(?:phone|mobile|contact|my) number\b|\bnumber\b|नंबर",
        "property_type": r"\bsize\b|\bbed ?rooms?\b|\bbhk\b|\b(?:kind|type|sort) of (?:flat|home|house|apartment|property)\b"
        r"|\bkitne (?:kamre|bedroom)\b|बीएचके|कमरे|बेडरूम|\bwhich (?:flat|home|apartment)\b|\bhow many rooms\b",
        "preferred_location": r"\b(?:areas?|locations?|locality|localities|place|neighbourhood|neighborhood|part of town"
        r"|ilaka|ilaaka|jagah)\b|इलाक|जगह|\bwhere (?:did|do) i want\b(?! to move)|\bwhere .*look",
        "preferred_project": r"\bproject\b|प्रोजेक्ट",
        "city": r"\bcity\b|शहर|\bshahar\b",
        "move_in": r"\bmov(?:e|ing)\b|\bshift\w*|\btimeline\b|\bby when\b|\bkab tak\b|कब तक|शिफ्ट|शिफ़्ट|\bpossession\b",
        "financing": r"\bloan\b|\bfinanc\w+|\bpay(?:ing|ment)?\b|\bfund\w*|लोन|भुगतान",
        "purpose": r"\bpurpose\b|\binvest\w*|\bown use\b|\bwhat .*\bfor\b$|\bkis ?liye\b|किस ?लिए|किसलिए|\blive in it\b",
        "family_size": r"\bfamily\b|\bhow many (?:people|of us|are we|members)\b|परिवार|कितने लोग|\bkitne log\b|\bparivar\b",
        "floor": r"\bfloor\b|\bmanzil\b|मंज़िल|मंजिल|फ्लोर|फ़्लोर",
        "facing": r"\bfacing\b|\bdirection\b|\bmukhi\b|मुखी|दिशा",
        "parking": r"\bparking\b|\bcar parks?\b|पार्किंग",
        "pets": r"\bpets?\b|\bdog\b|\bcat\b|\banimal\b|पालतू|कुत्ता|बिल्ली",
        "visit_time": r"\bvisit\b|विज़िट|\bwhich day|\bwhat days?\b|\bwhen .*(?:suit|free|prefer)",
        "workplace": r"\bwork\b|\boffice\b|\bkaam\b|ऑफिस|ऑफ़िस|दफ़्तर|काम",
        "lives_in": r"\blive\b(?! in it)|\bstay\b|\breside\b|\brahta\b|\brahti\b|रहत",
    }.items()
}
_OVERLAPS = {"loan_amount": ("financing",), "down_payment": ("financing",), "phone": ("name",), "move_in": ("preferred_location",)}  # fmt: skip
"""A fact asked for by its own words is not also asked for by the words of these."""
_ALL = re.compile(
    r"\bwhat (?:all )?(?:do|did) you (?:know|note|remember|have)(?: down| noted)? about me\b"
    r"|\bwhat (?:all )?(?:have|did) i (?:told|tell|said|say|mentioned|mention)(?: to)?(?: you)?(?: so far| until now| till now)?\s*\??$"
    r"|\b(?:my|our) (?:requirements?|preferences?|details)\b|\bmaine (?:ab tak )?kya (?:kya )?bataya\b"
    r"|मैंने (?:अब तक )?क्या(?:[- ]क्या)? बताया|मेरी (?:ज़रूरत|जरूरत)"
)
_TOLD = re.compile(
    r"\b(?:did|have|had) you (?:just )?(?:tell|told|say|said|mention|mentioned|give|given)\b"
    r"|\b(?:what|which|how)\b.*\byou (?:had |have )?(?:said|told|mentioned|gave)\b|\bremind me what you (?:said|told)\b"
    r"|\baapne\b.*\b(?:bata\w+|kaha|bola)\b|आपने.*(?:बताय|बताई|कहा|बोला)"
)
_TOPICS: Mapping[str, re.Pattern[str]] = {
    slug: re.compile(pattern)
    for slug, pattern in {
        "price_enquiry": r"\b(?:price|cost|rate|daam|keemat)\b|क़ीमत|कीमत|दाम",
        "availability_enquiry": r"\b(?:availab\w+|left|units|how many)\b|उपलब्ध|खाली",
        "policy_question": r"\b(?:cancel\w*|refund\w*|policy|pets?|loan|documents?|stamp|maintenance|brokerage|booking"
        r" amount|token)\b|पॉलिसी|रिफंड|कैंसिल",
        "project_info": r"\b(?:amenit\w+|facilit\w+|possession|metro|pool|gym|school|airport|clubhouse|parking)\b|सुविधा|पज़ेशन",
    }.items()
}
_REPEAT = re.compile(
    r"^(?:sorry |please |can you |could you |would you |please )*(?:(?:say|repeat|tell me) (?:that|it)(?: again| once more)?(?: please)?"
    r"|what did you (?:just )?say|come again|pardon(?: me)?|repeat please|once more please)\s*[?.]*$"
    r"|^(?:phir se|dobara|wapas) (?:boliye|bataiye|bolo|batao|kahiye)\b|^(?:फिर से|दोबारा) (?:बोल|बता|कह)"
)
_LAST_CALL = re.compile(
    r"\b(?:last|previous|earlier) (?:time|call|conversation|week)\b|\bwhen (?:i|we) last (?:called|spoke|talked)\b"
    r"|\b(?:pichli|pichhli) baar\b|पिछली (?:बार|कॉल)"
)
_TALKED = re.compile(r"\b(?:talk|discuss|spoke|speak|said|say|told|tell|about|baat)\w*\b|बात|बताय|कहा")


def asked_to_recall(text: str, *, certain: bool = False) -> Recall | None:
    """What of the past the caller asks for; None when this is no such question. `certain`: it is
    likely one, so that words of the caller's own will do for a cue."""
    lower = text.lower().replace("’", "'").strip()
    if _REPEAT.search(lower):
        return Recall("repeat")
    before = _LAST_CALL.search(lower) is not None
    if _ALL.search(lower):
        return Recall("last_call" if before else "all", before=before)
    history = _HISTORY.search(lower) is not None
    names = () if history else _names(lower)
    cued = bool(_CUE.search(lower) or (certain and _OWN.search(lower)))
    if not cued and _MINE.search(lower):
        cued = any(clause.asks for clause in told_clauses(text))
    if cued and names:
        return Recall("facts", names, before)
    if not history and _TOLD.search(lower):
        topics = tuple(slug for slug, pattern in _TOPICS.items() if pattern.search(lower))
        if topics:
            return Recall("told", topics[:1], before)
    if before and not history and _TALKED.search(lower):
        return Recall("last_call", before=True)
    return Recall("all") if certain and _CUE.search(lower) and not history else None


def _names(lower: str) -> tuple[str, ...]:
    found = [name for name, pattern in _KEYWORDS.items() if pattern.search(lower)]
    covered = {other for name in found for other in _OVERLAPS.get(name, ())}
    return tuple(name for name in found if name not in covered)
