"""Rows of calls as the frozen values of `agents.records`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone

from agents.models import Conversation, DecisionLog, Turn
from agents.records import (
    BudgetDetail,
    CallDetail,
    CallSummary,
    DecisionDetail,
    Recording,
    RetrievalDetail,
    SpanDetail,
    ToolDetail,
    TurnDetail,
)
from voiceops.core.events import Endpoint, LanguageReading, LanguageSign, Speculation
from voiceops.core.plan import LANGUAGE_NAMES

T = TypeVar("T", Endpoint, LanguageReading, LanguageSign)
_SYNC_BY_ATTENTION = ("failed", "queued", "success", "none")

_OF_A_TURN = ("spans", "budget", "speculations", "retrievals", "tools", "decisions")

_WHY_NO_RECORDING = {
    "none": "This call was not recorded.",
    "no_consent": "The caller did not consent to a recording; none was kept.",
    "expired": "The recording was deleted when its retention time had passed.",
    "missing": "The recording's file is missing on this machine.",
}


def language_name(tag: str) -> str:
    """English for `en`; a tag that has no name stands for itself."""
    return LANGUAGE_NAMES.get(tag, tag)


def recordings_dir() -> Path:
    return Path(str(settings.VOICEOPS["RECORDINGS_DIR"]))


def recording_of(call: Conversation) -> Recording:
    """Whether the recording of `call` may be played now."""
    if call.recording and not call.recording_consent:
        reason = "no_consent"
    elif call.retain_until is not None and call.retain_until < timezone.localdate():
        reason = "expired" if call.recording or call.recording_ms else "none"
    elif not call.recording:
        reason = "none"
    elif not _is_file_inside(recordings_dir(), call.recording):
        reason = "missing"
    else:
        reason = ""
    return Recording(
        is_available=not reason,
        consent=call.recording_consent,
        duration_ms=call.recording_ms,
        retain_until=call.retain_until,
        reason=reason,
        message=_WHY_NO_RECORDING.get(reason, ""),
    )


def _is_file_inside(folder: Path, relative: str) -> bool:
    path = (folder / relative).resolve()
    return path.is_relative_to(folder.resolve()) and path.is_file()


def summaries(calls: Iterable[Conversation]) -> tuple[CallSummary, ...]:
    """One query for the turns of all of them."""
    listed = list(calls)
    turns: dict[int, list[Turn]] = {}
    rows = Turn.objects.filter(conversation__in=listed).order_by("index")
    for turn in rows.only("conversation_id", "index", "intent", "latency_ms", "crm_sync", "heard"):
        turns.setdefault(turn.conversation_id, []).append(turn)
    return tuple(summary(call, turns.get(call.pk, [])) for call in listed)


def summary(call: Conversation, turns: list[Turn]) -> CallSummary:
    latencies = [turn.latency_ms for turn in turns if turn.latency_ms is not None]
    states = {turn.crm_sync for turn in turns}
    return CallSummary(
        session_id=call.session_id,
        agent_slug=call.agent.slug if call.agent else "",
        agent_name=call.agent.name if call.agent else "",
        channel=call.channel,
        direction=call.direction,
        pii_caller=call.pii_caller,
        customer_id=call.customer_id,
        customer_name=call.customer_name,
        language=language_name(call.language),
        language_tag=call.language,
        started_at=call.started_at,
        ended_at=call.ended_at,
        duration_s=(call.ended_at - call.started_at).total_seconds() if call.ended_at else None,
        outcome=call.outcome,
        ended_reason=call.ended_reason,
        is_degraded=call.is_degraded,
        is_demo=call.is_demo,
        turn_count=len(turns),
        intents=tuple(dict.fromkeys(turn.intent for turn in turns if turn.intent)),
        latency_median_ms=median(latencies) if latencies else None,
        latency_max_ms=max(latencies, default=None),
        crm_sync=next((state for state in _SYNC_BY_ATTENTION if state in states), "none"),
        first_heard=next((turn.heard for turn in turns if turn.heard), ""),
        has_recording=recording_of(call).is_available,
    )


def call_detail(call: Conversation) -> CallDetail:
    rows = list(call.turns.order_by("index").prefetch_related(*_OF_A_TURN))
    indexes = {turn.pk: turn.index for turn in rows}
    return CallDetail(
        summary=summary(call, rows),
        turns=tuple(turn_detail(call.session_id, turn) for turn in rows),
        decisions=tuple(
            decision_detail(row, indexes.get(row.turn_id) if row.turn_id else None)
            for row in call.decisions.all()
        ),
        engines=call.engines,
        recording=recording_of(call),
        dropped_frames=call.dropped_frames,
        dropped_traces=call.dropped_traces,
    )


def decision_detail(row: DecisionLog, turn: int | None) -> DecisionDetail:
    return DecisionDetail(kind=row.kind, code=row.code, reason=row.reason, at_ms=row.at_ms, turn=turn)


def turn_detail(session_id: str, turn: Turn) -> TurnDetail:
    return TurnDetail(
        session_id=session_id,
        index=turn.index,
        latency_ms=turn.latency_ms,
        stt_ms=turn.stt_ms,
        retrieval_ms=turn.retrieval_ms,
        llm_ms=turn.llm_ms,
        tts_ms=turn.tts_ms,
        language=language_name(turn.language),
        language_tag=turn.language,
        intent=turn.intent,
        crm_sync=turn.crm_sync,
        heard=turn.heard,
        said=turn.said,
        planned=turn.planned,
        answer_source=turn.answer_source,
        started_ms=turn.started_ms,
        ended_ms=turn.ended_ms,
        filler=turn.filler,
        filler_ms=turn.filler_ms,
        interrupted=turn.is_interrupted,
        citations=tuple(turn.citations),
        fact_ids=tuple(turn.fact_ids),
        partials=tuple(turn.partials),
        spans=tuple(
            SpanDetail(row.name, row.start_ms, row.duration_ms, row.budget_ms, row.attributes)
            for row in turn.spans.all()
        ),
        retrievals=tuple(
            RetrievalDetail(
                query=row.query,
                source=row.source,
                outcome=row.outcome,
                latency_ms=row.latency_ms,
                chunk=row.chunk,
                version=row.version,
                score=row.score,
                age_s=row.age_s,
                text=row.text,
            )
            for row in turn.retrievals.all()
        ),
        tools=tuple(
            ToolDetail(
                name=row.name,
                arguments=row.arguments,
                outcome=row.outcome,
                latency_ms=row.latency_ms,
                result=row.result,
                fact_id=row.fact_id,
            )
            for row in turn.tools.all()
        ),
        decisions=tuple(decision_detail(row, turn.index) for row in turn.decisions.all()),
        context=turn.context,
        heard_normalised=turn.heard_normalised,
        endpoint=_stored(
            Endpoint, turn.endpoint, silence_ms=0.0, wait_ms=0.0, completeness=0.0, reason="", model=""
        ),
        language_reading=_language_reading(turn.language_reading),
        speculations=tuple(
            Speculation(
                kind=row.kind,  # type: ignore[arg-type]
                basis=row.basis,
                started_ms=row.started_ms,
                outcome=row.outcome,  # type: ignore[arg-type]
                compute_ms=row.compute_ms,
                tokens=row.tokens,
                saved_ms=row.saved_ms,
                reason=row.reason,
            )
            for row in turn.speculations.all()
        ),
        budget=tuple(
            BudgetDetail(row.stage, row.budget_ms, row.actual_ms, row.degraded) for row in turn.budget.all()
        ),
        memory=turn.memory,
    )


def _stored(kind: type[T], told: Mapping[str, Any], **defaults: Any) -> T | None:
    """A frozen value as it was stored; keys that another version told more or less of are minded."""
    if not told:
        return None
    known = {field.name for field in fields(kind)}
    return kind(**{**defaults, **{name: value for name, value in told.items() if name in known}})


def _language_reading(told: Mapping[str, Any]) -> LanguageReading | None:
    signs = told.get("signs")
    found = tuple(
        sign
        for entry in (signs if isinstance(signs, list) else ())
        if isinstance(entry, Mapping)
        and (sign := _stored(LanguageSign, entry, source="words", language="", strength=0.0))
    )
    return _stored(LanguageReading, {**told, "signs": found} if told else {}, before="", after="", doubt=0.0)
