"""What other parts of the platform may ask of this app."""

from telephony.journal import CallJournal
from telephony.relay import MediaRelay
from telephony.routing import BROWSER_PATH, TWILIO_PATH, websocket_routes

__all__ = ["BROWSER_PATH", "TWILIO_PATH", "CallJournal", "MediaRelay", "websocket_routes"]
