"""The softphone's socket: a logged-in person calls from a page and sees the call's events."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Sequence
from typing import Any

from telephony.consumers.base import MediaConsumer
from telephony.transports.browser import BrowserCodec
from voiceops.core.errors import TransportError
from voiceops.core.events import CallEvent, WireStarted
from voiceops.core.plan import CallOffer
from voiceops.core.ports import Listener
from voiceops.core.streams import DropOldest

_EVENTS = 256
_SLUG = re.compile(r"[-a-zA-Z0-9_]{0,50}")


class BrowserConsumer(MediaConsumer):
    """Needs `scope["user"]` from the session; audio both ways as int16 at 16 kHz."""

    transport = "browser"
    codec: BrowserCodec

    def __init__(self, **edge: Any) -> None:
        super().__init__(**edge)
        self._events: DropOldest[CallEvent] = DropOldest(_EVENTS)
        self._teller: asyncio.Task[None] | None = None

    def refuse_connection(self) -> TransportError | None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return TransportError("log in first", code="login_required", permanent=True)
        return None

    async def admit(self, started: WireStarted) -> CallOffer:
        slug = started.parameters.get("agent", "")
        if not _SLUG.fullmatch(slug):
            raise TransportError("no such agent", code="agent_unknown", permanent=True)
        return CallOffer(
            session_id=uuid.uuid4().hex,
            channel=self.transport,
            agent_slug=slug,
            sample_rate_hz=started.sample_rate_hz,
            user_id=self.scope["user"].pk,
        )

    def listeners(self) -> Sequence[Listener]:
        def tell(event: CallEvent) -> None:
            self._events.put(event)

        return (tell,)

    def release(self) -> None:
        self._events.close()

    async def on_admitted(self, offer: CallOffer) -> None:
        await self.outbound.message(self.codec.message("ready", session_id=offer.session_id))
        self._teller = self._group.create_task(self._tell())

    async def on_ended(self, reason: str) -> None:
        await self._tell_rest()
        session_id = self.offer.session_id if self.offer else ""
        await self.outbound.message(self.codec.message("ended", reason=reason, session_id=session_id))

    async def on_refused(self, error: TransportError) -> None:
        await self._tell_rest()
        await self.outbound.message(self.codec.message("error", code=error.code, message=str(error)))

    async def _tell(self) -> None:
        async for event in self._events:
            await self.outbound.message(self.codec.event(event))

    async def _tell_rest(self) -> None:
        """Send what the call said last; the page shows it before it shows the end."""
        self._events.close()
        if self._teller is not None:
            await asyncio.wait({self._teller}, timeout=self.limits.send_s)
