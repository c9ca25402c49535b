"""Names a recogniser spelled as it heard them, put back as the caller's business writes them:
"Sargepore" is Sarjapur, "white field" is Whitefield."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

MIN_KEY = 5
"""Shorter names sound like too many ordinary words."""
MAX_COST = 0.17
"""Share of a name's sounds that may differ. Measured with the names of the demo desk: 0.17 mends what
Whisper base writes for them and changes nothing in its 240 example sentences and in English prose."""
VOWEL_COST = 0.35
"""A wrong vowel against a wrong consonant (1)."""
VOWELS = frozenset("aeiou")

_SOUNDS = (
    ("tion", "san"), ("ph", "f"), ("gh", "g"), ("kh", "k"), ("th", "t"), ("dh", "d"), ("bh", "b"),
    ("sh", "s"), ("ck", "k"), ("wh", "v"), ("ce", "se"), ("ci", "si"), ("ge", "je"), ("gi", "ji"),
    ("ch", "j"), ("qu", "kv"), ("x", "ks"), ("c", "k"), ("q", "k"), ("w", "v"), ("z", "s"),
    ("ee", "i"), ("ea", "i"), ("oo", "u"), ("ou", "u"), ("y", "i"), ("pore", "pur"),
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z][A-Za-z']*")
_SPAN = re.compile(r"[A-Za-z' -]+")
_LAKH = re.compile(
    r"\b((?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety)[ -])(?:lock|locks|lack|lacks|luck|lark|larks|lakhs?)\b",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def sounds(text: str) -> str:
    """A rough key of how Latin letters are spoken, without spaces: "White field" → "vitefild"."""
    key = re.sub(r"[^a-z]", "", text.lower())
    for written, spoken in _SOUNDS:
        key = key.replace(written, spoken)
    return re.sub(r"(.)\1|(?<=[^aeiou])e$", r"\1", key)


def cost(heard: str, name: str) -> float:
    """How far two keys lie apart, 0 (the same) to 1 and more, per sound of `name`."""
    previous = [0.0]
    for sound in name:
        previous.append(previous[-1] + _weight(sound))
    for letter in heard:
        row = [previous[0] + _weight(letter)]
        for column, sound in enumerate(name, 1):
            if letter == sound:
                change = 0.0
            elif letter in VOWELS and sound in VOWELS:
                change = VOWEL_COST
            else:
                change = 1.0
            row.append(
                min(
                    previous[column] + _weight(letter),
                    row[-1] + _weight(sound),
                    previous[column - 1] + change,
                )
            )
        previous = row
    return previous[-1] / max(1, len(name))


def _weight(letter: str) -> float:
    return VOWEL_COST if letter in VOWELS else 1.0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names of one business; build it once with `vocabulary`."""

    names: tuple[tuple[str, str, int], ...]
    """(as written, its sounds, number of words), longest first."""

    def repair(self, text: str) -> str:
        """`text` with near misses of the names written as the names; English or romanised."""
        text = _LAKH.sub(lambda match: match[1].rstrip(" -") + " lakh", text)
        if not self.names:
            return text
        words = list(_WORD.finditer(text))
        taken: set[int] = set()
        found: list[tuple[int, int, str]] = []
        for _, first, count, name in sorted(self._near(text, words)):
            places = range(first, first + count)
            if taken.isdisjoint(places):
                taken.update(places)
                found.append((words[first].start(), words[first + count - 1].end(), name))
        for start, end, name in sorted(found, reverse=True):
            text = text[:start] + name + text[end:]
        return text

    def _near(self, text: str, words: Sequence[re.Match[str]]) -> Iterator[tuple[float, int, int, str]]:
        """(cost, first word, words taken, name) of everything that sounds like a name."""
        most = max(size for _, _, size in self.names) + 1
        for first in range(len(words)):
            for count in range(1, min(most, len(words) - first) + 1):
                between = text[words[first].start() : words[first + count - 1].end()]
                if not _SPAN.fullmatch(between):
                    break
                heard = sounds(between)
                for name, key, size in self.names:
                    if abs(count - size) > 1 or abs(len(heard) - len(key)) > 3 or not _alike(heard, key):
                        continue
                    if (price := cost(heard, key)) <= MAX_COST:
                        yield price, first, count, name


def _alike(heard: str, key: str) -> bool:
    """Whether both begin with the same sound, any vowel being as good as another."""
    return bool(heard) and (heard[0] == key[0] or {heard[0], key[0]} <= VOWELS)


@lru_cache(maxsize=64)
def vocabulary(names: tuple[str, ...]) -> Vocabulary:
    """Of hints as `CallPlan.hints` gives them. Names in other scripts and short ones are left out."""
    kept = {name.strip(): None for name in _latin(names)}
    rows = [(name, sounds(name), len(_WORD.findall(name))) for name in kept]
    rows = [row for row in rows if len(row[1]) >= MIN_KEY]
    rows.sort(key=lambda row: -len(row[1]))
    return Vocabulary(tuple(rows))


def _latin(names: Iterable[str]) -> list[str]:
    return [name for name in names if _SPAN.fullmatch(name.strip())]
