"""Storing what a call told of itself. Payloads come through a lossy queue, so each may arrive
twice, late, or before the one that should precede it; the stored call is the same."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from agents.models import Agent, Conversation, Turn
from agents.services.alarms import raise_language_alarm
from agents.services.recordings import delete_file
from voiceops.core.errors import VoiceOpsError

log = logging.getLogger(__name__)

CRM_STATES = ("none", "queued", "success", "failed")
_SETTLED = ("success", "failed")


class TraceRejected(VoiceOpsError):
    """A payload that no retry can make storable."""


def record(kind: str, payload: Mapping[str, Any]) -> None:
    """Store one trace payload: `call.started`, `turn` or `call.ended`. Safe to repeat.

    Raises: TraceRejected naming what is wrong with the payload.
    """
    writer = _WRITERS.get(kind)
    if writer is None:
        raise TraceRejected(f"trace kind {kind!r} is not one of {', '.join(_WRITERS)}")
    values = _storable(payload)
    session_id = values.get("session_id")
    if not isinstance(session_id, str) or not 0 < len(session_id) <= 64:
        raise TraceRejected(f"a {kind} trace needs a session_id of 1 to 64 characters")
    try:
        with transaction.atomic():
            _lock(session_id)
            writer(session_id, values)
    except (KeyError, TypeError, AttributeError) as error:
        raise TraceRejected(f"a {kind} trace is malformed: {error!r}") from error
    except ValueError as error:
        raise TraceRejected(f"a {kind} trace is malformed: {error}") from error


def set_crm_sync(session_id: str, turn_index: int, state: str) -> None:
    """The CRM's side of a turn changed. Call it in or after the transaction that changed it; a
    turn that is not stored yet reads the state through `AGENTS_CRM_STATE` when it is."""
    if state not in CRM_STATES:
        raise ValueError(f"crm_sync {state!r} is not one of {', '.join(CRM_STATES)}")
    with transaction.atomic():
        _lock(session_id)
        Turn.objects.filter(conversation__session_id=session_id, index=turn_index).update(crm_sync=state)


def _lock(session_id: str) -> None:
    """Writers of one call take turns until their transactions end, before its row exists too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"call:{session_id}"])


def _started(session_id: str, values: dict[str, Any]) -> None:
    known: dict[str, Any] = {
        "agent": Agent.objects.filter(slug=values.get("agent_slug", "")).first(),
        "channel": values.get("channel", ""),
        "direction": values.get("direction") or "inbound",
        "pii_caller": values.get("pii_caller") or "",
        "customer_id": values.get("customer_id"),
        "customer_name": values.get("customer_name") or "",
        "started_at": _moment(values["started_at"]),
        "engines": values.get("engines") or {},
        "is_demo": bool(values.get("is_demo")),
    }
    call, _ = Conversation.objects.get_or_create(session_id=session_id, defaults=_fit(Conversation, known))
    known["is_demo"] = known["is_demo"] or call.is_demo
    if not call.language:
        known["language"] = values.get("language") or ""
    _update(call, known)


def _ended(session_id: str, values: dict[str, Any]) -> None:
    ended_at = _moment(values["ended_at"])
    call, _ = Conversation.objects.get_or_create(
        session_id=session_id, defaults={"started_at": ended_at, "channel": ""}
    )
    consent = bool(values.get("recording_consent"))
    recording = values.get("recording") or ""
    if recording and not consent:
        delete_file(recording)
        recording = ""
    retain_until = values.get("retain_until")
    _update(
        call,
        {
            "ended_at": ended_at,
            "language": values.get("language") or call.language,
            "outcome": values.get("outcome") or "",
            "ended_reason": values.get("ended_reason") or "",
            "is_degraded": call.is_degraded or bool(values.get("is_degraded")),
            "dropped_frames": int(values.get("dropped_frames") or 0),
            "dropped_traces": int(values.get("dropped_traces") or 0),
            "recording": recording,
            "recording_consent": consent,
            "recording_ms": int(values.get("recording_ms") or 0) if recording else 0,
            "retain_until": date.fromisoformat(retain_until[:10]) if retain_until else None,
        },
    )


def _turn(session_id: str, values: dict[str, Any]) -> None:
    said = values["turn"]
    at = _moment(values["at"]) if values.get("at") else timezone.now()
    call, _ = Conversation.objects.get_or_create(
        session_id=session_id,
        # Until its `call.started` arrives: the moment of answering is known from the turn's clock.
        defaults={"started_at": at - timedelta(milliseconds=said.get("ended_ms") or 0), "channel": ""},
    )
    index = int(said["index"])
    fact_ids = tuple(said.get("fact_ids") or ())
    stored = Turn.objects.filter(conversation=call, index=index).values_list("crm_sync", flat=True).first()
    turn, _ = Turn.objects.update_or_create(
        conversation=call,
        index=index,
        defaults=_fit(
            Turn,
            {
                **{f"{stage}_ms": said.get(f"{stage}_ms") for stage in _MEASURED},
                **{name: said.get(name) or "" for name in _WORDS},
                "crm_sync": _crm_state(said.get("crm_sync") or "none", stored, fact_ids),
                "started_ms": said.get("started_ms") or 0.0,
                "ended_ms": said.get("ended_ms") or 0.0,
                "filler_ms": said.get("filler_ms") or 0.0,
                "is_interrupted": bool(said.get("interrupted")),
                "citations": said.get("citations") or [],
                "fact_ids": list(fact_ids),
                "partials": said.get("partials") or [],
                "context": said.get("context") or {},
                **{name: _mapping(said.get(name)) for name in ("endpoint", "language_reading", "memory")},
            },
        ),
    )
    _replace(turn.spans, said.get("spans"), _SPAN)
    _replace(turn.budget, said.get("budget"), _BUDGET)
    _replace(turn.speculations, said.get("speculations"), _SPECULATION)
    _replace(turn.retrievals, said.get("retrievals"), _RETRIEVAL)
    _replace(turn.tools, said.get("tools"), _TOOL)
    _replace(turn.decisions, said.get("decisions"), _DECISION, conversation=call)
    raise_language_alarm(turn=turn, reading=said.get("language_reading"), spans=said.get("spans"))
    if any(decision.get("kind") == "degrade" for decision in said.get("decisions") or ()):
        _update(call, {"is_degraded": True})


_WRITERS = {"call.started": _started, "turn": _turn, "call.ended": _ended}
_MEASURED = ("latency", "stt", "retrieval", "llm", "tts")
_WORDS = (
    "language", "intent", "heard", "heard_normalised", "said", "planned", "answer_source", "filler",
)  # fmt: skip
_SPAN: dict[str, Any] = {"name": "", "start_ms": 0.0, "duration_ms": 0.0, "budget_ms": None, "attributes": {}}
_BUDGET: dict[str, Any] = {"stage": "", "budget_ms": 0.0, "actual_ms": None, "degraded": ""}
_SPECULATION: dict[str, Any] = {
    "kind": "", "basis": "", "started_ms": 0.0, "outcome": "", "compute_ms": 0.0, "tokens": 0,
    "saved_ms": 0.0, "reason": "",
}  # fmt: skip
_RETRIEVAL: dict[str, Any] = {
    "query": "", "source": "", "outcome": "", "latency_ms": 0.0, "chunk": "", "version": "",
    "score": None, "age_s": None, "text": "",
}  # fmt: skip
_TOOL: dict[str, Any] = {
    "name": "", "arguments": {}, "outcome": "", "latency_ms": 0.0, "result": {}, "fact_id": ""
}  # fmt: skip
_DECISION: dict[str, Any] = {"kind": "", "code": "", "reason": "", "at_ms": 0.0}


def _mapping(told: Any) -> dict[str, Any]:
    """Empty for what a turn did not tell: payloads of every version are stored."""
    return dict(told) if isinstance(told, Mapping) else {}


def _crm_state(told: str, stored: str | None, fact_ids: Sequence[str]) -> str:
    """The newest known state: what the CRM side says now, else a settled one that is stored,
    else what the turn said of itself."""
    if told not in CRM_STATES:
        raise ValueError(f"crm_sync {told!r} is not one of {', '.join(CRM_STATES)}")
    if fact_ids and (path := getattr(settings, "AGENTS_CRM_STATE", "")):
        now = import_string(path)(tuple(fact_ids))
        if now in CRM_STATES and now != "none":
            return str(now)
    if stored in _SETTLED:
        return str(stored)
    return told


def _replace(
    rows: Any, told: Sequence[Mapping[str, Any]] | None, defaults: Mapping[str, Any], **owner: Any
) -> None:
    """The child rows of a turn, as this payload tells them."""
    rows.all().delete()
    model: type[models.Model] = rows.model
    rows.bulk_create(
        [
            model(
                **{rows.field.name: rows.instance},
                **owner,
                **_fit(
                    model,
                    {
                        name: default if (given := row.get(name)) is None else given
                        for name, default in defaults.items()
                    },
                ),
            )
            for row in told or ()
        ]
    )


def _update(call: Conversation, values: Mapping[str, Any]) -> None:
    for name, value in _fit(Conversation, values).items():
        setattr(call, name, value)
    call.save(update_fields=list(values))


def _fit(model: type[models.Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values no longer than their columns: one long word must not lose a whole turn."""
    fitted = dict(values)
    for field in model._meta.concrete_fields:
        value = fitted.get(field.name)
        limit = getattr(field, "max_length", None)
        if limit and isinstance(value, str) and len(value) > limit:
            fitted[field.name] = value[: limit - 1] + "…"
    return fitted


def _storable(value: Any) -> Any:
    """Without what PostgreSQL cannot hold: NUL, lone surrogates, numbers that are not finite."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(item) for item in value]
    return value


def _moment(text: Any) -> datetime:
    moment = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
