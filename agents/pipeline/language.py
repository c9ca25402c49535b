"""Which language the caller speaks: script and words, with some inertia."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_WORD = re.compile(r"[a-z]+")
_HINDI_TEXT = """
hai hain kya kitna kitne kitni mujhe mera meri mere aap aapka aapke aapne mein ka ki ke ko se nahi nahin
haan kaise kab kahan kyun kaun chahiye batao bataiye bata karna karni karo kar raha rahi rahe tha thi the
bahut achha accha theek thik hoon ho kal aaj subah shaam dopahar ghar makaan keemat daam kist liye wala
wali namaste namaskar dhanyavaad shukriya ji baje dekhna dekhne aana milega milegi batayi bataya pichli
baar karao dijiye koi aur phir abhi bas itna
"""
# English words that look like romanised Hindi are no evidence.
_HINDI = frozenset(_HINDI_TEXT.split()) - {"the", "ho", "bas", "kar", "baar"}


@dataclass(frozen=True, slots=True)
class Evidence:
    language: str
    strength: float
    """0 (none) to 1 (a full sentence in that language's script or words)."""


def evidence(text: str) -> Evidence:
    """What one utterance says about its language. Names and numbers say nothing."""
    if _DEVANAGARI.search(text):
        return Evidence("hi", 1.0)
    words = _WORD.findall(text.lower())
    if not words:
        return Evidence("en", 0.0)
    hindi = sum(word in _HINDI for word in words)
    share = hindi / len(words)
    if hindi >= 2 and share >= 0.3:
        return Evidence("hi", min(1.0, share * 2))
    if hindi:
        return Evidence("en", 0.0)
    return Evidence("en", 1.0 if len(words) >= 4 else 0.3)


@dataclass(frozen=True, slots=True)
class LanguageState:
    """The call's language, and what speaks for leaving it."""

    current: str
    allowed: tuple[str, ...]
    doubt: float = 0.0

    def heard(self, text: str) -> LanguageState:
        """The state after an utterance: one clear sentence switches, weak signs need two."""
        found = evidence(text)
        if found.language == self.current or found.language not in self.allowed:
            return replace(self, doubt=0.0) if found.strength >= 0.3 else self
        doubt = self.doubt + found.strength
        # Devanagari and full sentences switch at once; "okay" in a Hindi call does not.
        if doubt >= 1.0 if found.language == "en" else doubt >= 0.6:
            return replace(self, current=found.language, doubt=0.0)
        return replace(self, doubt=doubt)
