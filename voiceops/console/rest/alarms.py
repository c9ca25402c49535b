"""`/api/v1/alarms/`: turns whose language somebody should judge, with their audio."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from agents import api as agents
from voiceops.console import clips
from voiceops.console.metrics import count_alarm_verdict
from voiceops.console.rest.serializers import ErrorSerializer
from voiceops.core.plan import LANGUAGE_NAMES

MAX_PAGE_SIZE = 100


class AlarmQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=["waiting", *agents.ALARM_STATES], required=False)
    session_id = serializers.CharField(max_length=64, required=False)
    page = serializers.IntegerField(min_value=1, max_value=1_000_000, default=1)
    page_size = serializers.IntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=25)


class SignSerializer(serializers.Serializer[Any]):
    source = serializers.CharField(help_text="acoustic, script or words", default="")  # type: ignore[assignment]
    language = serializers.CharField(default="")
    strength = serializers.FloatField(help_text="0 to 1", default=0.0)
    detail = serializers.CharField(default="", allow_blank=True)


class AlarmSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="language")
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=list(agents.ALARM_STATES))
    session_id = serializers.CharField()
    turn = serializers.IntegerField()
    language = serializers.CharField(help_text="What the call was taken to be in: English, Hindi")
    verdict = serializers.CharField(
        allow_blank=True, help_text="What was really spoken; empty while nobody has decided."
    )
    handled_by = serializers.CharField(allow_blank=True)
    handled_at = serializers.DateTimeField(allow_null=True)
    raised_at = serializers.DateTimeField()
    heard = serializers.CharField(allow_blank=True)
    signs = SignSerializer(many=True)
    start_ms = serializers.FloatField(allow_null=True, help_text="Of the words, since the call was answered.")
    end_ms = serializers.FloatField(allow_null=True)
    audio_url = serializers.SerializerMethodField()

    def get_audio_url(self, alarm: agents.AlarmDetail) -> str | None:
        if not alarm.has_audio:
            return None
        return reverse("api-alarm-audio", [alarm.id], request=self.context.get("request"))


class AlarmPageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Of all alarms that match.")
    results = AlarmSerializer(many=True)


class AlarmDecision(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=list(agents.ALARM_STATES))
    language = serializers.ChoiceField(
        choices=list(LANGUAGE_NAMES), required=False, help_text="What was really spoken; with state resolved."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["state"] == "resolved" and "language" not in attrs:
            raise serializers.ValidationError({"language": "Say which language was really spoken."})
        return attrs


class Alarms(APIView):
    """Alarms, newest first."""

    @extend_schema(operation_id="alarms_list", parameters=[AlarmQuery], responses={200: AlarmPageSerializer})
    def get(self, request: Request) -> Response:
        query = AlarmQuery(data={name: value for name, value in request.query_params.items() if value})
        query.is_valid(raise_exception=True)
        wanted = query.validated_data
        size = wanted["page_size"]
        found = agents.alarms(
            state=wanted.get("state", ""),
            session_id=wanted.get("session_id", ""),
            offset=(wanted["page"] - 1) * size,
            limit=size,
        )
        listed = AlarmSerializer(found.items, many=True, context={"request": request})
        return Response({"count": found.total, "results": listed.data})


def _alarm(alarm_id: int) -> agents.AlarmDetail:
    found = agents.alarm(alarm_id) if alarm_id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no alarm {alarm_id}.")
    return found


class Alarm(APIView):
    """One alarm, and the decision about it."""

    @extend_schema(operation_id="alarms_retrieve", responses={200: AlarmSerializer, 404: ErrorSerializer})
    def get(self, request: Request, alarm_id: int) -> Response:
        return Response(AlarmSerializer(_alarm(alarm_id), context={"request": request}).data)

    @extend_schema(
        operation_id="alarms_decide",
        request=AlarmDecision,
        responses={200: AlarmSerializer, 400: OpenApiTypes.OBJECT, 404: ErrorSerializer},
    )
    def patch(self, request: Request, alarm_id: int) -> Response:
        _alarm(alarm_id)
        decision = AlarmDecision(data=request.data)
        decision.is_valid(raise_exception=True)
        try:
            decide(
                alarm_id,
                decision.validated_data["state"],
                decision.validated_data.get("language", ""),
                by=request.user.get_username(),
            )
        except agents.AlarmRefused as error:
            raise serializers.ValidationError({"state": str(error)}) from error
        return Response(AlarmSerializer(_alarm(alarm_id), context={"request": request}).data)


def decide(alarm_id: int, state: str, language: str, *, by: str) -> None:
    """Take an operator's decision. Raises AlarmRefused."""
    if state == "resolved":
        decided = agents.resolve_alarm(alarm_id=alarm_id, by=by, language=language)
        count_alarm_verdict(decided.kind, right=decided.verdict == decided.language)
    elif state == "acknowledged":
        agents.acknowledge_alarm(alarm_id=alarm_id, by=by)
    else:
        agents.reopen_alarm(alarm_id=alarm_id, by=by)


class AlarmAudio(APIView):
    """Exactly the doubted words: caller left, agent right."""

    @extend_schema(
        operation_id="alarms_audio",
        responses={
            (200, "audio/wav"): OpenApiTypes.BINARY,
            404: OpenApiResponse(ErrorSerializer, description="No such alarm, or no audio, and why."),
        },
    )
    def get(self, request: Request, alarm_id: int) -> HttpResponse:
        found = _alarm(alarm_id)
        if found.start_ms is None or found.end_ms is None:
            raise NotFound("These words were typed, or nothing of them was kept.")
        path = agents.recording_path(found.session_id)
        if path is None:
            raise NotFound(found.recording.message or "There is no recording of this call.")
        try:
            clip = clips.cut(path, found.start_ms, found.end_ms)
        except FileNotFoundError:
            raise NotFound("The recording was deleted a moment ago.") from None
        except clips.NoSuchStretch as error:
            raise NotFound(str(error)) from error
        headers = {
            "Content-Disposition": f'inline; filename="alarm-{found.id}.wav"',
            "Cache-Control": "private, no-store",
        }
        return HttpResponse(clip, content_type="audio/wav", headers=headers)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """Audio whatever a player accepts; refusals are JSON."""
        return JSONRenderer(), "application/json"
