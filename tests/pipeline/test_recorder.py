"""The recording: a wave file that any player opens, each side in its own channel, in time."""

from __future__ import annotations

import io
import wave

import numpy as np

from agents.pipeline.recorder import Recorder
from tests.fakes.ports import silence, voice
from tests.pipeline.conftest import Desk


class Tape:
    def __init__(self) -> None:
        self.data = bytearray()
        self.writes: list[int] = []

    def write(self, data: bytes, at: int | None) -> None:
        self.writes.append(len(data))
        if at is None:
            self.data += data
        else:
            self.data[at : at + len(data)] = data

    def channels(self) -> tuple[int, np.ndarray, np.ndarray]:
        with wave.open(io.BytesIO(bytes(self.data))) as file:
            assert file.getnchannels() == 2 and file.getsampwidth() == 2
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
            return file.getframerate(), samples[:, 0], samples[:, 1]


def loud(samples: np.ndarray, rate_hz: int) -> list[int]:
    """Tenths of a second in which something is heard."""
    size = rate_hz // 10
    return [i for i in range(len(samples) // size) if np.abs(samples[i * size : (i + 1) * size]).mean() > 500]


def test_each_side_stands_in_its_channel_at_its_time() -> None:
    tape = Tape()
    recorder = Recorder(tape.write, sample_rate_hz=8000)
    for at in range(0, 5000, 20):
        talking = 1000 <= at < 2000
        recorder.caller(voice(20, 8000) if talking else silence(20, 8000), 8000, at + 20)
    for at in range(3000, 4000, 20):
        recorder.agent(voice(20, 8000), 8000, at)
    recorder.close(5000)
    rate, caller, agent = tape.channels()
    assert rate == 8000 and len(caller) == 5 * 8000
    assert loud(caller, rate) == list(range(10, 20))
    assert loud(agent, rate) == list(range(30, 40))
    assert recorder.duration_ms == 5000


def test_what_was_cleared_is_not_on_the_tape() -> None:
    """It would show the agent saying what nobody heard."""
    tape = Tape()
    recorder = Recorder(tape.write)
    recorder.agent(voice(1000), 16_000, 0)
    recorder.cut_agent(400)
    recorder.close(2000)
    rate, _, agent = tape.channels()
    assert loud(agent, rate) == [0, 1, 2, 3]


def test_other_rates_are_brought_to_one() -> None:
    tape = Tape()
    recorder = Recorder(tape.write, sample_rate_hz=16_000)
    for at in range(0, 1000, 20):
        recorder.caller(voice(20, 8000), 8000, at + 20)
    recorder.close(1000)
    rate, caller, _ = tape.channels()
    assert len(loud(caller, rate)) >= 9


def test_a_long_call_is_written_in_chunks_and_not_kept_in_memory() -> None:
    tape = Tape()
    recorder = Recorder(tape.write, sample_rate_hz=8000)
    for at in range(0, 120_000, 20):
        recorder.caller(silence(20, 8000), 8000, at + 20)
    assert len(tape.data) > 110 * 8000 * 4
    assert max(tape.writes) < 6 * 8000 * 4
    recorder.close(120_000)


def test_closing_twice_writes_once() -> None:
    tape = Tape()
    recorder = Recorder(tape.write)
    recorder.close(1000)
    size = len(tape.data)
    recorder.close(9000)
    assert len(tape.data) == size == 44 + 16_000 * 4


async def test_a_call_is_recorded_from_both_sides(desk: Desk) -> None:
    tape = Tape()
    desk.recorder = Recorder(tape.write, path="2026/11/call-1.wav")
    desk.llm.reply = "The 3BHK at Lakeview Residency in Whitefield is priced at ₹1.2 crore."
    async with desk.on_call():
        await desk.say("What is the price of a 3BHK in Whitefield?")
    rate, caller, agent = tape.channels()
    heard, said = loud(caller, rate), loud(agent, rate)
    assert 13 <= len(heard) <= 17 and min(said) < min(heard), "the greeting comes first"
    answer = [tenth for tenth in said if tenth > max(heard)]
    latency_tenths = min(answer) - max(heard)
    assert abs(latency_tenths * 100 - desk.last["latency_ms"]) < 250
    ended = desk.trace.of("call.ended")[0]
    assert ended["recording"] == "2026/11/call-1.wav" and ended["recording_consent"]
    assert abs(ended["recording_ms"] - len(caller) / rate * 1000) < 5
