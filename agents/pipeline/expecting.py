"""What the agent has just asked for, read from its own words: a hint for the turn model."""

from __future__ import annotations

import re
from functools import lru_cache

from voiceops.core.ports import Expecting

_ASKS: dict[Expecting, re.Pattern[str]] = {
    "phone": re.compile(
        r"(mobile|phone|contact|whatsapp) number|ten[- ]digit|all (ten )?digits"
        r"|(मोबाइल|फ़ोन|फोन) ?नंबर|दसों? अंक"
    ),
    "address": re.compile(r"\b(your|full|the|delivery|postal) address\b|where do you live|पता बता|आपका पता"),
    "name": re.compile(
        r"(your|what|which|full) (good )?name|name (for|shall|should)|किसके नाम|शुभ ?नाम|आपका नाम"
    ),
    "date": re.compile(
        r"(which|what) (\w+ )?(day|date|time)|when would|कौन ?सा (\w+ )?(दिन|समय|वक्त)|किस दिन|कब"
    ),
    "choice": re.compile(
        r"which (one|of|project|area|locality|option)|what size|how many bedroom"
        r"|कौन ?सा|किस (प्रोजेक्ट|इलाके)|कितने बेडरूम"
    ),
    "yes_no": re.compile(
        r"\b(shall|should|may|can|do|does|did|are|is|would|will|have) (i|we|you|it|that|this)\b"
        r"|\bright\?$|^is \w+|क्या (मैं|आप|हम|यह|ये)"
    ),
}
_STEPS: dict[str, Expecting] = {
    "project": "choice", "when": "date", "choose": "choice", "confirm": "yes_no", "name": "name",
    "phone": "phone",
}  # fmt: skip
_SENTENCE = re.compile(r"[^.!?।]*[.!?।]?")


@lru_cache(maxsize=512)
def expecting(said: str, step: str = "") -> Expecting:
    """From the last sentence the agent `said`; a flow's `step` decides when the words do not."""
    sentences = [part.strip() for part in _SENTENCE.findall(said.lower()) if part.strip()]
    if not sentences or not sentences[-1].endswith("?"):
        return ""
    question = sentences[-1]
    for kind, asks in _ASKS.items():
        if asks.search(question):
            return "" if kind == "yes_no" and _open_offer(question) else kind
    return _STEPS.get(step, "")


def _open_offer(question: str) -> bool:
    """ "Is there anything else I can help with?", "How can I help?" ask for no yes or no alone."""
    return question.startswith(("how", "what", "why")) or "help" in question or "मदद" in question
