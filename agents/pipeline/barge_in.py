"""Whether the caller is talking over the agent, and whether it is meant."""

from __future__ import annotations

from agents.providers.turn.completeness import is_backchannel
from voiceops.core.events import Transcript

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
ANTICIPATED_MS = 1200.0
"""So near the end of a question an "okay" answers it."""
SURE_MS = 1500.0
"""Voiced time that takes the floor though no words are known yet."""


def threshold(*, agent_audible: bool) -> float:
    """Speech probability from which a window may be the caller's."""
    return THRESHOLD_SPEAKING if agent_audible else THRESHOLD_LISTENING


def is_voice(probability: float, rms: float, *, agent_audible: bool) -> bool:
    """Whether one window counts as speech, of the caller or of an echo."""
    return probability >= threshold(agent_audible=agent_audible) and (
        not agent_audible or rms >= FLOOR_RMS
    )


def is_meant(text: str, speech_ms: float) -> bool:
    """Whether speech over the agent, still going on, is meant to take the floor: by its words when
    some are known, by its length when none are."""
    if text.strip():
        return speech_ms >= MEANT_MS and not is_backchannel(text)
    return speech_ms >= SURE_MS


def was_meant(words: Transcript | None, speech_ms: float, *, asked: bool, unheard_ms: float) -> bool:
    """Whether speech over the agent, now over, took the floor. `asked`: the agent's words end in a
    question, of which `unheard_ms` of audio are left; `words` is None when the recogniser failed."""
    if words is None:
        return speech_ms >= FAILED_MS
    text = words.text.strip()
    if not text or (speech_ms < NOISE_MS and is_made_of_noise(text)):
        return False
    return not is_backchannel(text) or (asked and unheard_ms <= ANTICIPATED_MS)


def is_made_of_noise(text: str) -> bool:
    """Words that Whisper is known to hear in noise."""
    return text.strip(" .!").lower() in _HEARD_IN_NOISE


_HEARD_IN_NOISE = frozenset(
    ("you", "thank you", "thanks for watching", "thank you for watching", "bye", "the", "so", "i", "oh")
)
