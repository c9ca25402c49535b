"""Twilio's webhook: only signed requests get a stream, and each gets one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from twilio.request_validator import RequestValidator

from telephony import presence
from telephony.models import Call, PhoneNumber
from telephony.services import note_ended, stream_tokens, twilio_session_id
from telephony.views import VoiceWebhook
from tests.apps.agents_data import make_agent

pytestmark = pytest.mark.django_db
PUBLIC = "https://voice.example.com"
SECRET = "a-secret-of-twilio"
SID = "CA" + "1" * 32
FORM = {"CallSid": SID, "From": "+919800000001", "To": "+918000000000", "CallStatus": "ringing"}

Post = Callable[..., Any]


@pytest.fixture(autouse=True)
def desk(db: None) -> None:
    make_agent("property-desk")


@pytest.fixture(autouse=True)
def twilio_settings(settings: Any) -> None:
    settings.TWILIO_AUTH_TOKEN = SECRET
    settings.VOICEOPS = {**settings.VOICEOPS, "PUBLIC_URL": PUBLIC, "MAX_CALLS": 0}


@pytest.fixture
def post(client: Client) -> Post:
    def post(
        path: str = "/telephony/twilio/voice",
        *,
        form: dict[str, str] | None = None,
        signature: str | None = None,
    ) -> Any:
        sent = FORM if form is None else form
        if signature is None:
            signature = RequestValidator(SECRET).compute_signature(PUBLIC + path, sent)
        return client.post(path, sent, headers={"X-Twilio-Signature": signature})

    return post


def stream_of(answer: HttpResponse) -> ElementTree.Element:
    stream = ElementTree.fromstring(answer.content).find("Connect/Stream")
    assert stream is not None, answer.content
    return stream


def test_a_signed_call_is_connected_to_a_stream_with_a_token(post: Post) -> None:
    PhoneNumber.objects.create(e164="+918000000000", agent_slug="property-desk")
    answer = post()
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/xml")
    stream = stream_of(answer)
    url = stream.get("url", "")
    assert url.startswith("wss://voice.example.com/telephony/twilio/stream/")
    parameters = {p.get("name"): p.get("value") for p in stream.iter("Parameter")}
    assert parameters == {"token": url.rsplit("/", 1)[1], "from": "+919800000001"}
    call = Call.objects.get()
    assert (call.carrier_ref, call.agent_slug, call.status) == (SID, "property-desk", "ringing")


def test_the_token_carries_the_offer_of_this_call(post: Post) -> None:
    answer = post("/telephony/twilio/voice?agent=property-desk")
    token = stream_of(answer).get("url", "").rsplit("/", 1)[1]
    offer = asyncio.run(stream_tokens().redeem(token, carrier_ref=SID))
    assert offer.session_id == twilio_session_id(SID)
    assert (offer.agent_slug, offer.pii_caller, offer.called) == (
        "property-desk",
        "+919800000001",
        FORM["To"],
    )
    assert (offer.channel, offer.sample_rate_hz) == ("twilio", 8000)


@pytest.mark.parametrize("signature", ["", "bm9wZQ==", "ÿ"])
def test_a_request_twilio_did_not_sign_is_refused(post: Post, signature: str) -> None:
    answer = post(signature=signature)
    assert answer.status_code == 403 and b"X-Twilio-Signature" in answer.content
    assert not Call.objects.exists()


def test_a_changed_request_is_refused(post: Post) -> None:
    signature = RequestValidator(SECRET).compute_signature(PUBLIC + "/telephony/twilio/voice", FORM)
    assert post(form={**FORM, "From": "+10000000000"}, signature=signature).status_code == 403


@pytest.mark.parametrize("missing", ["TWILIO_AUTH_TOKEN", "VOICEOPS_PUBLIC_URL"])
def test_without_its_settings_the_webhook_says_what_to_set(post: Post, settings: Any, missing: str) -> None:
    if missing == "TWILIO_AUTH_TOKEN":
        settings.TWILIO_AUTH_TOKEN = ""
    else:
        settings.VOICEOPS = {**settings.VOICEOPS, "PUBLIC_URL": None}
    answer = post()
    assert answer.status_code == 403 and missing in answer.content.decode()
    assert answer["Content-Type"].startswith("text/plain")


def test_a_retry_of_the_same_call_makes_no_second_call(post: Post) -> None:
    first, second = stream_of(post()).get("url"), stream_of(post()).get("url")
    assert first != second
    assert Call.objects.count() == 1


def test_a_replayed_webhook_of_a_finished_call_gets_no_stream(post: Post) -> None:
    post()
    note_ended(session_id=twilio_session_id(SID))
    body = post().content
    assert b"<Stream" not in body and b"<Hangup" in body


def test_a_number_nobody_answers_is_told_so_politely(post: Post) -> None:
    PhoneNumber.objects.create(e164="+918011111111", agent_slug="property-desk")
    body = post().content
    assert b"<Say>" in body and b"<Hangup" in body and b"<Stream" not in body


def test_an_unknown_agent_is_told_so_politely() -> None:
    path = "/telephony/twilio/voice?agent=nobody"
    signature = RequestValidator(SECRET).compute_signature(PUBLIC + path, FORM)
    request = RequestFactory().post(path, FORM, headers={"X-Twilio-Signature": signature})
    body = VoiceWebhook.as_view(agent_known=lambda slug: slug == "property-desk")(request).content
    assert b"<Say>" in body and b"<Hangup" in body


def test_a_full_platform_is_busy(post: Post, settings: Any) -> None:
    settings.VOICEOPS = {**settings.VOICEOPS, "MAX_CALLS": 1}
    asyncio.run(presence.seen(settings.REDIS_URL, "somebody"))
    try:
        body = post().content
    finally:
        asyncio.run(presence.left(settings.REDIS_URL, "somebody"))
    assert b'<Reject reason="busy"' in body


def test_without_redis_the_caller_hears_a_sentence(post: Post, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    body = post().content
    assert b"<Say>" in body and b"<Hangup" in body


@pytest.mark.parametrize("sid", ["", "CA1", "nonsense" * 40])
def test_a_call_without_a_proper_sid_is_refused(post: Post, sid: str) -> None:
    assert post(form={**FORM, "CallSid": sid}).status_code == 400


def test_reading_the_webhook_is_not_a_call(client: Client) -> None:
    assert client.get("/telephony/twilio/voice").status_code == 405


def test_the_carriers_status_ends_the_call(post: Post) -> None:
    post()
    assert (
        post("/telephony/twilio/status", form={"CallSid": SID, "CallStatus": "completed"}).status_code == 204
    )
    call = Call.objects.get()
    assert call.status == "ended" and call.ended_at is not None
    assert (
        post("/telephony/twilio/status", form={"CallSid": SID, "CallStatus": "in-progress"}).status_code
        == 204
    )
    assert Call.objects.get().status == "ended"


def test_an_unsigned_status_is_refused(post: Post) -> None:
    assert post("/telephony/twilio/status", form={"CallSid": SID}, signature="x").status_code == 403


def test_an_agent_that_does_not_exist_is_not_connected(post: Post) -> None:
    body = post("/telephony/twilio/voice?agent=nobody").content
    assert b"<Say>" in body and b"<Hangup" in body and not Call.objects.exists()
