"""Where a simulated carrier is told to stream to: through the signed webhook, as Twilio asks."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit
from xml.etree import ElementTree

import httpx
from twilio.request_validator import RequestValidator

from telephony.carrier import CarrierError

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class StreamAddress:
    url: str
    """ws:// or wss://, on the web process's own address."""
    carrier_ref: str
    parameters: dict[str, str]


def new_call_sid() -> str:
    return f"CA{secrets.token_hex(16)}"


def local_socket(web_url: str, path: str) -> str:
    """`path` on the web process as a websocket address."""
    parts = urlsplit(web_url)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}{path}"


async def ask_webhook(
    *, web_url: str, public_url: str, auth_token: str, agent: str, pii_from: str, called: str
) -> StreamAddress:
    """Post the signed voice webhook to `web_url` as if it were `public_url`, and read the TwiML.

    Raises: CarrierError with what the platform answered instead of a stream.
    """
    carrier_ref = new_call_sid()
    path = "/telephony/twilio/voice" + (f"?{urlencode({'agent': agent})}" if agent else "")
    form = {
        "CallSid": carrier_ref,
        "AccountSid": "AC" + "0" * 32,
        "From": pii_from,
        "To": called,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
    }
    signature = RequestValidator(auth_token).compute_signature(public_url.rstrip("/") + path, form)
    public = urlsplit(public_url)
    headers = {"X-Twilio-Signature": signature, "X-Forwarded-Proto": public.scheme}
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
            answer = await client.post(web_url.rstrip("/") + path, data=form, headers=headers)
    except httpx.HTTPError as error:
        raise CarrierError(
            f"{web_url} cannot be reached ({error or type(error).__name__}): is ./run running?"
        ) from None
    if answer.status_code != 200:
        raise CarrierError(
            f"the voice webhook answered HTTP {answer.status_code}: {answer.text.strip()[:300]}"
        )
    return _follow(answer.text, web_url, carrier_ref)


def _follow(twiml: str, web_url: str, carrier_ref: str) -> StreamAddress:
    try:
        response = ElementTree.fromstring(twiml)
    except ElementTree.ParseError as error:
        raise CarrierError(f"the voice webhook answered no TwiML: {error}") from None
    stream = response.find("Connect/Stream")
    if stream is None:
        said = " ".join(element.text or "" for element in response.iter("Say")) or "it rejected the call"
        raise CarrierError(f"the platform did not take the call: {said}")
    parameters = {p.get("name", ""): p.get("value", "") for p in stream.iter("Parameter")}
    path = urlunsplit(("", "", urlsplit(stream.get("url", "")).path, "", ""))
    return StreamAddress(local_socket(web_url, path), carrier_ref, parameters)
