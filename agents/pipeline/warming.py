"""What can be ready before a call comes: the prompt's prefix, and the audio of every fixed line."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from agents.pipeline.lines import DEFAULT_LINES, say
from agents.pipeline.mouth import LineCache, Mouth
from agents.pipeline.playout import Playout
from agents.pipeline.prompt import prefix
from voiceops.core.clock import Clock
from voiceops.core.plan import AgentProfile
from voiceops.core.ports import LanguageModel, TextToSpeech

_log = logging.getLogger(__name__)

SOONEST = ("greeting", "filler", "filler_2", "filler_3", "hello", "unclear", "not_understood", "ask_property")
"""Warmed before the others: what a call may need in its first seconds."""


class _Nobody:
    """An outbound without a caller."""

    sample_rate_hz = 8000

    async def audio(self, pcm: bytes) -> None: ...

    async def mark(self, name: str) -> None: ...

    async def clear(self) -> None: ...

    async def hangup(self, reason: str) -> None: ...


def fixed_lines(profile: AgentProfile, language: str) -> list[str]:
    """Every line of an agent in a language that is always the same words, the most urgent first."""
    known = {*DEFAULT_LINES.get(language, {}), *DEFAULT_LINES["en"], *profile.lines.get(language, {})}
    codes = [*SOONEST, *sorted(known - set(SOONEST) - {"and", "or"})]
    texts = (say(profile, code, language) for code in codes)
    return list(dict.fromkeys(text for text in texts if text and "{" not in text))


async def warm_agent(
    profile: AgentProfile,
    *,
    llm: LanguageModel,
    voices: Mapping[str, TextToSpeech],
    clock: Clock,
    lines: LineCache | None = None,
) -> None:
    """Make the process's caches know this agent; what fails is made when it is needed."""
    try:
        await llm.warm_prefix(prefix(profile))
    except Exception as error:
        _log.info("prefix_not_warmed", extra={"agent": profile.slug, "error": repr(error)})
    mouth = Mouth(
        profile=profile, voices=voices, playout=Playout(_Nobody(), clock, call_ms=clock.now_ms),
        clock=clock, failed=lambda *failure: None, lines=lines,
    )  # fmt: skip
    for language in profile.languages:
        await mouth.warm([(text, language) for text in fixed_lines(profile, language)])
