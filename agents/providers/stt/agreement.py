"""The leading words of an utterance that no later decode takes back: what two successive decodes
agree on, less the words that may still change (LocalAgreement-2, Macháček et al. 2023)."""

from __future__ import annotations

import re

from agents.pipeline.number_words import multiplier, word_value

_JOINS = frozenset(["point", "double", "triple", "and", "a", "plus", "rupees", "rs", "₹"])
"""Words that belong to a number in progress: "one crore and…", "double nine"."""


class Agreement:
    """Give it every decode's text, in order; one per utterance."""

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._previous: list[str] = []
        self.held = 0
        """Decodes that would have taken a stable word back; their own leading words were dropped."""

    @property
    def stable(self) -> str:
        return " ".join(self._stable)

    def hear(self, text: str) -> str:
        """The words of this decode, which begin with `stable`; `stable` may grow."""
        words = self._hold(text.split())
        keep = min(_agreed(words, self._previous), len(words) - 1)
        while keep > len(self._stable) and _is_open(words[keep - 1]):
            keep -= 1
        if keep > len(self._stable):
            self._stable = words[:keep]
        self._previous = words
        return " ".join(words)

    def settle(self, text: str) -> str:
        """The words of the final decode, which begin with `stable`; `stable` stays as it is, because
        speech may resume."""
        words = self._hold(text.split())
        self._previous = words
        return " ".join(words)

    def _hold(self, words: list[str]) -> list[str]:
        kept = len(self._stable)
        if _agreed(words, self._stable) < kept:
            self.held += 1
        return [*self._stable, *words[kept:]]


def _agreed(words: list[str], others: list[str]) -> int:
    """Leading words that are the same but for case and punctuation."""
    count = 0
    for one, other in zip(words, others, strict=False):
        if _key(one) != _key(other):
            break
        count += 1
    return count


def _key(word: str) -> str:
    # Devanagari vowel signs are no word characters to `\w`, so they are named.
    return re.sub(r"[^\w\u0900-\u097f]", "", word.lower()) or word


def _is_open(word: str) -> bool:
    """Whether a word may be the beginning or the middle of a number, whose digits regroup as more of
    them are heard ("98" becomes "988", "11" becomes "11:30")."""
    key = word.lower().strip(",.?!")
    return (
        any(sign.isdigit() for sign in key)
        or key in _JOINS
        or word_value(key) is not None
        or multiplier(key) is not None
    )
