"""Reads of alarms: what a person should judge about a turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from agents.details import language_name, recording_of
from agents.models import Alarm
from agents.records import Recording

ALARM_STATES = ("open", "acknowledged", "resolved")
MARGIN_MS = 300.0
"""Heard before and after the caller's words, so that neither is clipped."""


@dataclass(frozen=True, slots=True)
class AlarmDetail:
    """One alarm with what is needed to judge it."""

    id: int
    kind: str
    reason: str
    state: str
    """open | acknowledged | resolved"""
    session_id: str
    turn: int
    agent_name: str
    customer_name: str
    pii_caller: str
    raised_at: datetime
    language: str
    """Name of the language the call was taken to be in."""
    language_tag: str
    verdict: str
    """Name of the language that was really spoken; empty while nobody has decided."""
    verdict_tag: str
    handled_by: str
    handled_at: datetime | None
    heard: str
    signs: tuple[Mapping[str, Any], ...]
    """Each: source, language, strength, detail."""
    start_ms: float | None
    """Of the caller's words in the recording, with a margin; None when they were typed."""
    end_ms: float | None
    recording: Recording

    @property
    def has_audio(self) -> bool:
        return self.start_ms is not None and self.recording.is_available

    @property
    def was_right(self) -> bool | None:
        """Whether the call's language was right; None while nobody has decided."""
        return self.verdict_tag == self.language_tag if self.verdict_tag else None


@dataclass(frozen=True, slots=True)
class AlarmPage:
    items: tuple[AlarmDetail, ...]
    total: int


def _detail(alarm: Alarm) -> AlarmDetail:
    turn, call = alarm.turn, alarm.turn.conversation
    return AlarmDetail(
        id=alarm.pk,
        kind=alarm.kind,
        reason=alarm.reason,
        state=alarm.state,
        session_id=call.session_id,
        turn=turn.index,
        agent_name=call.agent.name if call.agent else "",
        customer_name=call.customer_name,
        pii_caller=call.pii_caller,
        raised_at=alarm.raised_at,
        language=language_name(alarm.language),
        language_tag=alarm.language,
        verdict=language_name(alarm.verdict) if alarm.verdict else "",
        verdict_tag=alarm.verdict,
        handled_by=alarm.handled_by,
        handled_at=alarm.handled_at,
        heard=turn.heard,
        signs=tuple((turn.language_reading or {}).get("signs") or ()),
        start_ms=None if alarm.start_ms is None else max(0.0, alarm.start_ms - MARGIN_MS),
        end_ms=None if alarm.end_ms is None else alarm.end_ms + MARGIN_MS,
        recording=recording_of(call),
    )


def alarms(*, state: str = "", session_id: str = "", offset: int = 0, limit: int = 25) -> AlarmPage:
    """One page of alarms, newest first; empty `state` means all, `waiting` those not resolved."""
    found = Alarm.objects.all()
    if state == "waiting":
        found = found.exclude(state="resolved")
    elif state:
        found = found.filter(state=state)
    if session_id:
        found = found.filter(turn__conversation__session_id=session_id)
    page = found.select_related("turn__conversation__agent").order_by("-raised_at", "-pk")
    return AlarmPage(tuple(_detail(alarm) for alarm in page[offset : offset + limit]), found.count())


def alarm(alarm_id: int) -> AlarmDetail | None:
    found = Alarm.objects.select_related("turn__conversation__agent").filter(pk=alarm_id).first()
    return _detail(found) if found else None


def alarm_counts() -> dict[str, int]:
    """How many alarms are in each state."""
    counted = dict(Alarm.objects.order_by().values_list("state").annotate(Count("pk")))
    return {state: counted.get(state, 0) for state in ALARM_STATES}
