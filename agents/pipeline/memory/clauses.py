# ruff: noqa: E501 - a pattern stays on one line
"""An utterance in the pieces that a fact is said in, and how each is meant."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPLIT = re.compile(
    r"(?P<end>[.!?;।]+)(?=\s|$)|,\s+|\s+-+\s+"
    r"|\s+(?:but|lekin|magar|लेकिन|मगर)\s+"
    r"|\s+(?:and|aur|और)\s+(?=(?:i|i'm|i'd|my|we|our|there|need|want|budget|hum|mera|meri|main|mujhe|ham"
    r"|मेरा|मेरी|मैं|हम|मुझे|हमारा|बजट)(?:\s|'))",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"^(?:and |so |okay |ok |then |also |well |hi |hello |please )*"
    r"(?:what|which|how|who|whose|why|when|where|is|are|was|were|do|does|did|can|could|will|would you|shall"
    r"|should|have you|has|tell me|show me|give me|explain|any|whats|what's|where's|how's)\b"
    r"|\b(?:want|like|love|need) to (?:know|ask|hear|understand|check)\b|\bi (?:was )?wonder"
    r"|\b(?:kya|kitn[aei]|kaun|kaunsa|kab|kahan|kahaan|kaise|kyun|kyon|batao|bataiye|bataie|dikhao)\b"
    r"|क्या|कितन|कौन|कब|कहाँ|कहां|कैसे|क्यों|बताओ|बताइए|दिखाओ|दिखाइए",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"^\s*(?:no|nope|nahi|nahin|नहीं|sorry|wait|oh no)\s*$"
    r"|^\s*(?:no|nahi|nahin|नहीं|wait)\s+(?=make|i|my|it|actually|wo|vo|mera|मेरा|\d|two|three|one|four)"
    r"|\b(?:actually|i mean|i meant|make (?:it|that)|(?:change|update|correct) (?:it|that|my|the)"
    r"|chang(?:ed|ing) my mind|instead|rather|correction|scratch that|my mistake|revised|not any ?more"
    r"|(?:increas|rais|reduc|lower|bump|stretch)ed?(?: my| the| it| our)?(?: \w+)? to|is now|are now|now (?:it|my)"
    r"|balki|matlab|asal mein|darasal|badal|ab mera|ab meri|ab mujhe|galti)\b"
    r"|बल्कि|मतलब|असल में|दरअसल|बदल|अब मेरा|अब मेरी|अब मुझे|ग़लती|गलती",
    re.IGNORECASE,
)
_ALSO = re.compile(
    r"\b(?:also|too|as well|either|another option|bhi)\b|भी(?:\s|$)|\bor (?:in|even|maybe)\b", re.IGNORECASE
)
_WANT = re.compile(
    r"\b(?:(?:i|we)(?:'d| would|'ll| will)? (?:really |only |just )?(?:want|need|prefer|like|love|take)"
    r"|looking (?:for|at|in)|look (?:for|in)|interested in|search(?:ing)? (?:for|in)|after a|hoping for|must be"
    r"|should be|would be (?:best|great|ideal)|has to be|prefer\w*|rather|decided on|going? (?:for|with)"
    r"|think(?:ing)? of|considering|settled? (?:on|for)|plan(?:ning)? (?:to|on)|only|buy(?:ing)?|purchase"
    r"|chahiye|chahie|chahta|chahti|chahte|dekh rah\w+|dhoond\w*|dhund\w*|pasand|lena|leni|kharid\w*"
    r"|make (?:it|that))\b"
    r"|चाहिए|चाहिये|चाहत|देख रह|ढूँढ|ढूंढ|पसंद|लेना|लेनी|खरीद|ख़रीद",
    re.IGNORECASE,
)
_ERRAND = re.compile(
    r"\b(?:know|hear|compare|book|visit|talk|speak|cancel|refund|quote|price|cost|rate|emi|daam|keemat)\b"
    r"|क़ीमत|कीमत|दाम|ईएमआई",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ToldClause:
    """One piece of an utterance."""

    text: str
    lower: str
    asks: bool
    """A question, which tells of interest at most."""
    wants: bool
    """Says what somebody is looking for."""
    corrects: bool
    also: bool


def told_clauses(text: str, *, answering: bool = False) -> list[ToldClause]:
    """The pieces of `text` in order. `answering`: the caller was asked, so a bare value is meant
    as an answer that replaces what was known."""
    pieces: list[tuple[str, str]] = []
    start = 0
    for match in _SPLIT.finditer(text):
        pieces.append((text[start : match.start()], match["end"] or ""))
        start = match.end()
    pieces.append((text[start:], ""))
    clauses: list[ToldClause] = []
    corrects = answering
    for piece, end in pieces:
        piece = piece.strip()
        if not piece:
            continue
        lower = piece.lower().replace("’", "'")
        corrects = corrects or _CORRECTION.search(lower) is not None
        asks = end.startswith("?") or _QUESTION.search(lower) is not None
        wants = _WANT.search(lower) is not None and _ERRAND.search(lower) is None
        clauses.append(ToldClause(piece, lower, asks, wants, corrects, _ALSO.search(lower) is not None))
    return clauses


def negated(lower: str, start: int, end: int) -> bool:
    """Whether the words from `start` to `end` are named as not wanted."""
    before, after = lower[:start], lower[end:]
    return (
        re.search(
            r"\b(?:not|except|no longer|anything but|don'?t (?:want|like|need)|do not (?:want|like|need))"
            r"(?:\s+(?:a|an|the|in|at|any|for|want|it))*\s*$",
            before,
        )
        is not None
        or re.match(r"\s*(?:mein |me |में )?(?:nahi|nahin|mat|नहीं|मत)(?:\s|$|,)", after) is not None
    )
