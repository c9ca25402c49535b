"""Writes of the carrier's side of calls."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.utils import timezone

from telephony.models import Call, PhoneNumber
from telephony.tokens import StreamTokens
from telephony.transports.twilio import RATE_HZ
from voiceops.core.plan import CallOffer

_CARRIER_STATUS = {
    "queued": "ringing",
    "initiated": "ringing",
    "ringing": "ringing",
    "in-progress": "live",
    "completed": "ended",
    "busy": "refused",
    "failed": "refused",
    "no-answer": "refused",
    "canceled": "ended",
}
"""Twilio's CallStatus in our words."""


def stream_tokens() -> StreamTokens:
    return StreamTokens(settings.REDIS_URL, ttl_s=settings.VOICEOPS["STREAM_TOKEN_TTL_S"])


def twilio_session_id(carrier_ref: str) -> str:
    """Our name for a Twilio CallSid: one call, one session, however often it is announced."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"twilio:{carrier_ref}").hex


def open_twilio_call(
    *, carrier_ref: str, agent_slug: str, pii_from: str, pii_to: str, direction: str = "inbound"
) -> Call:
    """The row of this carrier call, made once: a carrier asks again when an answer was late."""
    call, _ = Call.objects.get_or_create(
        session_id=twilio_session_id(carrier_ref),
        defaults={
            "transport": "twilio",
            "carrier_ref": carrier_ref,
            "agent_slug": agent_slug,
            "pii_from": pii_from,
            "pii_to": pii_to,
            "direction": direction,
        },
    )
    return call


def issue_stream_token(*, call: Call, speculation: bool | None = None) -> str:
    """A single-use token that lets this call's media stream in; `speculation` overrides the
    agent's setting for this call. Raises: redis.RedisError."""
    return stream_tokens().issue(
        CallOffer(
            session_id=call.session_id,
            channel="twilio",
            agent_slug=call.agent_slug,
            sample_rate_hz=RATE_HZ,
            pii_caller=call.pii_from or None,
            called=call.pii_to or None,
            carrier_ref=call.carrier_ref,
            direction=call.direction,
            speculation=speculation,
        )
    )


def note_carrier_status(*, carrier_ref: str, status: str) -> bool:
    """Take Twilio's CallStatus over; False when the call or the status is unknown."""
    word = _CARRIER_STATUS.get(status)
    if word is None:
        return False
    changes: dict[str, object] = {"status": word}
    if word in ("ended", "refused"):
        changes["ended_at"] = timezone.now()
    return bool(Call.objects.filter(carrier_ref=carrier_ref).exclude(status="ended").update(**changes))


def note_started(*, offer: CallOffer) -> None:
    """The media stream of `offer` was admitted."""
    Call.objects.update_or_create(
        session_id=offer.session_id,
        defaults={"status": "live"},
        create_defaults={
            "transport": offer.channel,
            "carrier_ref": offer.carrier_ref or "",
            "pii_from": offer.pii_caller or "",
            "pii_to": offer.called or "",
            "direction": offer.direction,
            "agent_slug": offer.agent_slug,
            "status": "live",
        },
    )


def note_ended(*, session_id: str) -> None:
    Call.objects.filter(session_id=session_id).exclude(status="ended").update(
        status="ended", ended_at=timezone.now()
    )


def seed_number(*, e164: str, agent_slug: str, label: str, reset: bool = False) -> bool:
    """A number for an agent, made once; `reset` gives it back to that agent. True when written."""
    fields = {"agent_slug": agent_slug, "label": label}
    if reset:
        PhoneNumber.objects.update_or_create(e164=e164, defaults=fields)
        return True
    return PhoneNumber.objects.get_or_create(e164=e164, defaults=fields)[1]
