"""A second decode in the language that an utterance sounds like.

A recogniser that is told English writes English, whatever is said: it translates, or invents
words. Where acoustic identification strongly disagrees with the language that was told, the same
audio is decoded once more in the other one, and the surer of the two is kept. It costs a decode
only then; after two in vain in a row (an accent that only sounds like another language) the call
goes without.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from agents.pipeline.language import SHORT_MS, STRONG, acoustic_share
from voiceops.core.events import Transcript
from voiceops.core.plan import LANGUAGE_NAMES

_log = logging.getLogger(__name__)

IN_VAIN = 2
"""Second decodes in a row that were not kept, after which no more are made."""


class SecondOpinion:
    """One per call: when a final is decoded again, and which of the two is kept."""

    def __init__(self, languages: tuple[str, ...]) -> None:
        self._languages = languages
        self._in_vain = 0

    def wanted(self, first: Transcript) -> str:
        """The language to decode `first`'s audio in once more; empty when once is enough."""
        if self._in_vain >= IN_VAIN or first.audio_ms < SHORT_MS:
            return ""
        shares = acoustic_share(first.language_scores, self._languages)
        sounds = max(shares, key=lambda tag: shares[tag]) if shares else ""
        if sounds in ("", first.language) or shares[sounds] < STRONG:
            return ""
        return sounds

    async def take(self, first: Transcript, decode: Callable[[str], Awaitable[Transcript]]) -> Transcript:
        """`first`, or what `decode(language)` gives when that is surer; its `note` says which and
        why. A second decode that fails leaves the first. Raises only CancelledError."""
        language = self.wanted(first)
        if not language:
            return first
        name, told = (LANGUAGE_NAMES.get(tag, tag) for tag in (language, first.language))
        try:
            second = await decode(language)
        except Exception as error:
            _log.info("second_opinion_failed", extra={"language": language, "error": repr(error)})
            return replace(first, note=f"decoding again in {name} failed: {error or 'no answer in time'}")
        figures = f"{second.confidence:.2f} against {first.confidence:.2f} in {told}"
        decode_ms = first.decode_ms + second.decode_ms
        if second.text.strip() and second.confidence > first.confidence:
            self._in_vain = 0
            return replace(
                second, decode_ms=decode_ms, language_scores=first.language_scores,
                note=f"decoded again in {name} and kept that ({figures})",
            )  # fmt: skip
        self._in_vain += 1
        return replace(first, decode_ms=decode_ms, note=f"decoded again in {name} in vain ({figures})")
