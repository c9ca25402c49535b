"""Cutting a text into passages that one embedding can stand for."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_WORDS = 120
"""A longer paragraph says more than one thing."""
MIN_WORDS = 6
"""A shorter paragraph says too little alone and goes with the next."""

_HEADING = re.compile(r"^#{1,6}\s+(.*)$")
_SENTENCE_END = re.compile(r"(?<=[.!?।])\s+")


@dataclass(frozen=True, slots=True)
class Passage:
    heading: str
    """The heading it stands under; embedded with the text, never spoken."""
    text: str


def passages(body: str) -> list[Passage]:
    """One passage a paragraph, at most 120 words, in order.

    A very short paragraph goes with the next one; a long one is cut between sentences, a
    longer sentence between words.
    """
    found: list[Passage] = []
    heading, waiting = "", ""
    for paragraph in re.split(r"\n\s*\n", body.strip()):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip()]
        while lines and (match := _HEADING.match(lines[0])):
            if waiting:
                found.append(Passage(heading, waiting))
            heading, waiting = match.group(1).strip().rstrip(":"), ""
            lines.pop(0)
        text = f"{waiting} {' '.join(lines)}".strip()
        if _words(text) < MIN_WORDS:
            waiting = text
            continue
        found += [Passage(heading, piece) for piece in _pieces(text)]
        waiting = ""
    return [*found, Passage(heading, waiting)] if waiting else found


def _pieces(paragraph: str) -> list[str]:
    """Runs of whole sentences of at most 120 words each."""
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(paragraph):
        if pieces and _words(pieces[-1]) + _words(sentence) <= MAX_WORDS:
            pieces[-1] += f" {sentence}"
            continue
        words = sentence.split()
        pieces += [" ".join(words[at : at + MAX_WORDS]) for at in range(0, len(words), MAX_WORDS)]
    return pieces


def _words(text: str) -> int:
    return len(text.split())
