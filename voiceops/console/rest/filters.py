"""What a call list may be narrowed by, checked before anything is read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agents import api as agents

MAX_PAGE_SIZE = 100
_ALWAYS_ALLOWED = {"format"}


@extend_schema_field(OpenApiTypes.STR)
class DayOrMoment(serializers.Field[date | datetime, str, str, Any]):
    """An ISO 8601 date, or a date with a time; without an offset it is in the platform's zone."""

    default_error_messages = {
        "invalid": "Use a date (2026-03-01) or a date and time (2026-03-01T10:00:00+05:30)."
    }

    def to_internal_value(self, data: str) -> date | datetime:
        # An unescaped "+" of an offset arrives as a space.
        text = data.strip()
        if len(text) > 19 and text[-6] == " ":
            text = text[:-6] + "+" + text[-5:]
        try:
            found = parse_date(text) or parse_datetime(text)
        except ValueError:
            found = None
        if found is None:
            self.fail("invalid")
        if isinstance(found, datetime) and timezone.is_naive(found):
            try:
                return timezone.make_aware(found)
            except OverflowError:
                self.fail("invalid")
        return found

    def to_representation(self, value: date | datetime) -> str:
        return value.isoformat()


class CallQuery(serializers.Serializer[Any]):
    """The query string of a call list."""

    agent = serializers.CharField(required=False, help_text="Agent slug.")
    intent = serializers.CharField(required=False, help_text="Calls with a turn of this intent.")
    language = serializers.CharField(required=False, help_text="Tag or name: `en` or `English`.")
    outcome = serializers.CharField(required=False, help_text=f"One of {', '.join(agents.OUTCOMES)}.")
    min_latency_ms = serializers.FloatField(
        required=False, min_value=0, help_text="Calls with a turn at least this slow."
    )
    degraded = serializers.BooleanField(required=False, help_text="Whether a fallback stood in.")
    started_after = DayOrMoment(
        required=False, help_text="Date or date and time, inclusive: 2026-03-01 or 2026-03-01T10:00:00Z."
    )
    started_before = DayOrMoment(
        required=False, help_text="A date counts through its end; a date and time is exclusive."
    )
    search = serializers.CharField(
        required=False, max_length=200,
        help_text="Part of the session id, customer, caller's number, or of any words said.",
    )  # fmt: skip
    page = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000, default=1)
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE, default=25)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        unknown = set(self.initial_data) - set(self.fields) - _ALWAYS_ALLOWED
        if unknown:
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                dict.fromkeys(sorted(unknown), f"There is no such filter. Use one of {known}.")
            )
        errors = self._unknown_values(attrs)
        after, before = attrs.get("started_after"), attrs.get("started_before")
        if after and before and _day(after) > _day(before):
            errors["started_before"] = "Is earlier than started_after."
        if errors:
            raise serializers.ValidationError(errors)
        return attrs

    @staticmethod
    def _unknown_values(attrs: dict[str, Any]) -> dict[str, str]:
        choices = agents.filter_choices()
        known: dict[str, tuple[str, ...]] = {
            "agent": tuple(agent.slug for agent in choices.agents),
            "intent": choices.intents,
            "outcome": choices.outcomes,
        }
        errors = {
            name: f"There is no {name} {attrs[name]!r}. Use one of {', '.join(values) or 'none yet'}."
            for name, values in known.items()
            if name in attrs and attrs[name] not in values
        }
        if "language" in attrs and agents.language_tag(attrs["language"]) is None:
            names = ", ".join(f"{tag} ({name})" for tag, name in choices.languages.items())
            errors["language"] = f"There is no language {attrs['language']!r}. Use one of {names}."
        return errors

    def call_filter(self) -> agents.CallFilter:
        """Raises: ValidationError, which DRF answers as 400 with a message per parameter."""
        self.is_valid(raise_exception=True)
        paging = ("page", "page_size")
        return agents.CallFilter(
            **{name: value for name, value in self.validated_data.items() if name not in paging}
        )


def _day(value: date | datetime) -> date:
    return timezone.localtime(value).date() if isinstance(value, datetime) else value
