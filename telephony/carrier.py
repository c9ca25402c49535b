"""A carrier's side of one call, over the Twilio media socket: for tests, benches and demo calls.

Speaks in real time (20 ms mu-law frames, silence in between), plays what the agent sends at the
speed of a telephone, returns marks when the audio before them was played, and honours `clear`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from telephony.limits import meaning
from telephony.transports import mulaw
from telephony.transports.twilio import RATE_HZ
from voiceops.core.errors import VoiceOpsError

FRAME_MS = 20
FRAME_BYTES = RATE_HZ * FRAME_MS // 1000
_SILENCE = b"\xff"
_SILENT_PAYLOAD = base64.b64encode(_SILENCE * FRAME_BYTES).decode()
_LEVELS = bytes((np.abs(np.frombuffer(mulaw.decode(bytes(range(256))), "<i2").astype(int)) >> 7).astype("u1"))
"""Loudness of each mu-law code, 0 to 255."""
_AUDIBLE = 4
"""Level from which a frame counts as sound: about -36 dBFS."""
LONG_MS = 2200.0
"""Longer than any filler."""
_OPEN_S = 10.0


class CarrierError(VoiceOpsError):
    """The call could not be placed, or the platform refused it; the message says why."""


def audible(codes: bytes) -> bool:
    """Whether these mu-law codes hold a sound."""
    return bool(codes) and max(codes.translate(_LEVELS)) >= _AUDIBLE


@dataclass(frozen=True)
class Utterance:
    """What the caller says in one go."""

    codes: bytes
    """mu-law, 8 kHz, whole frames."""
    label: str = ""
    after_ms: float | None = None
    """None: spoken when the agent has finished. Else this long after the agent's next sound
    began, which interrupts it."""

    @classmethod
    def of(cls, pcm: bytes, *, label: str = "", after_ms: float | None = None) -> Utterance:
        """From int16 mono PCM at 8 kHz."""
        codes = mulaw.encode(pcm)
        return cls(codes + _SILENCE * (-len(codes) % FRAME_BYTES), label, after_ms)

    @cached_property
    def frames(self) -> tuple[str, ...]:
        """base64 payloads, encoded once however many callers say this."""
        return tuple(
            base64.b64encode(self.codes[at : at + FRAME_BYTES]).decode()
            for at in range(0, len(self.codes), FRAME_BYTES)
        )

    @cached_property
    def last_sound_frame(self) -> int:
        """Index of the last frame with sound in it; the last frame when there is none."""
        count = len(self.frames)
        return next((index for index in range(count - 1, -1, -1) if self._sounds(index)), count - 1)

    @cached_property
    def first_sound_frame(self) -> int:
        """Index of the first frame with sound in it; 0 when there is none."""
        return next((index for index in range(len(self.frames)) if self._sounds(index)), 0)

    def _sounds(self, index: int) -> bool:
        return audible(self.codes[index * FRAME_BYTES : (index + 1) * FRAME_BYTES])


@dataclass(frozen=True, slots=True)
class Exchange:
    """One utterance and what came back. Times are milliseconds since the socket opened."""

    label: str
    said_from_ms: float
    said_to_ms: float
    """The last frame with sound was sent."""
    answered_ms: float | None
    """The first frame with sound arrived after that; None: no answer."""
    answer_played_ms: float | None
    """The end of what was played."""
    pieces_ms: tuple[float, ...] = ()
    """When the first sound of each piece of the answer arrived; a mark ends a piece."""
    talked_over: bool = False
    """The agent's sound arrived while this was being said."""

    @property
    def heard_latency_ms(self) -> float | None:
        """Last speech frame sent to first audible frame received."""
        return None if self.answered_ms is None else self.answered_ms - self.said_to_ms

    def latency_after_ms(self, fillers: int) -> float | None:
        """The same, to the first sound behind so many pieces that were no answer; None: none came."""
        return self.pieces_ms[fillers] - self.said_to_ms if fillers < len(self.pieces_ms) else None


@dataclass(slots=True)
class CarrierCall:
    """What a carrier saw of one call."""

    carrier_ref: str
    opened_s: float = 0.0
    """When the socket opened, on the machine's monotonic clock."""
    exchanges: list[Exchange] = field(default_factory=list)
    greeted_ms: float | None = None
    """First audible frame of the agent before the caller spoke."""
    played: bytearray = field(default_factory=bytearray)
    """mu-law the caller's ear got, silence included, from the start of media."""
    duration_ms: float = 0.0
    clears: int = 0
    marks: int = 0
    ended_by: str = "caller"
    """caller or agent"""
    close_code: int | None = None
    close_reason: str = ""

    @property
    def played_pcm(self) -> bytes:
        """int16 mono PCM at 8 kHz of what the caller heard."""
        return mulaw.decode(bytes(self.played))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a caller waits, in milliseconds."""

    greeting_ms: float = 10_000
    answer_ms: float = 20_000
    """For an answer to begin."""
    settle_ms: float = 2_200
    """Silence after which an answer is over. The agent is never silent for more than 2 s while
    it still has something to say."""
    brisk_ms: float | None = None
    """Instead of `settle_ms` after an answer that sounded for LONG_MS: what is shorter may be a filler."""
    longest_ms: float = 120_000
    """One answer; a longer one is talked over."""


class _Line:
    """One open socket: its playback, its clock, and what came in."""

    def __init__(self, socket: ClientConnection, call: CarrierCall, stream_sid: str) -> None:
        self.socket = socket
        self.call = call
        self.stream_sid = stream_sid
        self.loop = asyncio.get_running_loop()
        self.opened_s = self.loop.time()
        self.sound_in_ms: float | None = None
        """Arrival of the first audible frame since `listen_anew`."""
        self.sound_played_ms: float | None = None
        """Since `listen_anew`, the latest moment at which sound was played."""
        self.pieces_ms: list[float] = []
        """Since `listen_anew`, the first sound of each piece between marks."""
        self.open = True
        self._in_piece = False
        self._buffer: deque[bytes | str] = deque()
        """Whole frames of audio, and names of marks between them."""
        self._rest = b""
        self._sequence = 1
        self._frames = 0

    def now_ms(self) -> float:
        return (self.loop.time() - self.opened_s) * 1000

    def listen_anew(self) -> None:
        self.sound_in_ms = self.sound_played_ms = None
        self.pieces_ms = []
        self._in_piece = False

    @property
    def playing(self) -> bool:
        return bool(self._buffer)

    async def send(self, event: str, part: str) -> None:
        """`part` is the event's own object as JSON text, built by hand: it is sent 50 times a second."""
        self._sequence += 1
        await self.socket.send(
            f'{{"event":"{event}","sequenceNumber":"{self._sequence}",'
            f'"streamSid":"{self.stream_sid}","{event}":{part}}}'
        )

    async def frame(self, payload: str = _SILENT_PAYLOAD) -> None:
        """Send one frame, play one frame, then wait for the next tick."""
        at_ms = self._frames * FRAME_MS
        self._frames += 1
        try:
            await self.send(
                "media",
                f'{{"track":"inbound","chunk":"{self._frames}","timestamp":"{at_ms}","payload":"{payload}"}}',
            )
            await self._play()
        except ConnectionClosed:
            self.open = False
            return
        due_s = self.opened_s + self._frames * FRAME_MS / 1000
        await asyncio.sleep(max(0.0, due_s - self.loop.time()))

    async def _play(self) -> None:
        buffer = self._buffer
        if not buffer and self._rest:
            buffer.append(self._rest.ljust(FRAME_BYTES, _SILENCE))
            self._rest = b""
        while buffer and isinstance(buffer[0], str):
            await self._return_mark(str(buffer.popleft()))
        codes = buffer.popleft() if buffer else _SILENCE * FRAME_BYTES
        assert isinstance(codes, bytes)
        self.call.played += codes
        if audible(codes):
            self.sound_played_ms = self.now_ms()
        while buffer and isinstance(buffer[0], str):
            await self._return_mark(str(buffer.popleft()))

    async def _return_mark(self, name: str) -> None:
        self.call.marks += 1
        await self.send("mark", orjson.dumps({"name": name}).decode())

    async def hear(self) -> None:
        """Take in what the agent sends until the socket closes."""
        try:
            async for message in self.socket:
                body = orjson.loads(message)
                match body["event"]:
                    case "media":
                        self._take(base64.b64decode(body["media"]["payload"]))
                    case "mark":
                        self._in_piece = False
                        self._cut_rest()
                        self._buffer.append(body["mark"]["name"])
                    case "clear":
                        await self._clear()
        except ConnectionClosed:
            return
        finally:
            self.open = False

    def _take(self, codes: bytes) -> None:
        if audible(codes):
            self._note_sound(self.now_ms())
        codes = self._rest + codes
        whole = len(codes) - len(codes) % FRAME_BYTES
        self._buffer.extend(codes[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES))
        self._rest = codes[whole:]

    def _note_sound(self, now_ms: float) -> None:
        if self.sound_in_ms is None:
            self.sound_in_ms = now_ms
        if not self._in_piece:
            self._in_piece = True
            self.pieces_ms.append(now_ms)

    def _cut_rest(self) -> None:
        """A mark stands after all audio before it, so a part of a frame is played in full."""
        if self._rest:
            self._buffer.append(self._rest.ljust(FRAME_BYTES, _SILENCE))
            self._rest = b""

    async def _clear(self) -> None:
        """Drop what was not played; as at Twilio, the marks in it come back at once."""
        self.call.clears += 1
        self._in_piece = False
        names = [item for item in self._buffer if isinstance(item, str)]
        self._buffer.clear()
        self._rest = b""
        for name in names:
            await self._return_mark(name)


async def place_call(
    url: str,
    *,
    carrier_ref: str,
    utterances: Sequence[Utterance],
    parameters: Mapping[str, str] | None = None,
    patience: Patience | None = None,
) -> CarrierCall:
    """Call the media socket at `url` (ws:// or wss://), say every utterance, hang up.

    Ends early, without an error, when the agent hangs up. Raises: CarrierError when the socket
    cannot be opened, or is closed with an error code before or during the call.
    """
    call = CarrierCall(carrier_ref)
    wait = patience or Patience()
    try:
        socket = await connect(url, compression=None, open_timeout=_OPEN_S, max_size=2**20, proxy=None)
    except InvalidStatus as error:
        raise CarrierError(f"the media socket answered HTTP {error.response.status_code}") from None
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
        raise CarrierError(f"the media socket cannot be reached: {error or type(error).__name__}") from None
    try:
        stream_sid = f"MZ{carrier_ref[2:]}"
        line = _Line(socket, call, stream_sid)
        call.opened_s = line.opened_s
        await _start(socket, stream_sid, carrier_ref, parameters or {})
        hearing = asyncio.create_task(line.hear())
        try:
            await _talk(line, utterances, wait)
            if line.open:
                with contextlib.suppress(ConnectionClosed):
                    await line.send("stop", orjson.dumps({"callSid": carrier_ref}).decode())
            else:
                call.ended_by = "agent"
        finally:
            await socket.close()
            hearing.cancel()
            await asyncio.wait({hearing})
            call.duration_ms = line.now_ms()
    finally:
        socket.transport.abort()
    if not hearing.cancelled() and (failure := hearing.exception()) is not None:
        raise CarrierError(f"the platform sent what no carrier understands: {failure!r}") from failure
    call.close_code, call.close_reason = socket.close_code, socket.close_reason or ""
    if call.ended_by == "agent" and call.close_code != 1000:
        why = call.close_reason or meaning(call.close_code)
        raise CarrierError(f"the platform ended the call with code {call.close_code}: {why}".rstrip(": "))
    return call


async def _start(
    socket: ClientConnection, stream_sid: str, carrier_ref: str, parameters: Mapping[str, str]
) -> None:
    start: dict[str, Any] = {
        "accountSid": "AC" + "0" * 32,
        "streamSid": stream_sid,
        "callSid": carrier_ref,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": RATE_HZ, "channels": 1},
        "customParameters": dict(parameters),
    }
    body = {"event": "start", "sequenceNumber": "1", "start": start, "streamSid": stream_sid}
    with contextlib.suppress(ConnectionClosed):
        await socket.send(
            orjson.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}).decode()
        )
        await socket.send(orjson.dumps(body).decode())


async def _talk(line: _Line, utterances: Sequence[Utterance], wait: Patience) -> None:
    greeted = await _hear_out(line, wait, begin_ms=wait.greeting_ms, interrupt=_interruption(utterances, 0))
    line.call.greeted_ms = greeted[0]
    for index, utterance in enumerate(utterances):
        if not line.open:
            return
        said_from_ms = said_to_ms = line.now_ms()
        talked_over = False
        for position, payload in enumerate(utterance.frames):
            if position <= utterance.last_sound_frame:
                talked_over |= position > 0 and line.sound_in_ms is not None
                line.listen_anew()
                said_to_ms = line.now_ms()
            await line.frame(payload)
        answered_ms, played_ms = await _hear_out(
            line, wait, begin_ms=wait.answer_ms, interrupt=_interruption(utterances, index + 1)
        )
        line.call.exchanges.append(
            Exchange(
                utterance.label,
                said_from_ms,
                said_to_ms,
                answered_ms,
                played_ms,
                tuple(line.pieces_ms),
                talked_over,
            )
        )


def _interruption(utterances: Sequence[Utterance], index: int) -> float | None:
    return utterances[index].after_ms if index < len(utterances) else None


async def _hear_out(
    line: _Line, wait: Patience, *, begin_ms: float, interrupt: float | None
) -> tuple[float | None, float | None]:
    """Send silence until the agent has begun and finished, or has not begun in time.

    Returns when its first sound arrived and when its last was played.
    """
    from_ms = line.now_ms()
    while line.open:
        await line.frame()
        now_ms = line.now_ms()
        began_ms = line.sound_in_ms
        if began_ms is None:
            if now_ms - from_ms > begin_ms:
                break
            continue
        if interrupt is not None:
            if now_ms - began_ms >= interrupt:
                break
            continue
        quiet_since_ms = line.sound_played_ms or began_ms
        enough_ms = wait.settle_ms
        if wait.brisk_ms is not None and quiet_since_ms - began_ms >= LONG_MS:
            enough_ms = wait.brisk_ms
        if not line.playing and now_ms - quiet_since_ms > enough_ms:
            break
        if now_ms - began_ms > wait.longest_ms:
            break
    return line.sound_in_ms, line.sound_played_ms
