"""Asking for a language: "can we speak in English", "हिंदी में बात कीजिए", "I don't know Hindi"."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agents.pipeline.language_words import is_small_talk

_NAMES = {
    "en": "english|inglish|angrezi|angreji|अंग्रेज़ी|अंग्रेजी|इंग्लिश",
    "hi": "hindi|hindustani|हिंदी|हिन्दी",
}
_TALK = (
    "speak|speaking|talk|talking|converse|continue|switch|change|chat|respond|reply|answer|say|explain|repeat|tell"
    "|baat|bolo|boliye|bolie|bol|bataiye|bataie|batao|samjhao|samjhaiye|kahiye|kaho|jawab"
    "|बात|बोलिए|बोलो|बोल|बताइए|बताओ|समझाइए|समझाओ|कहिए|कहो|जवाब"
)
_IN_HINDI = "mein|me|main|mei|में"
_UP_TO_4 = r"(?:\s+\S+){0,4}?"
_UP_TO_3 = r"(?:\s+\S+){0,3}?"


def _asking(names: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?<!\w)(?:{_TALK}){_UP_TO_4}\s+(?:in|into|to)\s+(?:{names})(?!\w)"
        rf"|(?<!\w)(?:speak|talk|use|try|know)\s+(?:{names})(?!\w)"
        rf"|(?<!\w)(?:{names})\s+(?:{_IN_HINDI}){_UP_TO_3}\s+(?:{_TALK})(?!\w)"
        rf"|(?<!\w)(?:{names})\s+(?:bolo|boliye|बोलो|बोलिए)(?!\w)"
        # Nothing but the language: "English, please", "in Hindi".
        rf"|^(?:\s|ok|okay|no|please|only|in|haan|nahi|sorry|ji|हाँ|नहीं|जी)*(?:{names})"
        rf"(?:\s|please|only|{_IN_HINDI}|ji|प्लीज़|प्लीज|ही|hi)*$"
    )


def _unable(names: str) -> re.Pattern[str]:
    return re.compile(
        rf"(?:don'?t|do not|can'?t|cannot|doesn'?t|not|never)\s+(?:\S+\s+){{0,2}}?"
        rf"(?:understand|speak|know|follow|talk|comfortable|fluent|good|in){_UP_TO_3}\s+(?:{names})(?!\w)"
        rf"|(?<!\w)(?:no|not)\s+(?:in\s+)?(?:{names})(?!\w)"
        rf"|(?<!\w)(?:{names}){_UP_TO_3}\s+(?:nahi|nahin|nhi|mat|नहीं|मत)(?!\w)"
    )


_ASKING = {language: _asking(names) for language, names in _NAMES.items()}
_UNABLE = {language: _unable(names) for language, names in _NAMES.items()}


_ANY_NAME = re.compile("|".join(_NAMES.values()))
_TALKING = frozenset(_TALK.split("|")) | {"language", "bhasha", "भाषा", "comfortable", "fluent", "follow"}


def _plain(text: str) -> str:
    return re.sub(r"[,.!?;:।]+", " ", text.lower().replace("’", "'").replace("\u095b", "ज\u093c")).strip()


def only_asks_for_language(text: str, allowed: Iterable[str]) -> bool:
    """Whether a language is all that is asked for: "tell me the price in Hindi" wants a price."""
    if not requested_language(text, allowed):
        return False
    rest = _ANY_NAME.sub(" ", _plain(text)).split()
    return is_small_talk(word for word in rest if word not in _TALKING)


def requested_language(text: str, allowed: Iterable[str]) -> str:
    """The language somebody asks to go on in, one of `allowed`; empty when nobody asks, or when
    a language is only mentioned ("is the agreement in Hindi?")."""
    plain = _plain(text)
    known = tuple(allowed)
    for language, unable in _UNABLE.items():
        others = [tag for tag in known if tag != language]
        if len(others) == 1 and unable.search(plain):
            return others[0]
    for language, asking in _ASKING.items():
        if language in known and asking.search(plain):
            return language
    return ""
