"""Carrier webhooks. `routes` takes what only the composition root knows."""

from __future__ import annotations

from django.urls import URLPattern, path

from telephony.ports import AgentKnown
from telephony.views import StatusCallback, VoiceWebhook


def routes(*, agent_known: AgentKnown | None = None) -> list[URLPattern]:
    return [
        path("twilio/voice", VoiceWebhook.as_view(agent_known=agent_known), name="twilio-voice"),
        path("twilio/status", StatusCallback.as_view(), name="twilio-status"),
    ]


urlpatterns = routes()
