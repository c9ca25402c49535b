"""Whether the caller is talking over the agent, and whether it is meant."""

from __future__ import annotations

import re

from agents.providers.turn.completeness import is_backchannel
from agents.providers.turn.interruptions import is_interruption
from voiceops.core.events import Transcript

_WORD = re.compile(r"[\w\u0900-\u097f']+")

THRESHOLD_LISTENING = 0.5
THRESHOLD_SPEAKING = 0.7
"""Speech probability asked for: Silero's default, and a stricter one while the agent is audible."""
FLOOR_RMS = 200.0
"""int16 RMS (about -44 dBFS) below which sound during agent speech is taken for line noise."""
MEANT_MS = 250.0
"""Voiced time from which words other than a backchannel take the floor."""
NOISE_MS = 700.0
"""A recogniser hears "Thank you." in shorter noise than this."""
FAILED_MS = 700.0
"""Voiced time from which speech is meant though no recogniser could say what it was."""
SHORT_MS = 600.0
"""Voiced time below which a hum may have been heard as a word."""
CONFIDENT = 0.8
"""Of the recogniser, in the words of something short."""
ANTICIPATED_MS = 1200.0
"""So near the end of a question an "okay", or a name, answers it."""
SURE_MS = 1500.0
"""Voiced time that takes the floor though no words are known yet."""


def threshold(*, agent_audible: bool) -> float:
    """Speech probability from which a window may be the caller's."""
    return THRESHOLD_SPEAKING if agent_audible else THRESHOLD_LISTENING


def is_voice(probability: float, rms: float, *, agent_audible: bool) -> bool:
    """Whether one window counts as speech, of the caller or of an echo."""
    return probability >= threshold(agent_audible=agent_audible) and (not agent_audible or rms >= FLOOR_RMS)


def is_meant(
    text: str,
    speech_ms: float,
    *,
    confidence: float = 1.0,
    over_agent: bool = True,
    wordless: bool = False,
) -> bool:
    """Whether speech, still going on, is meant to take the floor: by its words when some are
    known, by its length when none are. `confidence` is the recogniser's in `text`, 0 to 1;
    `over_agent`: it began while the agent was heard; `wordless`: the recogniser listened and found
    no words."""
    if text.strip():
        return speech_ms >= MEANT_MS and _interrupts(text, confidence, speech_ms if over_agent else SHORT_MS)
    return speech_ms >= SURE_MS and not wordless


def was_meant(
    words: Transcript | None, speech_ms: float, *, asked: bool, unheard_ms: float, over_agent: bool = True
) -> bool:
    """Whether speech over the agent's turn, now over, took the floor. `asked`: the agent's words end
    in a question, of which `unheard_ms` of audio are left; `words` is None when the recogniser failed;
    `over_agent`: the agent was heard when it began, not only about to speak."""
    if words is None:
        return speech_ms >= FAILED_MS
    text = words.text.strip()
    if not text or (speech_ms < NOISE_MS and is_made_of_noise(text)):
        return False
    if asked and unheard_ms <= ANTICIPATED_MS:
        return True
    return _interrupts(text, words.confidence, speech_ms if over_agent else SHORT_MS)


def _interrupts(text: str, confidence: float, speech_ms: float) -> bool:
    """A hum is heard as "Alora." or "Tamil Tamil": of something short, words are believed that
    stop people, or several words of which the recogniser is confident."""
    if is_backchannel(text):
        return False
    if speech_ms >= SHORT_MS or is_interruption(text):
        return True
    words = _WORD.findall(text.lower())
    return confidence >= CONFIDENT and len(words) >= 2 and len(set(words)) == len(words)


def is_made_of_noise(text: str) -> bool:
    """Words that Whisper is known to hear in noise."""
    return text.strip(" .!").lower() in _HEARD_IN_NOISE


_HEARD_IN_NOISE = frozenset(
    ("you", "thank you", "thanks for watching", "thank you for watching", "bye", "the", "so", "i", "oh")
)
