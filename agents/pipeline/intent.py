"""What the caller wants: the nearest example sentences, by embedding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from voiceops.core.plan import IntentSpec

UNKNOWN = "unknown"
THRESHOLD = 0.86
"""Cosine below which an utterance is `unknown`; see `tests/pipeline/test_intent.py` for how
multilingual-e5-small spreads: unrelated sentences score 0.75 to 0.84 with each other."""
LEXICAL_THRESHOLD = 0.62
_WORDS = re.compile(r"[^\w\s]")


@dataclass(frozen=True, slots=True)
class IntentMatch:
    slug: str
    score: float
    runner_up: str
    runner_up_score: float
    example: str
    """The example that was nearest."""
    method: str
    """embedding | words | exact"""


def normalised(text: str) -> str:
    """Lower case, no punctuation, single spaces."""
    return " ".join(_WORDS.sub(" ", text.lower()).split())


class IntentClassifier:
    """Built once per call from the plan's examples."""

    def __init__(self, intents: Sequence[IntentSpec], *, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._slugs: list[str] = []
        self._texts: list[str] = []
        vectors: list[Sequence[float]] = []
        self._exact: dict[str, tuple[str, str]] = {}
        for intent in intents:
            for text, _language, vector in intent.examples:
                self._exact.setdefault(normalised(text), (intent.slug, text))
                self._slugs.append(intent.slug)
                self._texts.append(text)
                vectors.append(vector)
        embedded = bool(vectors) and all(len(vector) > 0 for vector in vectors)
        self._vectors = np.asarray(vectors, dtype=np.float32) if embedded else None

    def classify(self, text: str, embedding: Sequence[float] | None) -> IntentMatch:
        """The intent of `text`; by words alone when there is no embedding."""
        exact = self._exact.get(normalised(text))
        if exact is not None:
            return IntentMatch(exact[0], 1.0, "", 0.0, exact[1], "exact")
        if embedding is not None and self._vectors is not None:
            scores = self._vectors @ np.asarray(embedding, dtype=np.float32)
            return self._best([float(score) for score in scores], self._threshold, "embedding")
        return self._best([_likeness(text, known) for known in self._texts], LEXICAL_THRESHOLD, "words")

    def _best(self, scores: Sequence[float], threshold: float, method: str) -> IntentMatch:
        best: dict[str, tuple[float, str]] = {}
        for slug, text, score in zip(self._slugs, self._texts, scores, strict=True):
            if score > best.get(slug, (-2.0, ""))[0]:
                best[slug] = (score, text)
        ranked = sorted(best.items(), key=lambda item: item[1][0], reverse=True)
        if not ranked:
            return IntentMatch(UNKNOWN, 0.0, "", 0.0, "", method)
        slug, (score, example) = ranked[0]
        second, (second_score, _) = ranked[1] if len(ranked) > 1 else ("", (0.0, ""))
        if score < threshold:
            return IntentMatch(UNKNOWN, score, slug, score, example, method)
        return IntentMatch(slug, score, second, second_score, example, method)


def _likeness(left: str, right: str) -> float:
    """0 to 1 from shared words and letters; for when embeddings cannot be had."""
    a, b = normalised(left), normalised(right)
    words_a, words_b = set(a.split()), set(b.split())
    if not words_a or not words_b:
        return 0.0
    shared = len(words_a & words_b) / min(len(words_a), len(words_b))
    return 0.5 * shared + 0.5 * SequenceMatcher(None, a, b).ratio()
