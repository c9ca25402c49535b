"""The frozen plan of one call, loaded once before answering. No ORM after that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from voiceops.core.budget import TurnBudget

LANGUAGE_NAMES = {"en": "English", "hi": "Hindi"}
"""The names telemetry and pages show for a language tag."""


@dataclass(frozen=True, slots=True)
class VoiceSpec:
    provider: str
    """TTS registry name."""
    voice: str = ""
    """The provider's own voice id; empty for its default."""


@dataclass(frozen=True, slots=True)
class AgentProfile:
    slug: str
    name: str
    persona: str
    """System prompt: fixed first, so that its prefix stays cached."""
    languages: tuple[str, ...]
    default_language: str
    voices: Mapping[str, tuple[VoiceSpec, ...]]
    """Per language, in order of preference; the later ones are fallbacks."""
    lines: Mapping[str, Mapping[str, str]]
    """Per language, fixed lines by code: greeting, filler, recovery, no_knowledge, apology,
    handover, still_there, goodbye, not_understood, stt_down."""
    budget: TurnBudget = field(default_factory=TurnBudget)
    turn_model: str = "adaptive"
    """Registry name of the turn model that ends the caller's turns."""
    speculation: bool = True
    """Whether answers are planned while the caller still speaks."""
    record_calls: bool = True
    retention_days: int = 90

    def line(self, code: str, language: str) -> str:
        """The fixed line `code` in `language`, else in the default language; never empty
        for the codes above (the admin refuses a profile without them)."""
        lines = self.lines.get(language) or {}
        return lines.get(code) or self.lines.get(self.default_language, {}).get(code, "")


@dataclass(frozen=True, slots=True)
class IntentSpec:
    slug: str
    kind: str
    """answer (retrieve and say) | flow (site visit booking) | social (fixed line) | handover"""
    sources: tuple[str, ...] = ()
    """Knowledge source names to ask, in order of importance."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Per language: sentence with `{placeholders}` of the retrieved record's values."""
    line: str = ""
    """Fixed line code, for `social` and `handover`."""
    examples: tuple[tuple[str, str, Sequence[float]], ...] = ()
    """(text, language, embedding of 384 floats, unit length)."""


@dataclass(frozen=True, slots=True)
class CustomerContext:
    customer_id: int
    pii_name: str
    pii_phone: str
    language: str
    summary: tuple[str, ...] = ()
    """Short lines of history, newest first."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    session_id: str
    agent: AgentProfile
    intents: tuple[IntentSpec, ...]
    customer: CustomerContext | None = None
    pii_caller: str | None = None
    """E.164 when known."""
    hints: tuple[str, ...] = ()
    """Vocabulary for the recogniser: project names, places."""
    timezone: str = "Asia/Kolkata"
    channel: str = "browser"
    """Transport registry name."""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallOffer:
    """A call that a transport wants answered, before any plan was loaded."""

    session_id: str
    channel: str
    """Transport registry name: twilio, browser, …"""
    agent_slug: str
    """Empty: the default active agent."""
    sample_rate_hz: int
    """Of the PCM that the transport exchanges."""
    pii_caller: str | None = None
    called: str | None = None
    carrier_ref: str | None = None
    direction: str = "inbound"
    user_id: int | None = None
    """Of the logged-in person, for a browser call."""
    is_demo: bool = False
    speculation: bool | None = None
    """Overrides the agent's own setting for this call, to compare; None: as the agent has it.
    Only who may issue stream tokens can set it."""
