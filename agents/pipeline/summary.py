"""What came of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agents.pipeline.recorder import Recorder
from voiceops.core.events import TurnRecord
from voiceops.core.plan import CallPlan
from voiceops.core.ports import Capabilities

NO_QUESTION = frozenset({"greeting", "thanks", "goodbye", "site_visit_booking"})
"""What a caller may say without waiting for a fact; a visit that was not booked was abandoned."""


@dataclass(frozen=True, slots=True)
class CallSummary:
    session_id: str
    outcome: str
    """booked | handover | answered | no_answer_found | abandoned | failed"""
    ended_reason: str
    """hangup, goodbye, caller_silent, transport_closed, failed, …"""
    language: str
    is_degraded: bool
    dropped_frames: int
    turns: int
    """Turns in which the caller was heard."""
    duration_ms: float


def outcome_of(turns: Sequence[TurnRecord], kept: Sequence[str], *, answered: bool, failed: bool) -> str:
    """The one word for a call: the best that happened in it."""
    if "site_visit_booked" in kept:
        return "booked"
    if "handover_requested" in kept:
        return "handover"
    if failed:
        return "failed"
    if answered:
        return "answered"
    asked = [turn for turn in turns if turn.heard and turn.intent not in NO_QUESTION]
    return "no_answer_found" if asked else "abandoned"


def started_payload(plan: CallPlan, engines: Mapping[str, Capabilities], at: datetime) -> dict[str, Any]:
    """The trace's `call.started`; direction and is_demo come from `plan.extra`."""
    return {
        "session_id": plan.session_id,
        "agent_slug": plan.agent.slug,
        "channel": plan.channel,
        "direction": str(plan.extra.get("direction", "inbound")),
        "pii_caller": plan.pii_caller or "",
        "customer_id": plan.customer.customer_id if plan.customer else None,
        "customer_name": plan.customer.pii_name if plan.customer else "",
        "language": (plan.customer.language if plan.customer else "") or plan.agent.default_language,
        "started_at": at.isoformat(),
        "engines": {stage: capabilities.engine for stage, capabilities in engines.items()},
        "is_demo": bool(plan.extra.get("is_demo", False)),
    }


def ended_payload(
    plan: CallPlan, summary: CallSummary, recorder: Recorder | None, at: datetime, dropped_traces: int
) -> dict[str, Any]:
    """The trace's `call.ended`."""
    return {
        "session_id": plan.session_id,
        "ended_at": at.isoformat(),
        "language": summary.language,
        "outcome": summary.outcome,
        "ended_reason": summary.ended_reason,
        "is_degraded": summary.is_degraded,
        "dropped_frames": summary.dropped_frames,
        "dropped_traces": dropped_traces,
        "recording": recorder.path if recorder else "",
        "recording_consent": recorder is not None,
        "recording_ms": round(recorder.duration_ms) if recorder else 0,
        "retain_until": (at + timedelta(days=plan.agent.retention_days)).date().isoformat(),
    }
