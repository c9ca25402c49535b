"""A stream of text cut into clauses that can be spoken one by one."""

from __future__ import annotations

import re

FIRST_CLAUSE_WORDS = 4
"""A comma ends the first clause from here on: short enough to start early, long enough to sound
like speech."""
CLAUSE_WORDS = 8
LONG_FIRST_WORDS = 12
"""A first sentence of more words is voiced up to its comma, so that it starts sooner."""

_SENTENCE_END = re.compile(r"[.!?।]+[\"')\]]*(?=\s)|\n+")
_COMMA = re.compile(r"[,;:]\s(?=\D)")
_ABBREVIATIONS = ("rs.", "mr.", "mrs.", "ms.", "dr.", "st.", "no.", "sq.", "ft.", "approx.", "a.m.", "p.m.")


class Clauser:
    """Push text as it comes; take the clauses that are complete."""

    def __init__(self) -> None:
        self._text = ""
        self._given = 0

    def push(self, text: str) -> list[str]:
        self._text += text
        clauses: list[str] = []
        while (cut := self._boundary()) is not None:
            clause, self._text = self._text[:cut].strip(), self._text[cut:]
            if clause:
                clauses.append(clause)
                self._given += 1
        return clauses

    def rest(self) -> str:
        """What is left when the stream has ended."""
        text, self._text = self._text.strip(), ""
        return text

    def _boundary(self) -> int | None:
        end = _sentence_end(self._text)
        least = FIRST_CLAUSE_WORDS if not self._given else CLAUSE_WORDS
        for match in _COMMA.finditer(self._text, 0, end or len(self._text)):
            if len(self._text[: match.start()].split()) >= least:
                return match.end()
        return end


def _sentence_end(text: str) -> int | None:
    for match in _SENTENCE_END.finditer(text):
        if not text[: match.end()].rstrip().lower().endswith(_ABBREVIATIONS):
            return match.end()
    return None


def sentences(text: str) -> list[str]:
    """A finished text sentence by sentence, for a voice that should start early but not halt."""
    found: list[str] = []
    while (end := _sentence_end(text)) is not None:
        found.append(text[:end].strip())
        text = text[end:]
    return [part for part in (*found, text.strip()) if part]


def pieces(text: str) -> list[str]:
    """A finished text for the voice: sentence by sentence, a long first one up to its comma."""
    found = sentences(text)
    if not found or len(found[0].split()) <= LONG_FIRST_WORDS:
        return found
    clauser = Clauser()
    first = clauser.push(f"{found[0]} ")[:1]
    rest = found[0][len(first[0]) :].strip() if first else ""
    return [*first, rest, *found[1:]] if rest else found


def split(text: str) -> list[str]:
    """A whole text as clauses."""
    clauser = Clauser()
    clauses = clauser.push(text)
    rest = clauser.rest()
    return [*clauses, rest] if rest else clauses
