"""`/api/v1/calls/`: what was said, measured and decided."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

from agents import api as agents
from voiceops.console.rest.audio import audio_response
from voiceops.console.rest.filters import CallQuery
from voiceops.console.rest.serializers import (
    CallDetailSerializer,
    CallPageSerializer,
    CallSerializer,
    ErrorSerializer,
)

_SESSION = OpenApiParameter("session_id", OpenApiTypes.STR, OpenApiParameter.PATH)
_BAD_FILTER = OpenApiResponse(
    OpenApiTypes.OBJECT, description="A filter is unknown or has a wrong value; one list of messages each."
)
_NO_CALL = OpenApiResponse(ErrorSerializer, description="There is no call of that session id.")


class Calls(APIView):
    """Calls, newest first."""

    @extend_schema(
        operation_id="calls_list",
        parameters=[CallQuery],
        responses={200: CallPageSerializer, 400: _BAD_FILTER, 404: ErrorSerializer},
    )
    def get(self, request: Request) -> Response:
        # An empty value, as forms send it, does not narrow.
        query = CallQuery(data={name: value for name, value in request.query_params.items() if value})
        wanted = query.call_filter()
        number, size = query.validated_data["page"], query.validated_data["page_size"]
        found = agents.calls(wanted, offset=(number - 1) * size, limit=size)
        pages = Paginator(range(found.total), size)
        if number > pages.num_pages:
            raise NotFound(f"There is no page {number}: {found.total} calls make {pages.num_pages} pages.")
        address = request.build_absolute_uri()
        before = remove_query_param(address, "page")
        if number > 2:
            before = replace_query_param(address, "page", number - 1)
        return Response(
            {
                "count": found.total,
                "next": replace_query_param(address, "page", number + 1)
                if number < pages.num_pages
                else None,
                "previous": before if number > 1 else None,
                "results": CallSerializer(found.items, many=True, context={"request": request}).data,
            }
        )


def _call(session_id: str) -> agents.CallDetail:
    found = agents.call(session_id) if "\x00" not in session_id else None
    if found is None:
        raise NotFound(f"There is no call with the session id {session_id!r}.")
    return found


class Call(APIView):
    """One call with every turn, its telemetry and its decisions."""

    @extend_schema(
        operation_id="calls_retrieve",
        parameters=[_SESSION],
        responses={200: CallDetailSerializer, 404: _NO_CALL},
    )
    def get(self, request: Request, session_id: str) -> Response:
        return Response(CallDetailSerializer(_call(session_id), context={"request": request}).data)


class CallAudio(APIView):
    """The two-channel recording of a call: caller left, agent right."""

    @extend_schema(
        operation_id="calls_audio",
        parameters=[
            _SESSION,
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="bytes=0-65535"),
        ],
        responses={
            (200, "audio/wav"): OpenApiTypes.BINARY,
            (206, "audio/wav"): OpenApiTypes.BINARY,
            404: OpenApiResponse(ErrorSerializer, description="No such call, or no recording, and why."),
            416: OpenApiResponse(description="The range begins behind the end."),
        },
    )
    def get(self, request: Request, session_id: str) -> HttpResponseBase:
        recording = _call(session_id).recording
        path = agents.recording_path(session_id)
        if path is None:
            raise NotFound(recording.message)
        try:
            return audio_response(request._request, path)
        except FileNotFoundError:
            raise NotFound("The recording was deleted a moment ago.") from None

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """Audio whatever a player accepts; refusals are JSON."""
        return JSONRenderer(), "application/json"
