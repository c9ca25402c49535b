"""Raising alarms of turns, and what an operator makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.models import Alarm, Turn
from voiceops.core.errors import VoiceOpsError
from voiceops.core.plan import LANGUAGE_NAMES

LANGUAGE_ALARM = "language"


class AlarmRefused(VoiceOpsError):
    """A decision that cannot be taken; the message says why."""


def raise_language_alarm(
    *, turn: Turn, reading: Mapping[str, Any] | None, spans: Sequence[Mapping[str, Any]] | None
) -> Alarm | None:
    """The alarm of a turn whose language reading bears a suspicion; None without one. Called
    again for the same turn it changes nothing that an operator has decided."""
    suspicion = str((reading or {}).get("suspicion") or "")
    if not suspicion:
        return None
    start_ms, end_ms = _caller_stretch(spans or ())
    alarm, _ = Alarm.objects.get_or_create(
        turn=turn,
        kind=LANGUAGE_ALARM,
        defaults={
            "reason": suspicion,
            "language": turn.language,
            "start_ms": start_ms,
            "end_ms": end_ms,
        },
    )
    return alarm


def _caller_stretch(spans: Sequence[Mapping[str, Any]]) -> tuple[float | None, float | None]:
    """From the caller's first word to the last, in milliseconds since the call was answered."""
    told = [span.get("attributes") or {} for span in spans if span.get("name") == "stt"]
    starts = [float(item["speech_started_ms"]) for item in told if item.get("speech_started_ms") is not None]
    ends = [float(item["speech_ended_ms"]) for item in told if item.get("speech_ended_ms") is not None]
    if not starts or not ends:
        return None, None
    return min(starts), max(ends)


def acknowledge_alarm(*, alarm_id: int, by: str) -> Alarm:
    """Somebody has taken the alarm. Raises AlarmRefused."""
    with transaction.atomic():
        alarm = _locked(alarm_id)
        if alarm.state == "resolved":
            raise AlarmRefused("This alarm is decided already: reopen it to change the decision.")
        return _save(alarm, state="acknowledged", by=by)


def resolve_alarm(*, alarm_id: int, by: str, language: str) -> Alarm:
    """Which language was really spoken: the call's own (the alarm was false) or another one.

    Raises: AlarmRefused when the language is unknown or the alarm is gone.
    """
    if language not in LANGUAGE_NAMES:
        known = ", ".join(f"{tag} ({name})" for tag, name in LANGUAGE_NAMES.items())
        raise AlarmRefused(f"There is no language {language!r}. Use one of {known}.")
    with transaction.atomic():
        return _save(_locked(alarm_id), state="resolved", by=by, verdict=language)


def reopen_alarm(*, alarm_id: int, by: str) -> Alarm:
    """Take a decision back. Raises AlarmRefused."""
    with transaction.atomic():
        return _save(_locked(alarm_id), state="open", by=by, verdict="")


def _locked(alarm_id: int) -> Alarm:
    alarm = Alarm.objects.select_for_update().filter(pk=alarm_id).first()
    if alarm is None:
        raise AlarmRefused("This alarm is gone: its call was deleted.")
    return alarm


def _save(alarm: Alarm, *, state: str, by: str, verdict: str = "") -> Alarm:
    alarm.state, alarm.verdict = state, verdict
    alarm.handled_by, alarm.handled_at = by[:150], timezone.now()
    alarm.save(update_fields=["state", "verdict", "handled_by", "handled_at"])
    return alarm
