"""A talker and the agent's own echo, told apart window by window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from agents.pipeline.echo import EchoGuard

RATE_HZ = 16_000
WINDOW = 512
FRAME = 320
AHEAD_MS = 200.0

Sound = NDArray[np.float32]


def speech(seconds: float, seed: int, level: float = 9000.0) -> Sound:
    """A tone with the loudness of speech: syllables of 100 to 300 ms, pauses between words."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE_HZ)
    loudness = np.zeros(count, np.float32)
    at = 0
    while at < count:
        length = int(rng.uniform(0.10, 0.30) * RATE_HZ)
        loudness[at : at + length] = (rng.uniform(0.3, 1.0) * np.hanning(length))[: count - at]
        at += length + (int(rng.uniform(0.08, 0.2) * RATE_HZ) if rng.random() < 0.25 else 0)
    return loudness * level * np.sin(2 * np.pi * 210 * np.arange(count, dtype=np.float32) / RATE_HZ)


def pause(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


@dataclass
class Told:
    """Of the windows with sound in them, how many the guard gave to the echo."""

    explained: int = 0
    windows: int = 0

    @property
    def share(self) -> float:
        return self.explained / max(1, self.windows)


@dataclass
class Line:
    """A speakerphone: what plays comes back `delay_ms` later at `level_db` (None: not at all)."""

    level_db: float | None
    delay_ms: float = 200.0
    jitter_ms: float = 0.0
    lost: float = 0.0

    def run(self, played: Sound, caller: Sound) -> tuple[Told, Told]:
        """(windows in which the caller talks, the others), both of sounding windows only."""
        rng = np.random.default_rng(5)
        mic = rng.normal(0, 8, len(played)).astype(np.float32)
        if self.level_db is not None:
            delay = int(self.delay_ms * RATE_HZ / 1000)
            mic[delay:] += 10 ** (self.level_db / 20) * played[: len(played) - delay]
        mic += caller
        for at in range(0, len(mic), FRAME):
            if rng.random() < self.lost:
                mic[at : at + FRAME] = 0
        guard, sent = EchoGuard(), 0
        talking, alone = Told(), Told()
        for at in range(0, len(played) - WINDOW, WINDOW):
            until = at + WINDOW
            while sent + FRAME <= min(until + AHEAD_MS * 16, len(played)):
                guard.sent(played[sent : sent + FRAME].astype("<i2").tobytes(), 20.0, sent / 16)
                sent += FRAME
            now = until / 16 + float(rng.uniform(-self.jitter_ms, self.jitter_ms))
            guard.heard(mic[at:until], now, 32.0)
            explained = guard.explains(now)
            if float(np.sqrt(np.mean(mic[at:until] ** 2))) < 200:
                continue
            told = talking if np.abs(caller[at:until]).max() > 600 else alone
            told.windows += 1
            told.explained += explained
        return talking, alone


def conversation(begins_ms: float, seed: int = 1) -> tuple[Sound, Sound]:
    """Greeting, pause, an answer of four seconds; the caller talks `begins_ms` after it began."""
    opening = np.concatenate([pause(0.5), speech(1.4, seed), pause(1.2)])
    played = np.concatenate([opening, speech(4.0, seed + 1), pause(1.0)])
    caller = np.zeros_like(played)
    begin = len(opening) + int(begins_ms * 16)
    words = speech(1.5, seed + 2)
    caller[begin : begin + len(words)] = words
    return played, caller


@pytest.mark.parametrize("begins_ms", [0, 60, 300, 1500])
@pytest.mark.parametrize("seed", [1, 20, 300])
def test_a_caller_over_the_agent_is_heard_where_nothing_echoes(begins_ms: float, seed: int) -> None:
    """Two voices that begin together have loudness curves alike: a caller taken for an echo of the
    agent is talked over to the end of the sentence."""
    talking, _ = Line(None).run(*conversation(begins_ms, seed))
    assert talking.windows > 25
    assert talking.explained == 0


@pytest.mark.parametrize("begins_ms", [0, 60, 300, 1500])
@pytest.mark.parametrize(("level_db", "most"), [(-26, 0.05), (-20, 0.15), (-12, 0.35)])
def test_a_caller_over_the_agent_is_heard_through_its_echo(
    begins_ms: float, level_db: float, most: float
) -> None:
    talking, alone = Line(level_db, 240).run(*conversation(begins_ms))
    assert talking.share <= most
    # What is left of a guess that somebody talks must not outlive the talking for long.
    assert alone.windows - alone.explained <= 6


@pytest.mark.parametrize("level_db", [-26, -20, -12, -8])
@pytest.mark.parametrize("delay_ms", [20, 180, 420, 600])
def test_an_echo_alone_is_nobody_from_the_first_word_on(level_db: float, delay_ms: float) -> None:
    """The first window of a call, the greeting, the answer, and the tail after the agent fell silent."""
    played, caller = conversation(0)
    _, alone = Line(level_db, delay_ms).run(played, 0 * caller)
    if level_db >= -20:
        assert alone.windows > 10
    assert alone.explained == alone.windows


@pytest.mark.parametrize("level_db", [-20, -12, -8])
def test_lost_packets_and_an_unsteady_clock_make_no_talker_of_an_echo(level_db: float) -> None:
    """A lost packet is silence: taken for proof that nothing echoes, the agent stops for itself."""
    played, caller = conversation(0)
    _, alone = Line(level_db, 240, jitter_ms=10, lost=0.03).run(played, 0 * caller)
    assert alone.explained == alone.windows


def test_long_after_the_agent_fell_silent_nothing_is_an_echo() -> None:
    guard = EchoGuard()
    guard.sent(speech(0.02, 1).astype("<i2").tobytes(), 20.0, 1000.0)
    loud = np.full(WINDOW, 200, np.float32)
    guard.heard(loud, 1640.0, 32.0)
    assert guard.active(1640.0)
    guard.heard(loud, 1700.0, 32.0)
    assert not guard.active(1700.0) and not guard.explains(1700.0)


def test_what_was_taken_back_makes_no_echo() -> None:
    """After a hold the caller's words would be explained by words that were never played."""
    guard = EchoGuard()
    for frame in range(10):
        guard.sent(speech(0.02, 3, 20_000).astype("<i2").tobytes(), 20.0, 1000.0 + 20 * frame)
    guard.cut(1000.0)
    guard.heard(np.full(WINDOW, 500, np.float32), 1100.0, 32.0)
    assert not guard.explains(1100.0)
