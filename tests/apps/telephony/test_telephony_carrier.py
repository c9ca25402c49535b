"""The simulated carrier: what a caller says, hears and measures is what a telephone would."""

from __future__ import annotations

import asyncio
import struct
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from telephony.carrier import FRAME_BYTES, CarrierError, Patience, Utterance, audible, place_call
from telephony.transports import mulaw
from telephony.wav import BadWav, read, write
from tests.apps.telephony.conftest import StartMedia
from voiceops.core.events import WireAudio, WireEvent, WireMark, WireStopped
from voiceops.core.plan import CallOffer
from voiceops.core.ports import Listener, Outbound
from voiceops.core.streams import DropOldest

QUICK = Patience(greeting_ms=3000, answer_ms=3000, settle_ms=200)


def tone(duration_ms: int, rate_hz: int = 8000) -> bytes:
    at = np.arange(rate_hz * duration_ms // 1000) / rate_hz
    return (np.sin(2 * np.pi * 440 * at) * 12000).astype("<i2").tobytes()


def silence(duration_ms: int) -> bytes:
    return bytes(8000 * duration_ms // 1000 * 2)


class Receptionist:
    """Greets, then answers each utterance after 100 ms of silence, with a mark behind it."""

    def __init__(self, *, answer_ms: int = 300, hang_up_after: int | None = None) -> None:
        self.answer_ms = answer_ms
        self.hang_up_after = hang_up_after
        self.marks: list[str] = []
        self.heard_frames = 0
        self.answers = 0
        self.clear_on_speech = False

    async def __call__(
        self,
        offer: CallOffer,
        inbound: DropOldest[WireEvent],
        outbound: Outbound,
        listeners: Sequence[Listener],
    ) -> None:
        await self.speak(outbound, "greeting", 200)
        speaking, quiet = False, 0
        async for event in inbound:
            match event:
                case WireStopped():
                    return
                case WireMark(name=name):
                    self.marks.append(name)
                case WireAudio(pcm=pcm) if audible(mulaw.encode(pcm)):
                    self.heard_frames += 1
                    if not speaking and self.clear_on_speech:
                        await outbound.clear()
                    speaking, quiet = True, 0
                case WireAudio() if speaking:
                    quiet += 1
                    if quiet == 5:
                        speaking = False
                        self.answers += 1
                        if self.answers == self.hang_up_after:
                            await outbound.hangup("goodbye")
                            return
                        await self.speak(outbound, f"answer {self.answers}", self.answer_ms)

    async def speak(self, outbound: Outbound, name: str, duration_ms: int) -> None:
        pcm = tone(duration_ms)
        for at in range(0, len(pcm), 640):
            await outbound.audio(pcm[at : at + 640])
        await outbound.mark(name)


async def test_a_call_is_spoken_heard_and_measured(start_media: StartMedia) -> None:
    agent = Receptionist()
    said = [Utterance.of(tone(200) + silence(60), label="one"), Utterance.of(tone(100), label="two")]
    async with start_media(answer=agent) as media:
        call = await place_call(
            media.url + media.offer("CAc1"), carrier_ref="CAc1", utterances=said, patience=QUICK
        )
    assert [exchange.label for exchange in call.exchanges] == ["one", "two"]
    assert call.greeted_ms is not None and call.ended_by == "caller"
    assert agent.heard_frames == 15
    assert agent.marks == ["greeting", "answer 1", "answer 2"] and call.marks == 3
    for exchange in call.exchanges:
        # The agent waits five silent frames, so no true measurement can be shorter than that.
        assert exchange.heard_latency_ms is not None and exchange.heard_latency_ms >= 80
        assert exchange.answer_played_ms is not None and exchange.answered_ms is not None
        assert exchange.answer_played_ms >= exchange.answered_ms
    loud = [
        audible(bytes(call.played[at : at + FRAME_BYTES])) for at in range(0, len(call.played), FRAME_BYTES)
    ]
    assert sum(loud) == (200 + 300 + 300) // 20
    assert len(call.played_pcm) == 2 * len(call.played)


async def test_what_was_not_played_is_dropped_on_clear_and_its_marks_come_back(
    start_media: StartMedia,
) -> None:
    agent = Receptionist(answer_ms=3000)
    agent.clear_on_speech = True
    said = [Utterance.of(tone(100), label="ask"), Utterance.of(tone(100), label="interrupt", after_ms=300)]
    async with start_media(answer=agent) as media:
        call = await place_call(
            media.url + media.offer("CAc2"), carrier_ref="CAc2", utterances=said,
            patience=Patience(greeting_ms=3000, answer_ms=3000, settle_ms=200, longest_ms=500),
        )  # fmt: skip
    assert call.clears == 2
    assert "answer 1" in agent.marks
    sounding_ms = 20 * sum(
        audible(bytes(call.played[at : at + FRAME_BYTES])) for at in range(0, len(call.played), FRAME_BYTES)
    )
    assert sounding_ms < 3000, "the answer was played on after the clear"


async def test_an_agent_that_hangs_up_ends_the_call_early(start_media: StartMedia) -> None:
    said = [Utterance.of(tone(100), label="bye"), Utterance.of(tone(100), label="never said")]
    async with start_media(answer=Receptionist(hang_up_after=1)) as media:
        call = await place_call(
            media.url + media.offer("CAc3"), carrier_ref="CAc3", utterances=said, patience=QUICK
        )
    assert (call.ended_by, call.close_code, call.close_reason) == ("agent", 1000, "goodbye")
    assert [exchange.label for exchange in call.exchanges] == ["bye"]


async def test_a_silent_agent_does_not_hold_the_caller_for_ever(start_media: StartMedia) -> None:
    async def mute(offer: Any, inbound: DropOldest[WireEvent], outbound: Any, listeners: Any) -> None:
        async for event in inbound:
            if isinstance(event, WireStopped):
                return

    patience = Patience(greeting_ms=100, answer_ms=200, settle_ms=100)
    async with start_media(answer=mute) as media:
        call = await place_call(
            media.url + media.offer("CAc4"),
            carrier_ref="CAc4",
            utterances=[Utterance.of(tone(60))],
            patience=patience,
        )
    assert call.greeted_ms is None and call.exchanges[0].heard_latency_ms is None


async def test_a_refused_call_says_why(start_media: StartMedia) -> None:
    async with start_media() as media:
        with pytest.raises(CarrierError, match="token_unknown"):
            await place_call(
                media.url + "/telephony/twilio/stream/nonsense", carrier_ref="CAc5",
                utterances=[Utterance.of(tone(60))], patience=QUICK,
            )  # fmt: skip
    with pytest.raises(CarrierError, match="cannot be reached"):
        await place_call("ws://127.0.0.1:1/", carrier_ref="CAc6", utterances=[], patience=QUICK)


async def test_many_callers_fit_in_one_process(start_media: StartMedia) -> None:
    said = [Utterance.of(tone(100), label="one")]
    async with start_media(answer=Receptionist()) as media:
        calls = await asyncio.gather(
            *(
                place_call(
                    media.url + media.offer(f"CAm{i}"), carrier_ref=f"CAm{i}", utterances=said, patience=QUICK
                )
                for i in range(15)
            )
        )
    assert all(call.exchanges[0].heard_latency_ms is not None for call in calls)


def riff(fmt: bytes, data: bytes) -> bytes:
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def header(tag: int, channels: int, rate_hz: int, bits: int) -> bytes:
    block = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate_hz, rate_hz * block, block, bits)


WAVES = {
    "pcm8 22k": lambda s: riff(header(1, 1, 22050, 8), ((s * 127) + 128).astype("u1").tobytes()),
    "pcm16 stereo 44k": lambda s: riff(
        header(1, 2, 44100, 16), np.repeat((s * 32767).astype("<i2"), 2).tobytes()
    ),
    "pcm24 48k": lambda s: riff(
        header(1, 1, 48000, 24), (s * (2**23 - 1)).astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes()
    ),
    "pcm32 16k": lambda s: riff(header(1, 1, 16000, 32), (s * (2**31 - 1)).astype("<i4").tobytes()),
    "float 24k": lambda s: riff(header(3, 1, 24000, 32), s.astype("<f4").tobytes()),
    "mulaw 8k": lambda s: riff(header(7, 1, 8000, 8), mulaw.encode((s * 32767).astype("<i2").tobytes())),
    "extensible 16k": lambda s: riff(
        header(0xFFFE, 1, 16000, 16) + struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", 1) + b"\0" * 14,
        (s * 32767).astype("<i2").tobytes(),
    ),
}


@pytest.mark.parametrize("kind", WAVES)
def test_recordings_of_any_kind_are_read(tmp_path: Path, kind: str) -> None:
    rate_hz = {"22k": 22050, "44k": 44100, "48k": 48000, "16k": 16000, "24k": 24000, "8k": 8000}[
        kind.split()[-1]
    ]
    at = np.arange(rate_hz) / rate_hz
    path = tmp_path / "caller.wav"
    path.write_bytes(WAVES[kind](0.5 * np.sin(2 * np.pi * 440 * at)))
    heard = np.frombuffer(read(path, rate_hz=8000), "<i2").astype(float)
    assert len(heard) == 8000
    spectrum = np.abs(np.fft.rfft(heard))
    assert int(spectrum.argmax()) == 440
    assert heard.max() == pytest.approx(16384, rel=0.03)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "RIFF"),
        (b"RIFF\0\0\0\0WAVE", "no data"),
        (b"ID3" + b"\0" * 100, "RIFF"),
        (riff(header(1, 1, 8000, 16), b""), "no sound"),
        (riff(header(0x55, 1, 8000, 16), b"\0" * 99), "encoding"),
        (riff(header(1, 0, 8000, 16), b"\0" * 99), "make no sense"),
        (riff(b"\1\0", b"\0" * 99), "not a WAV file"),
    ],
)
def test_a_file_without_sound_is_named(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "broken.wav"
    path.write_bytes(data)
    with pytest.raises(BadWav, match=problem) as bad:
        read(path, rate_hz=8000)
    assert "broken.wav" in str(bad.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadWav, match=r"gone\.wav cannot be read"):
        read(tmp_path / "gone.wav", rate_hz=8000)


def test_what_was_heard_is_saved_as_a_wav_file(tmp_path: Path) -> None:
    write(tmp_path / "answer.wav", tone(100), rate_hz=8000)
    with wave.open(str(tmp_path / "answer.wav")) as saved:
        assert (saved.getframerate(), saved.getnchannels(), saved.getnframes()) == (8000, 1, 800)


@pytest.mark.parametrize("message", ["not JSON", '{"event": "media"}', '{"no": "event"}'])
async def test_what_no_carrier_understands_is_not_taken_for_a_hang_up(message: str) -> None:
    """A real carrier would cut the call; here the fault would pass for a polite goodbye."""

    async def broken(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(message)
        await socket.wait_closed()

    async with serve(broken, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(CarrierError, match="the platform sent what no carrier understands"):
            await place_call(
                f"ws://127.0.0.1:{port}/", carrier_ref="CAc9", utterances=[Utterance.of(tone(100))],
                patience=QUICK,
            )  # fmt: skip
