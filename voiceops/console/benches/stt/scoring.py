"""Word error rate that counts words, not spelling: "11.30", "eleven thirty" and "11:30" are the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.pipeline.normalise import normalise
from voiceops.core.errors import ConfigurationError

_SAME = ((r"\bgood bye\b", "goodbye"), (r"\bokay\b", "ok"), (r"\bbhk\b", "bedroom"), (r"\bper cent\b", "%"))


def plain(text: str) -> str:
    """What of a text is compared: lower case, numbers in digits, no punctuation."""
    text = re.sub(r"(\d)[.](\d\d)(?!\d)", r"\1:\2", text.replace("-", " "))
    text = (normalise(text) or text).lower()
    text = re.sub(r"(?<=\d),(?=\d)", "", text)
    text = re.sub(r"(\d+)(?:st|nd|rd|th)\b", r"\1", text)
    text = re.sub(r"(\d):(\d)", r"\1 \2", text)
    text = re.sub(r"(?<=\d)(?=[a-z])", " ", text)
    text = re.sub(r"[^\w\s']", " ", text)
    for pattern, same in _SAME:
        text = re.sub(pattern, same, text)
    return " ".join(text.split())


def word_error_rate(said: Sequence[str], heard: Sequence[str]) -> float:
    """Percent of the words of `said`. Raises ConfigurationError when jiwer is not installed."""
    try:
        import jiwer
    except ImportError as error:
        raise ConfigurationError("install jiwer (requirements/dev.txt) to count word errors") from error
    rate = jiwer.wer([plain(text) for text in said], [plain(text) or "-" for text in heard])
    return round(float(rate) * 100, 1)
