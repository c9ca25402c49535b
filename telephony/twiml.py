"""TwiML answers to Twilio's voice webhook."""

from __future__ import annotations

from urllib.parse import urlsplit

from twilio.twiml.voice_response import Connect, VoiceResponse


def connect_stream(*, public_url: str, token: str, pii_from: str) -> str:
    """Connect the call to our media socket; the token stands in the path and as a parameter."""
    parts = urlsplit(public_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    base = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    connect = Connect()
    stream = connect.stream(url=f"{base}/telephony/twilio/stream/{token}")
    stream.parameter(name="token", value=token)
    stream.parameter(name="from", value=pii_from)
    response = VoiceResponse()
    response.append(connect)
    return str(response)


def say_and_hang_up(text: str) -> str:
    response = VoiceResponse()
    response.say(text)
    response.hangup()
    return str(response)


def busy() -> str:
    response = VoiceResponse()
    response.reject(reason="busy")
    return str(response)
