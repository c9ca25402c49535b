"""Twilio's webhooks. Nothing is answered before the signature was checked."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from twilio.request_validator import RequestValidator

from telephony import presence, selectors, services, twiml
from telephony.ports import AgentKnown

logger = logging.getLogger("telephony.webhook")
_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")


def _refused(reason: str, *, status: int = 403) -> HttpResponse:
    logger.warning("webhook.refused: %s", reason)
    return HttpResponse(f"{reason}\n", status=status, content_type="text/plain; charset=utf-8")


def signature_problem(request: HttpRequest) -> str | None:
    """Why this request cannot be trusted to come from Twilio; None when it does."""
    public_url = settings.VOICEOPS["PUBLIC_URL"]
    if not settings.TWILIO_AUTH_TOKEN:
        return "TWILIO_AUTH_TOKEN is not set, so no call can be trusted: set it and start again"
    if not public_url:
        return (
            "VOICEOPS_PUBLIC_URL is not set, so no signature can be checked: "
            "set it to the address Twilio calls, for example https://voice.example.com"
        )
    signature = request.headers.get("X-Twilio-Signature", "")
    if not signature:
        return "the request carries no X-Twilio-Signature"
    address = public_url.rstrip("/") + request.get_full_path()
    if not RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(address, request.POST, signature):
        return "the X-Twilio-Signature does not match: check TWILIO_AUTH_TOKEN and VOICEOPS_PUBLIC_URL"
    return None


@method_decorator(csrf_exempt, name="dispatch")
class SignedWebhook(View):
    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and (problem := signature_problem(request)):
            return _refused(problem)
        return super().dispatch(request, *args, **kwargs)


class VoiceWebhook(SignedWebhook):
    """An incoming call: answers TwiML that connects it to the media socket.

    The agent is `?agent=SLUG` of the webhook's address, else the one of the called number.
    """

    agent_known: Callable[[str], bool] | AgentKnown | None = None
    """Given by the composition root; None: every slug is taken."""

    def post(self, request: HttpRequest) -> HttpResponse:
        carrier_ref = request.POST.get("CallSid", "")
        if not _CALL_SID.fullmatch(carrier_ref):
            return _refused("CallSid is missing or malformed", status=400)
        pii_from, called = request.POST.get("From", "")[:32], request.POST.get("To", "")[:32]
        slug = request.GET.get("agent") or selectors.agent_for_number(called)
        if slug is None or (self.agent_known is not None and not self.agent_known(slug)):
            logger.warning("webhook.no_agent carrier_ref=%s agent=%r", carrier_ref, slug)
            return self._twiml(twiml.say_and_hang_up("Sorry, this number is not in service. Goodbye."))
        try:
            limit = settings.VOICEOPS["MAX_CALLS"]
            if limit and presence.count(settings.REDIS_URL) >= limit:
                logger.warning("webhook.at_capacity carrier_ref=%s limit=%d", carrier_ref, limit)
                return self._twiml(twiml.busy())
            call = services.open_twilio_call(
                carrier_ref=carrier_ref, agent_slug=slug, pii_from=pii_from, pii_to=called
            )
            if call.status != "ringing":
                logger.warning("webhook.replayed carrier_ref=%s status=%s", carrier_ref, call.status)
                return self._twiml(twiml.say_and_hang_up("Goodbye."))
            token = services.issue_stream_token(call=call)
        except redis.RedisError as error:
            logger.error("webhook.no_redis carrier_ref=%s: %s", carrier_ref, type(error).__name__)
            return self._twiml(
                twiml.say_and_hang_up("Sorry, we cannot take your call now. Please call again.")
            )
        return self._twiml(
            twiml.connect_stream(public_url=settings.VOICEOPS["PUBLIC_URL"], token=token, pii_from=pii_from)
        )

    @staticmethod
    def _twiml(body: str) -> HttpResponse:
        return HttpResponse(body, content_type="text/xml; charset=utf-8")


class StatusCallback(SignedWebhook):
    """Twilio's word on how a call goes on; unknown calls and words are taken without effect."""

    def post(self, request: HttpRequest) -> HttpResponse:
        services.note_carrier_status(
            carrier_ref=request.POST.get("CallSid", ""), status=request.POST.get("CallStatus", "")
        )
        return HttpResponse(status=204)
