"""The Channels edge of a call: one consumer class for each transport with a socket."""

from telephony.consumers.base import LIVE, MediaConsumer
from telephony.consumers.browser import BrowserConsumer
from telephony.consumers.twilio import TwilioConsumer

__all__ = ["LIVE", "BrowserConsumer", "MediaConsumer", "TwilioConsumer"]
