"""Signs that somebody has not finished although the words could stand alone: a correction begun, a
greeting before the matter, a verb without its object, an address line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CORRECTS = re.compile(
    r"\b(no|sorry|i mean|actually|rather|wait|scratch that|nahi|nahin|matlab)\W*$|(नहीं|मतलब)\W*$"
)
_NO_CORRECTION = re.compile(r"\b((i'm|am|so|very|is) sorry|or no|(says?|said|a|oh|is) no)\W*$")
_OPENS = re.compile(
    r"^\W*(good (morning|afternoon|evening)|excuse me|so|well|listen|look|okay so|yes,? i mean|actually"
    r"|basically)\W*$"
)
_ASKS_FOR = re.compile(r"\b(could|can|would|will) you( (please|just|kindly|maybe))*\W*$")
_WANTS_OBJECT = re.compile(
    r"\b((want|wanted|like|need|going|have|able|trying) to|would|i'd|can|could|will|i'll|please)\s+(\w+ )?"
    r"(prefer|see|know|visit|book|buy|send|get|find|take|ask|tell|give|show|check|change|make|bring)\W*$"
)
_WANTS_AMOUNT = re.compile(r"\b(at (least|most)|about|around|roughly|maybe|perhaps)\W*$")
_PLACE = re.compile(r"\b(cross|street|road|block|stage|phase|sector|apartments?|nagar|layout|colony)\b")
_PIN_CODE = re.compile(r"\b\d{3} ?\d{3}\b")
_VERB = re.compile(r"\b(is|are|was|live|want|need|have|do|does|can|could|would|will|should|am|i'm|stay)\b")


def hesitation(lower: str, words: Sequence[str]) -> tuple[float, str] | None:
    """(completeness, reason) of `lower`, whose words are `words`, when it shows such a sign.

    Measured on what Whisper heard at the 93 pauses and 195 ends of the turn-taking dialogues: 6 of
    66 pauses (held out: 3 of 27) more are waited out, and one end takes longer.
    """
    if _OPENS.match(lower):
        return 0.52, "incomplete"
    if len(words) > 2 and _CORRECTS.search(lower) and not _NO_CORRECTION.search(lower):
        return 0.3, "incomplete"
    if _ASKS_FOR.search(lower):
        return 0.15, "incomplete"
    if _WANTS_OBJECT.search(lower) or (len(words) > 1 and _WANTS_AMOUNT.search(lower)):
        return 0.3, "incomplete"
    if _is_address_line(lower):
        return 0.25, "dictation"
    return None


def _is_address_line(lower: str) -> bool:
    """ "42, third cross": a place with a number, no verb, and no PIN code yet."""
    return bool(
        _PLACE.search(lower)
        and re.search(r"\d", lower)
        and not lower.endswith("?")
        and not _PIN_CODE.search(lower)
        and not _VERB.search(lower)
    )
