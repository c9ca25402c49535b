"""The Channels edge: one consumer a call socket.

`websocket.receive` only decodes and does a non-blocking put; the call itself is the injected
coroutine `answer`, run as this socket's task.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from weakref import WeakSet

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from telephony.limits import (
    CLOSE_CODES,
    FRAME_TOO_LARGE,
    GOING_AWAY,
    INTERNAL,
    NO_CODE,
    NORMAL,
    REFUSED,
    RESTART,
    SocketLimits,
)
from telephony.outbound import SocketOutbound
from telephony.ports import Answer, CallLog
from telephony.sound import is_sound
from telephony.transports import REGISTRY
from voiceops.core.errors import AtCapacity, TransportError
from voiceops.core.events import WireAudio, WireDtmf, WireEvent, WireStarted, WireStopped, WireText
from voiceops.core.plan import CallOffer
from voiceops.core.ports import Codec, Listener
from voiceops.core.streams import DropOldest

logger = logging.getLogger("telephony.socket")

INBOUND_EVENTS = 64
"""About 1.3 s of 20 ms frames."""
_GUARD_S = 0.25
_SOUND_EVERY = 10
"""One frame in this many is measured for sound."""

LIVE: WeakSet[MediaConsumer] = WeakSet()
"""Sockets of this process whose call is running."""


def _is_audio(event: WireEvent) -> bool:
    return isinstance(event, WireAudio)


class MediaConsumer(AsyncConsumer):
    """Accepts one socket, admits one call, runs it, and ends it one way only.

    A refusal is named and logged once per kind; a permanent one closes the socket with its
    close code. Nothing that a socket sends reaches another socket or the process.
    """

    transport: ClassVar[str]
    channel_layer_alias = "none"
    """No channel layer: audio never travels over one, and no Redis read is held per call."""

    def __init__(
        self, *, answer: Answer, limits: SocketLimits | None = None, log: CallLog | None = None
    ) -> None:
        self.answer = answer
        self.limits = limits or SocketLimits()
        self.log = log
        self.codec: Codec = REGISTRY.load(self.transport)()
        self.inbound: DropOldest[WireEvent] = DropOldest(INBOUND_EVENTS, droppable=_is_audio)
        self.offer: CallOffer | None = None
        self.refusals: Counter[str] = Counter()
        self.outbound: SocketOutbound
        self._group: asyncio.TaskGroup
        self._call: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None]
        self._accepted = False
        self._stopped = False
        self._frames = 0

    # The socket's life ------------------------------------------------------------------------

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        self.base_send = send
        self.outbound = SocketOutbound(
            self.codec,
            send,
            send_s=self.limits.send_s,
            on_hangup=lambda reason: self._end(NORMAL, reason),
            on_slow=lambda: self._refuse(
                TransportError("the other side reads too slowly", code="slow_client", permanent=True)
            ),
        )
        loop = asyncio.get_running_loop()
        self._opened_s = self._heard_s = self._sound_s = loop.time()
        self._now_s = loop.time
        async with asyncio.TaskGroup() as self._group:
            guard = self._group.create_task(self._guard())
            self._reader = self._group.create_task(self._read(receive))
            try:
                await asyncio.wait({self._reader})
                if self._call is not None:
                    await self._settle(self._call)
            finally:
                guard.cancel()
                self.release()
                LIVE.discard(self)

    async def _read(self, receive: Any) -> None:
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            return

    async def dispatch(self, message: Mapping[str, Any]) -> None:
        """Handlers run on the loop: no thread hop for a database this consumer does not use."""
        match message["type"]:
            case "websocket.receive":
                await self.websocket_receive(message)
            case "websocket.connect":
                await self.websocket_connect(message)
            case "websocket.disconnect":
                await self.websocket_disconnect(message)
            case "media.shutdown":
                self._refuse(TransportError("this node is stopping", code="going_away", permanent=True))

    async def websocket_connect(self, message: Mapping[str, Any]) -> None:
        if (refusal := self.refuse_connection()) is not None:
            self._note(refusal)
            await self.base_send({"type": "websocket.close", "code": CLOSE_CODES[refusal.code]})
            self.outbound.closed = True
            raise StopConsumer
        await self.base_send({"type": "websocket.accept"})
        self._accepted = True

    async def websocket_receive(self, message: Mapping[str, Any]) -> None:
        self._heard_s = self._now_s()
        if self._ending is not None:
            return
        data = message.get("bytes")
        try:
            events = self.codec.decode(data if data is not None else message.get("text") or "")
        except TransportError as error:
            self._refuse(error)
            return
        except Exception:
            logger.exception("socket.decode_failed transport=%s", self.transport)
            self._end(INTERNAL, "internal error")
            return
        for event in events:
            if self.offer is not None:
                self._take(event)
            elif isinstance(event, WireStarted):
                await self._start(event)

    async def websocket_disconnect(self, message: Mapping[str, Any]) -> None:
        """The other side is gone, or our close was sent: let the call end, then cancel it."""
        self.outbound.closed = True
        code = message.get("code") or NO_CODE
        if self._ending is None and code == FRAME_TOO_LARGE:
            self._note(
                TransportError("a frame above the server's limit", code="frame_too_large", permanent=True)
            )
        elif self._ending is None and not self._stopped and code not in (NORMAL, GOING_AWAY):
            self._note(TransportError(f"the socket was cut (code {code})", code="cut", permanent=True))
        self.inbound.put(WireStopped("disconnected"))
        raise StopConsumer

    # What a transport decides -----------------------------------------------------------------

    def refuse_connection(self) -> TransportError | None:
        """A reason not to accept the socket at all."""
        return None

    async def admit(self, started: WireStarted) -> CallOffer:
        """The offer behind this start. Raises: TransportError(permanent)."""
        raise NotImplementedError

    def listeners(self) -> Sequence[Listener]:
        return ()

    def release(self) -> None:
        """The socket is over: let go of what this transport started."""

    async def on_admitted(self, offer: CallOffer) -> None:
        """Told before the call starts."""

    async def on_ended(self, reason: str) -> None:
        """Told before the close frame."""

    async def on_refused(self, error: TransportError) -> None:
        """Told before the close frame of a permanent refusal."""

    # The call ---------------------------------------------------------------------------------

    async def _start(self, started: WireStarted) -> None:
        try:
            if 0 < self.limits.calls <= len(LIVE):
                raise TransportError("no room for another call", code="at_capacity", permanent=True)
            self.offer = await self.admit(started)
        except TransportError as error:
            self._refuse(error)
            return
        LIVE.add(self)
        self._sound_s = self._now_s()
        await self.on_admitted(self.offer)
        self.inbound.put(started)
        self._call = self._group.create_task(self._run(self.offer), name=f"call {self.offer.session_id}")

    async def _run(self, offer: CallOffer) -> None:
        code, reason = NORMAL, "call ended"
        if self.log is not None:
            self.log.started(offer)
        try:
            await self.answer(offer, self.inbound, self.outbound, self.listeners())
        except AtCapacity as error:
            self._refuse(TransportError(str(error), code="at_capacity", permanent=True))
        except TransportError as error:
            self._refuse(error)
        except Exception:
            logger.exception("call.failed session=%s", offer.session_id)
            code, reason = INTERNAL, "internal error"
        finally:
            self.inbound.close()
            if self.log is not None:
                self.log.ended(offer, dropped_frames=self.inbound.dropped, refusals=dict(self.refusals))
        self._end(code, reason)

    def _take(self, event: WireEvent) -> None:
        if isinstance(event, WireAudio):
            self._frames += 1
            if self._frames % _SOUND_EVERY == 0 and is_sound(event.pcm):
                self._sound_s = self._heard_s
        elif isinstance(event, WireText | WireDtmf):
            self._sound_s = self._heard_s
        elif isinstance(event, WireStopped):
            self._stopped = True
        self.inbound.put(event)

    # Refusing and ending ----------------------------------------------------------------------

    def _note(self, error: TransportError) -> None:
        """One log line for each kind of refusal on this socket."""
        self.refusals[error.code] += 1
        if self.refusals[error.code] == 1:
            session = self.offer.session_id if self.offer else "-"
            logger.warning(
                "socket.refused code=%s transport=%s session=%s permanent=%s: %s",
                error.code, self.transport, session, error.permanent, error,
            )  # fmt: skip

    def _refuse(self, error: TransportError) -> None:
        self._note(error)
        # Before a call is admitted nothing is tolerated: an unknown sender gets no second try.
        if not error.permanent and self.offer is not None:
            if self.refusals.total() < self.limits.refusals:
                return
            error = TransportError("too many refused messages", code="too_many_refusals", permanent=True)
            self._note(error)
        self._end(CLOSE_CODES.get(error.code, REFUSED), error.code, error)

    def _end(self, code: int, reason: str, error: TransportError | None = None) -> None:
        """Close the socket, once, without waiting: the call hears `WireStopped` first."""
        if self._ending is None:
            self._ending = self._group.create_task(self._close(code, reason, error))

    async def _close(self, code: int, reason: str, error: TransportError | None) -> None:
        call = self._call
        if call is not None and call is not asyncio.current_task() and not call.done() and code != NORMAL:
            self.inbound.put(WireStopped("shutdown" if code == RESTART else reason))
            await self._settle(call)
        if error is not None:
            await self.on_refused(error)
        elif self.offer is not None:
            await self.on_ended(reason)
        if self._accepted:
            await self.outbound.close(code, reason)
        await asyncio.wait({self._reader}, timeout=self.limits.send_s)
        self._reader.cancel()

    async def _settle(self, call: asyncio.Task[None]) -> None:
        """Wait for the call's own ending, then cancel it and wait again."""
        done, _ = await asyncio.wait({call}, timeout=self.limits.grace_s)
        if not done:
            logger.warning("call.cancelled session=%s", self.offer.session_id if self.offer else "-")
            call.cancel()
            await asyncio.wait({call})

    # Time limits ------------------------------------------------------------------------------

    async def _guard(self) -> None:
        while True:
            await asyncio.sleep(_GUARD_S)
            if self._ending is None and (error := self._overdue()) is not None:
                self._refuse(error)

    def _overdue(self) -> TransportError | None:
        now_s, limits = self._now_s(), self.limits
        if self.offer is None:
            if now_s - self._opened_s > limits.start_s:
                return TransportError(
                    f"no start within {limits.start_s:g} s", code="no_start", permanent=True
                )
            return None
        if now_s - self._heard_s > limits.idle_s:
            return TransportError(f"no message for {limits.idle_s:g} s", code="idle", permanent=True)
        if now_s - self._sound_s > limits.silence_s:
            return TransportError(f"no sound for {limits.silence_s:g} s", code="silent", permanent=True)
        if now_s - self._opened_s > limits.call_s:
            return TransportError(f"longer than {limits.call_s:g} s", code="too_long", permanent=True)
        return None
