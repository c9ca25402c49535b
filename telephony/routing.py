"""Websocket addresses of this app, for the process that answers calls."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.urls import re_path

from telephony.consumers import BrowserConsumer, TwilioConsumer
from telephony.limits import SocketLimits
from telephony.ports import Answer, CallLog
from telephony.services import stream_tokens
from telephony.transports.browser import BrowserCodec

TWILIO_PATH = r"^telephony/twilio/stream(?:/(?P<token>[^/]{1,200}))?/?$"
BROWSER_PATH = r"^telephony/browser/$"

MEDIA_UNAVAILABLE = BrowserCodec.message(
    "error", code="media_unavailable", message="Calls cannot be answered right now. Try again in a moment."
)
"""What the browser is told while the media process is not reachable."""


def websocket_routes(*, answer: Answer, log: CallLog | None = None) -> list[Any]:
    """Twilio needs no session and touches no database; the browser needs a login."""
    limits = SocketLimits.of(settings.VOICEOPS)
    # A person who types sends nothing while reading.
    browser_limits = SocketLimits.of(settings.VOICEOPS, idle_s=settings.VOICEOPS["MEDIA_SILENCE_S"])
    twilio = TwilioConsumer.as_asgi(answer=answer, log=log, limits=limits, tokens=stream_tokens())
    browser = BrowserConsumer.as_asgi(answer=answer, log=log, limits=browser_limits)
    return [
        re_path(TWILIO_PATH, twilio, name="twilio-stream"),
        re_path(BROWSER_PATH, AllowedHostsOriginValidator(AuthMiddlewareStack(browser)), name="browser-call"),
    ]
