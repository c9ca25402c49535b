"""Digits pressed on the phone, gathered into one utterance. No I/O and no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voiceops.core.ports import Expecting

NUMBER_GAP_MS = 3000.0
"""Between the digits of a number that was asked for."""
KEY_GAP_MS = 1500.0
ENTER, CLEAR = "#", "*"
PHONE_DIGITS = 10
DEFAULT_KEYS = {"0": "person"}
"""What a single key does where no number is expected; `CallPlan.extra["keys"]` replaces it. A value
is `person`, or words that are taken as said."""

_PERSON = {"en": "I want to talk to a person", "hi": "मुझे किसी व्यक्ति से बात करनी है"}
_YES_NO = {"en": {"1": "yes", "2": "no"}, "hi": {"1": "हाँ", "2": "नहीं"}}
_ORDINALS = {
    "en": {"1": "the first one", "2": "the second one", "3": "the third one"},
    "hi": {"1": "पहला वाला", "2": "दूसरा वाला", "3": "तीसरा वाला"},
}


@dataclass(slots=True)
class Keypad:
    """One per call."""

    keys: Mapping[str, str]
    digits: str = ""
    """Pressed so far."""

    @classmethod
    def of(cls, extra: Mapping[str, Any]) -> Keypad:
        """With the keys of `CallPlan.extra`."""
        keys = extra.get("keys", DEFAULT_KEYS)
        return cls({str(key): str(does) for key, does in keys.items()})

    def press(self, key: str, expecting: Expecting, language: str) -> str | None:
        """What was said with it, when this key ends it; None while more may come."""
        if key == ENTER:
            return self.entered(expecting, language)
        if key == CLEAR:
            self.digits = ""
            return None
        self.digits += key
        if self._is_whole(expecting):
            return self.entered(expecting, language)
        return None

    def entered(self, expecting: Expecting, language: str) -> str:
        """What the keys so far say; empty when there are none."""
        digits, self.digits = self.digits, ""
        if not digits:
            return ""
        pressed = f"pressed {' '.join(digits)}"
        words = self._meaning(digits, expecting, language)
        return f"{pressed}: {words}" if words else pressed

    def gap_ms(self, expecting: Expecting) -> float:
        """After this long without a key the number is taken as entered."""
        return NUMBER_GAP_MS if expecting == "phone" else KEY_GAP_MS

    def _is_whole(self, expecting: Expecting) -> bool:
        if expecting == "phone":
            return len(self.digits.removeprefix("0")) == PHONE_DIGITS
        if expecting in ("yes_no", "choice"):
            return True
        return len(self.digits) == 1 and expecting == "" and self.digits in self.keys

    def _meaning(self, digits: str, expecting: Expecting, language: str) -> str:
        if expecting == "phone":
            return ""
        answers = {"yes_no": _YES_NO, "choice": _ORDINALS}.get(expecting, {})
        if words := answers.get(language, answers.get("en", {})).get(digits, ""):
            return words
        does = self.keys.get(digits, "")
        return _PERSON.get(language, _PERSON["en"]) if does == "person" else does
