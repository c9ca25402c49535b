# ruff: noqa: E501 - a pattern stays on one line
"""What a caller tells of money: the budget, a loan, what is paid at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agents.pipeline.memory.amounts import CRORE, LAKH, amounts
from agents.pipeline.memory.clauses import ToldClause
from agents.pipeline.memory.facts import ASKED, Heard
from agents.pipeline.memory.setting import Setting, heard

BUDGET_INR = (5 * LAKH, 100 * CRORE)
"""What a home in this market can cost; outside of it something was misheard."""

_BUDGET = re.compile(
    r"\b(?:budget|bajat|afford|spend|spending|kharch|stretch|can pay|can go|willing to pay|max(?:imum)?|price range)\b"
    r"|बजट|खर्च|ख़र्च"
)
_UP_TO = re.compile(
    r"\b(?:under|below|within|less than|up ?to|not more than|tak|se kam|ke andar)\b|तक|से कम|के अंदर"
)
_NOT_BUDGET = re.compile(
    r"\b(?:emi|salary|income|earn|price of|priced|price is|costs?|token|booking amount|maintenance|rent|kiraya"
    r"|down ?payment|loan|kist|instal\w*|per month|a month|every month|quoted?|kamata|kamati|tankhwah)\b"
    r"|किराया|लोन|किस्त|ईएमआई|वेतन|तनख़्वाह|महीने"
)
_LOAN = re.compile(r"\b(?:home loan|loan|financ\w+|mortgage|bank)\b|लोन|ऋण|क़र्ज़", re.IGNORECASE)
_OWN_FUNDS = re.compile(
    r"\b(?:own funds?|self[- ]?fund\w*|(?:in|by|with|all) cash|full (?:cash )?payment|savings|without (?:a |any )?(?:home )?loan"
    r"|no (?:home )?loan|(?:don'?t|do not|won'?t|will not) (?:need|take|want|be taking) (?:a |any )?(?:home )?loan"
    r"|loan (?:nahi|nahin)|apne paise)\b|लोन नहीं|नकद|अपने पैसे",
    re.IGNORECASE,
)
_TAKES = re.compile(
    r"\b(?:i|we|i'll|we'll|i'm|will|need|take|taking|apply\w*|want|using|through|lunga|lungi|lenge|chahiye|lena|mujhe|hum)\b"
    r"|लूँगा|लूंगा|लेंगे|लूँगी|लूंगी|चाहिए|लेना|मुझे|हम|मैं",
    re.IGNORECASE,
)


def money(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    found = amounts(clause.lower)
    if not found:
        if _BUDGET.search(clause.lower) and not clause.asks and re.search(r"\d", clause.lower):
            yield Heard("budget", clause.text, clause.text, refused="a number without lakh or crore")
        return
    if re.search(r"\bdown ?payment\b|डाउन ?पेमेंट", clause.lower) and not clause.asks:
        yield heard("down_payment", found[-1], clause)
        return
    if _LOAN.search(clause.lower) and not clause.asks and not _BUDGET.search(clause.lower):
        yield heard("loan_amount", found[-1], clause)
        return
    said = _BUDGET.search(clause.lower) is not None
    bare = (clause.corrects or clause.wants or setting.expecting == "budget") and not clause.asks
    limit = _UP_TO.search(clause.lower) is not None
    if _NOT_BUDGET.search(clause.lower) and not said:
        return
    if not said and not limit and not bare:
        return
    value = (
        max(found) if len(found) > 1 and re.search(r"between|\bto\b|\bse\b|से|-", clause.lower) else found[-1]
    )
    low, high = BUDGET_INR
    if not low <= value <= high:
        yield Heard("budget", value, clause.text, refused="not what a home costs")
    elif clause.asks and not (said and re.search(r"\bmy budget\b|mera budget|मेरा बजट", clause.lower)):
        yield Heard("budget", value, clause.text, ASKED)
    else:
        yield heard("budget", value, clause)


def financing(clause: ToldClause, setting: Setting) -> Iterator[Heard]:
    if clause.asks:
        return
    if _OWN_FUNDS.search(clause.lower):
        yield heard("financing", "own funds", clause)
    elif _LOAN.search(clause.lower) and (_TAKES.search(clause.lower) or setting.expecting == "financing"):
        yield heard("financing", "loan", clause)
