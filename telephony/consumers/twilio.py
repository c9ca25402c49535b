"""Twilio's media socket: no work before the token is accepted."""

from __future__ import annotations

from typing import Any

from telephony.consumers.base import MediaConsumer
from telephony.tokens import StreamTokens
from voiceops.core.events import WireStarted
from voiceops.core.plan import CallOffer


class TwilioConsumer(MediaConsumer):
    """The token stands in the path or in `<Parameter name="token">` and names the call."""

    transport = "twilio"

    def __init__(self, *, tokens: StreamTokens, **edge: Any) -> None:
        super().__init__(**edge)
        self.tokens = tokens

    async def admit(self, started: WireStarted) -> CallOffer:
        in_path = self.scope.get("url_route", {}).get("kwargs", {}).get("token")
        token = in_path or started.parameters.get("token", "")
        return await self.tokens.redeem(token, carrier_ref=started.carrier_ref)
