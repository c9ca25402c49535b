"""What other parts of the platform may ask of this app."""

from telephony.carrier import CarrierCall, CarrierError, Exchange, Patience, Utterance, place_call
from telephony.journal import CallJournal
from telephony.relay import MediaRelay
from telephony.routing import BROWSER_PATH, MEDIA_UNAVAILABLE, TWILIO_PATH, websocket_routes
from telephony.selectors import agent_for_number, first_number
from telephony.services import issue_stream_token, open_twilio_call, seed_number, twilio_session_id
from telephony.transports import mulaw
from telephony.transports.twilio import RATE_HZ as TWILIO_RATE_HZ
from telephony.wav import BadWav, resample
from telephony.wav import read as read_wav
from telephony.wav import write as write_wav
from telephony.webhook_client import StreamAddress, ask_webhook, local_socket, new_call_sid

__all__ = [
    "BROWSER_PATH",
    "MEDIA_UNAVAILABLE",
    "TWILIO_PATH",
    "TWILIO_RATE_HZ",
    "BadWav",
    "CallJournal",
    "CarrierCall",
    "CarrierError",
    "Exchange",
    "MediaRelay",
    "Patience",
    "StreamAddress",
    "Utterance",
    "agent_for_number",
    "ask_webhook",
    "first_number",
    "issue_stream_token",
    "local_socket",
    "mulaw",
    "new_call_sid",
    "open_twilio_call",
    "place_call",
    "read_wav",
    "resample",
    "seed_number",
    "twilio_session_id",
    "websocket_routes",
    "write_wav",
]
