"""Which language the call is in: evidence of every utterance, with hysteresis.

One odd utterance never moves a call whose caller has spoken; two clear ones in a row do, and so
does asking for it. Mixed utterances, names, numbers and small words move nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from agents.pipeline.language_requests import requested_language
from agents.pipeline.language_words import TextEvidence, name_words, text_evidence
from voiceops.core.events import LanguageReading, LanguageSign, Transcript
from voiceops.core.plan import LANGUAGE_NAMES, CallPlan

Known = Literal["guess", "record", "caller"]

SWITCH_AFTER = 2
"""Clear utterances in the other language that move a call."""
SHORT_MS = 1000.0
"""Acoustic identification of less audio than this is no evidence."""
STRONG = 0.85
"""Share of the probability at which acoustic identification contradicts the words."""
UNSURE = 0.45
"""Confidence of a decode below which its words are doubtful."""
MISSES = 2
"""Turns in a row that were not understood, after which the language itself is doubted."""
CLEAR_WORDS = 0.6
"""Strength of a words sign that leaves no doubt which language was spoken."""
_ALIASES = {"ur": "hi"}
"""Spoken Urdu and Hindi are one to acoustic identification."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of one utterance when its language is judged."""

    text: str
    acoustic: Mapping[str, float] = field(default_factory=dict)
    """Probability by language tag; empty when the engine has none."""
    decoded_as: str = ""
    """The language the recogniser was told; empty for typed words."""
    confidence: float = 0.0
    """0 to 1; 0 when unknown."""
    audio_ms: float = 0.0
    note: str = ""
    """What else the recogniser did, in words."""

    @property
    def typed(self) -> bool:
        return not self.decoded_as


def heard_of(transcripts: Sequence[Transcript]) -> Heard:
    """The utterances of one turn as one; acoustic evidence weighs by its length."""
    spoken = [item for item in transcripts if item.engine != "typed"]
    total_ms = sum(item.audio_ms for item in spoken if item.language_scores)
    acoustic: dict[str, float] = {}
    for item in spoken:
        for language, score in item.language_scores.items():
            share = item.audio_ms / total_ms if total_ms else 0.0
            acoustic[language] = acoustic.get(language, 0.0) + score * share
    longest = max(spoken, key=lambda item: item.audio_ms, default=None)
    return Heard(
        " ".join(item.text.strip() for item in transcripts),
        acoustic,
        longest.language if longest else "",
        longest.confidence if longest else 0.0,
        sum(item.audio_ms for item in spoken),
        "; ".join(item.note for item in spoken if item.note),
    )


def acoustic_share(scores: Mapping[str, float], allowed: Sequence[str]) -> dict[str, float]:
    """Probability among the languages of the call; empty when it sounds like none of them."""
    merged: dict[str, float] = {}
    for tag, score in scores.items():
        language = _ALIASES.get(tag, tag)
        if language in allowed:
            merged[language] = merged.get(language, 0.0) + score
    total = sum(merged.values())
    if total < 0.3:
        return {}
    return {language: score / total for language, score in merged.items()}


@dataclass(frozen=True, slots=True)
class LanguageState:
    """The call's language and what speaks for leaving it. A value: every utterance gives a new one."""

    current: str
    allowed: tuple[str, ...]
    names: frozenset[str] = frozenset()
    """Words that are no evidence, as `language_words.name_words` gives them."""
    known: Known = "guess"
    """From the agent's default, from the customer's record, or from the caller's own mouth."""
    toward: str = ""
    streak: int = 0
    """Clear utterances in `toward` since the last clear one in `current`."""
    missed: int = 0
    suspected: frozenset[str] = frozenset()
    """Kinds of suspicion raised since the language last changed; each is raised once."""

    def hear(self, heard: Heard) -> tuple[LanguageState, LanguageReading]:
        """The state after an utterance, and what was made of it."""
        text = text_evidence(heard.text, self.names)
        shares = acoustic_share(heard.acoustic, self.allowed) if heard.audio_ms >= SHORT_MS else {}
        sounds = max(shares, key=lambda tag: shares[tag]) if shares else ""
        certain = shares[sounds] if sounds else 0.0
        contradicts = (
            text.is_clear and text.language == heard.decoded_as and sounds not in ("", text.language)
            and certain >= STRONG
        )  # fmt: skip
        wanted = requested_language(heard.text, self.allowed)
        clear = text.language if text.is_clear and not contradicts else ""
        after = self._move(wanted, clear if clear in self.allowed else "", text, heard.typed)

        kind, suspicion = "", ""
        if after.current == self.current and not wanted:
            kind, suspicion = self._doubts(heard, text, sounds, certain, contradicts)
        if kind in after.suspected:
            suspicion = ""
        elif kind:
            after = replace(after, suspected=after.suspected | {kind})
        return after, LanguageReading(
            signs=(*_acoustic_signs(heard, sounds, certain), *text.signs, *_asked(wanted)),
            before=self.current,
            after=after.current,
            doubt=after.streak / SWITCH_AFTER,
            mixed=text.mixed,
            suspicion=suspicion,
        )

    def _move(self, wanted: str, clear: str, text: TextEvidence, typed: bool) -> LanguageState:
        if wanted:
            return self._settled(wanted)
        if clear == self.current:
            return replace(self, known="caller", toward="", streak=0, missed=0)
        if clear:
            if self.known == "guess" or (self.known == "record" and typed):
                # Nobody has spoken this call's language yet: the first sentence decides.
                return self._settled(clear)
            streak = self.streak + 1 if self.toward == clear else 1
            if streak >= SWITCH_AFTER:
                return self._settled(clear)
            return replace(self, toward=clear, streak=streak)
        if self.known == "guess" and text.leans in self.allowed and text.leans != self.current:
            # "Namaste ji" answers a greeting; the first sentence may still decide otherwise.
            return replace(self, current=text.leans)
        return self

    def _settled(self, language: str) -> LanguageState:
        changed = language != self.current
        return replace(
            self, current=language, known="caller", toward="", streak=0, missed=0,
            suspected=frozenset() if changed else self.suspected,
        )  # fmt: skip

    def _doubts(
        self, heard: Heard, text: TextEvidence, sounds: str, certain: float, contradicts: bool
    ) -> tuple[str, str]:
        """(kind, reason) when the language may be misjudged."""
        if contradicts:
            return "acoustic", (
                f"It sounds like {_name(sounds)} ({certain:.2f}), but the recogniser was told "
                f"{_name(heard.decoded_as)} and wrote {_name(text.language)} words."
            )
        elsewhere = sounds not in ("", heard.decoded_as) and certain >= STRONG
        if elsewhere and 0 < heard.confidence < UNSURE:
            return "unsure", (
                f"The words are doubtful ({heard.confidence:.2f}) and it sounds like {_name(sounds)} "
                f"({certain:.2f}), while {_name(heard.decoded_as)} was expected."
            )
        return "", ""

    def answered(self, reading: LanguageReading | None, *, understood: bool) -> tuple[
        LanguageState, LanguageReading | None
    ]:  # fmt: skip
        """After the answer: turns in a row that nobody understood cast doubt on the language."""
        surely = reading is not None and any(
            sign.source == "words" and sign.language == self.current and sign.strength >= CLEAR_WORDS
            for sign in reading.signs
        )
        if understood or surely:
            return replace(self, missed=0), reading
        state = replace(self, missed=self.missed + 1)
        if state.missed < MISSES or "missed" in state.suspected:
            return state, reading
        state = replace(state, suspected=state.suspected | {"missed"})
        reading = reading or LanguageReading((), self.current, self.current, self.streak / SWITCH_AFTER)
        if reading.suspicion:
            return state, reading
        why = f"{state.missed} turns in a row were not understood in {_name(self.current)}."
        return state, replace(reading, suspicion=why)


def opening_language(plan: CallPlan) -> LanguageState:
    """The language a call is answered in: the customer's, else the agent's default."""
    profile, customer = plan.agent, plan.customer
    language = (customer.language if customer else "") or str(plan.extra.get("language", ""))
    known: Known = "record"
    if language not in profile.languages:
        language, known = profile.default_language, "guess"
    names = [*plan.hints, profile.name, *([customer.pii_name] if customer else [])]
    for place in plan.extra.get("places", ()):
        if isinstance(place, Mapping):
            names += [str(place["name"]), str(place.get("locality", "")), *map(str, place.get("aliases", ()))]
        else:
            names.append(str(place))
    return LanguageState(language, tuple(profile.languages), name_words(names), known)


def _name(tag: str) -> str:
    return LANGUAGE_NAMES.get(tag, tag or "no language")


def _acoustic_signs(heard: Heard, sounds: str, certain: float) -> tuple[LanguageSign, ...]:
    if sounds:
        detail = f"{heard.audio_ms / 1000:.1f} s, told {_name(heard.decoded_as)}"
        detail = f"{detail}; {heard.note}" if heard.note else detail
        return (LanguageSign("acoustic", sounds, round(certain, 2), detail),)
    if heard.note:
        return (LanguageSign("acoustic", heard.decoded_as, 0.0, heard.note),)
    return ()


def _asked(wanted: str) -> tuple[LanguageSign, ...]:
    return (LanguageSign("words", wanted, 1.0, "asked for it"),) if wanted else ()
