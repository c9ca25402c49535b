"""A stand-in for the whole call behind the browser's socket: it says what a pipeline would say,
at once, so that these tests look at the page and at nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from tests.e2e.console.told import corrected, hinglish, price
from voiceops.core.errors import AtCapacity
from voiceops.core.events import CallEvent, WireAudio, WireDtmf, WireEvent, WireMark, WireStopped, WireText
from voiceops.core.plan import CallOffer
from voiceops.core.ports import Listener, Outbound
from voiceops.core.streams import DropOldest

RATE_HZ = 16_000
GREETING = "Hello, this is the property desk."
LOUD = 1500
"""Peak of an int16 frame above which the fake agent takes it for speech."""


def tone(seconds: float, pitch_hz: float = 440.0) -> bytes:
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (0.4 * 32767 * np.sin(2 * np.pi * pitch_hz * t)).astype("<i2").tobytes()


@dataclass
class Heard:
    """What one call received from the page."""

    offer: CallOffer
    audio: bytearray = field(default_factory=bytearray)
    frame_bytes: set[int] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)
    stopped: str = ""

    @property
    def peak(self) -> int:
        samples = np.frombuffer(bytes(self.audio), dtype="<i2").astype(np.int32)
        return int(np.abs(samples).max(initial=0))


class FakeAgent:
    def __init__(self) -> None:
        self.calls: list[Heard] = []
        self.is_full = False
        self.answer_seconds = 0.6
        """Length of the tone that stands for an answer."""

    async def answer(
        self,
        offer: CallOffer,
        inbound: DropOldest[WireEvent],
        outbound: Outbound,
        listeners: Sequence[Listener],
    ) -> None:
        if self.is_full:
            raise AtCapacity("every line is in use")
        heard = Heard(offer)
        self.calls.append(heard)
        started = asyncio.get_running_loop().time()

        def emit(kind: str, turn: int | None = None, /, **data: Any) -> None:
            at_ms = (asyncio.get_running_loop().time() - started) * 1000
            for listener in listeners:
                listener(CallEvent(kind, at_ms, turn, data))

        emit("call.answered")
        emit("turn.started", 0, purpose="greeting")
        emit("agent.speaking", 0, text=GREETING, purpose="greeting")
        await self._speak(outbound, 0.3, "greeting")
        emit("turn.closed", 0, index=0, latency_ms=None, stt_ms=None, retrieval_ms=None, llm_ms=None,
             tts_ms=None, heard="", said=GREETING, intent="greeting", interrupted=False)  # fmt: skip
        turn, spoken = 0, False
        async for event in inbound:
            match event:
                case WireAudio(pcm=pcm):
                    heard.audio += pcm
                    heard.frame_bytes.add(len(pcm))
                    if not spoken and heard.peak > LOUD and len(heard.audio) > RATE_HZ:
                        spoken, turn = True, turn + 2
                        await self._spoken_turn(emit, outbound, turn - 1)
                case WireText(text=text):
                    heard.texts.append(text)
                    turn += 1
                    emit("turn.started", turn, purpose="answer")
                    emit("transcript.final", turn, text=text, language="en", engine="typed", decode_ms=0.0)
                    await self._respond(emit, outbound, turn, text)
                    if text == "murmur along":
                        emit("speech.started")
                        emit("barge_in", turn, heard_text="A 3BHK", heard_ms=300)
                        emit("backchannel", turn, text="hmm")
                        emit("resumed", turn, text="in Whitefield is ₹1.2 crore.", from_ms=300.0)
                    elif text == "interrupt yourself":
                        await outbound.clear()
                        emit("barge_in", turn, heard_text="A 3BHK", heard_ms=300)
                    elif text == "hang up":
                        await outbound.hangup("agent said goodbye")
                        return
                case WireMark(name=name):
                    heard.marks.append(name)
                case WireDtmf(digit=digit):
                    heard.digits.append(digit)
                case WireStopped(reason=reason):
                    heard.stopped = reason
                    return

    async def _spoken_turn(self, emit: Any, outbound: Outbound, turn: int) -> None:
        text = "What is the price of a 3BHK in Whitefield?"
        emit("speech.started")
        words = text.split()
        heard = {"language": "en", "engine": "fake", "decode_ms": 40.0}
        for count in (2, 5, 7):
            stable = " ".join(words[: count - 2])
            emit("transcript.partial", None, text=" ".join(words[:count]), stable=stable, **heard)
            if stable:
                emit("transcript.stable", None, text=" ".join(words[:count]), stable=stable, **heard)
            await asyncio.sleep(0.25)
        emit("speech.stopped")
        emit("endpoint", None, **asdict(hinglish())["endpoint"])
        # The caller goes on: what was begun is dropped and asked again in the next turn.
        emit("turn.started", turn, purpose="answer")
        emit("turn.closed", turn, void=True)
        emit("speech.started")
        emit("speech.stopped")
        emit("endpoint", None, **asdict(price())["endpoint"])
        emit("turn.started", turn + 1, purpose="answer")
        emit("transcript.final", turn + 1, text=text, language="en", engine="fake", decode_ms=112.0)
        await self._respond(emit, outbound, turn + 1, text)

    async def _respond(self, emit: Any, outbound: Outbound, turn: int, heard: str) -> None:
        told = {
            name: value
            for name, value in asdict(price()).items()
            if name
            in ("endpoint", "language_reading", "speculations", "memory", "budget", "heard_normalised")
        }
        if heard == "tell everything":
            emit("endpoint", None, **told["endpoint"])
            emit("language", turn, **asdict(hinglish())["language_reading"])
            for guess in told["speculations"][:2]:
                emit("speculation", None, **guess)
            emit("memory", turn, **asdict(corrected())["memory"])
        emit(
            "intent", turn, slug="price_enquiry", score=0.92, runner_up="availability_enquiry", language="en"
        )
        emit("retrieval", turn, query=heard, source="listings", outcome="ok", latency_ms=31.0, score=0.94,
             chunk="listing:lakeview-3bhk", version="7", text="Whitefield: 3BHK at ₹1.2 crore")  # fmt: skip
        emit("llm.first_token", turn, after_ms=120.0)
        emit("clause", turn, text="A 3BHK in Whitefield is ₹1.2 crore.", source="llm")
        emit(
            "degrade",
            turn,
            decision="degrade",
            code="tts_failover",
            reason="hibari did not answer, piper spoke",
        )
        emit("tts.first_audio", turn)
        emit("agent.speaking", turn, text="A 3BHK in Whitefield is ₹1.2 crore.", purpose="answer")
        await self._speak(outbound, self.answer_seconds, f"turn-{turn}")
        kept = told | {"language_reading": None, "memory": {}} if heard == "tell everything" else {}
        emit("turn.closed", turn, index=turn, latency_ms=712.0, stt_ms=112.0, retrieval_ms=31.0, llm_ms=460.0,
             tts_ms=58.0, heard=heard, said="A 3BHK in Whitefield is ₹1.2 crore.", intent="price_enquiry",
             interrupted=False, crm_sync="none", answer_source="llm", **kept)  # fmt: skip

    async def _speak(self, outbound: Outbound, seconds: float, mark: str) -> None:
        pcm = tone(seconds)
        for start in range(0, len(pcm), 640):
            await outbound.audio(pcm[start : start + 640])
        await outbound.mark(mark)
