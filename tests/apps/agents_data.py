"""Agents and trace payloads for tests, shaped as the media process sends them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from agents.models import Agent

LINES = {
    "greeting": "Hello, this is the property desk.", "filler": "One moment.",
    "recovery": "Sorry, let me say that again.", "no_knowledge": "I do not have that with me.",
    "apology": "I am sorry.", "handover": "A colleague will call you back.",
    "still_there": "Are you still there?", "goodbye": "Goodbye.", "not_understood": "Pardon?",
    "stt_down": "I cannot hear you well.",
}  # fmt: skip
_NOW = timezone.now().replace(microsecond=0)


def make_agent(slug: str = "property-desk", **fields: Any) -> Agent:
    return Agent.objects.create(
        slug=slug,
        **{
            "name": slug.replace("-", " ").title(),
            "persona": "You are a property advisor.",
            "languages": ["en"],
            "default_language": "en",
            "voices": {"en": [{"provider": "hibari"}, {"provider": "espeak", "voice": "en-us"}]},
            "lines": {"en": LINES},
            **fields,
        },
    )


def started(session_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "session_id": session_id, "agent_slug": "property-desk", "channel": "twilio",
        "direction": "inbound", "pii_caller": "+919800000001", "customer_id": 7,
        "customer_name": "Asha Rao", "language": "en", "started_at": _NOW.isoformat(),
        "engines": {"stt": "faster-whisper base", "llm": "simulated"}, "is_demo": False, **fields,
    }  # fmt: skip


def ended(session_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "session_id": session_id, "ended_at": (_NOW + timedelta(seconds=42)).isoformat(),
        "language": "en", "outcome": "answered", "ended_reason": "hangup", "is_degraded": False,
        "dropped_frames": 0, "dropped_traces": 0, "recording": "", "recording_consent": True,
        "recording_ms": 42_000, "retain_until": "2099-01-01", **fields,
    }  # fmt: skip


def turn(session_id: str, index: int, **fields: Any) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "at": _NOW.isoformat(),
        "turn": {
            "index": index, "latency_ms": 812.0, "stt_ms": 120.0, "retrieval_ms": 12.0, "llm_ms": 300.0,
            "tts_ms": 90.0, "language": "en", "intent": "price_enquiry", "crm_sync": "none",
            "heard": "What is the price of a 3BHK in Whitefield?", "said": "It is ₹1.2 crore.",
            "planned": "It is ₹1.2 crore.", "answer_source": "template", "started_ms": 1000.0,
            "ended_ms": 4000.0, "filler": "", "filler_ms": 0.0, "interrupted": False,
            "citations": [{"source": "listings", "chunk": "listing:lakeview-3bhk", "version": "1",
                           "title": "Lakeview 3BHK", "text": "3BHK at ₹1.2 crore"}],
            "fact_ids": [],
            "spans": [
                {"name": "stt", "start_ms": 1000.0, "duration_ms": 120.0, "budget_ms": 150.0,
                 "attributes": {"engine": "faster_whisper"}},
                {"name": "llm", "start_ms": 1200.0, "duration_ms": 600.0, "budget_ms": 400.0,
                 "attributes": {}},
            ],
            "partials": [{"at_ms": 900.0, "text": "What is the", "kind": "partial"}],
            "retrievals": [{"query": "price 3bhk", "source": "listings", "outcome": "ok",
                            "latency_ms": 12.0, "chunk": "listing:lakeview-3bhk", "version": "1",
                            "score": 0.98, "age_s": 3.0, "text": "3BHK at ₹1.2 crore"}],
            "tools": [{"name": "free_slots", "arguments": {"slot": 4}, "outcome": "ok",
                       "latency_ms": 8.0, "result": {"count": 2}, "fact_id": None}],
            "decisions": [{"kind": "grounding", "code": "answer_rebuilt",
                           "reason": "The model named a price that no record holds.", "at_ms": 1800.0}],
            "context": {"messages": [{"role": "system", "content": "You are"}], "prompt_tokens": 321,
                        "completion_tokens": 20},
            **fields,
        },
    }  # fmt: skip


def crm_says_success(fact_ids: Sequence[str]) -> str:
    return "success"
