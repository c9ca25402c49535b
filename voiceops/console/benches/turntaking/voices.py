"""Synthetic callers: every piece of the suite spoken once, and kept in the data directory."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from voiceops.console.benches.turntaking import sounds
from voiceops.console.benches.turntaking.sounds import Samples
from voiceops.console.benches.turntaking.suite import Dialogue, Piece
from voiceops.core.budget import Deadline
from voiceops.core.errors import StageError, VoiceOpsError
from voiceops.inference.client import InferenceClient

VERSION = "2"
"""Of how pieces are made: another one makes all of them anew."""
START_S = 60.0
SPEAK_MS = 60_000.0
BABBLE = (
    "So I told him that the meeting was moved to the other room, and nobody had heard of it.",
    "We could take the earlier train if you do not mind waiting at the station for a while.",
    "She said the kitchen was finished last week, but the painters are still coming on Monday.",
    "There was a long queue at the counter, and then they closed it right in front of me.",
)
BABBLE_VOICES = ("heart", "joe", "en-gb-x-rp", "en-us+f3")
_ENGINES = {"joe": ("piper", ""), "heart": ("hibari", "")}


class BenchFailed(VoiceOpsError):
    """The bench cannot be run; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    voice: str
    pace: float
    text: str
    goes_on: bool = False
    """Spoken with the melody of a sentence that is not over."""

    @property
    def spoken(self) -> str:
        return f"{self.text}," if self.goes_on and self.text[-1].isalnum() else self.text

    @property
    def key(self) -> str:
        whole = "|".join((VERSION, self.voice, f"{self.pace:.2f}", self.spoken))
        return hashlib.sha256(whole.encode()).hexdigest()[:24]


def line_of(dialogue: Dialogue, piece: Piece) -> Line:
    goes_on = piece.pause_ms > 0 and not piece.may_end
    return Line(dialogue.voice, dialogue.pace, piece.text, goes_on)


def lines_of(dialogues: Iterable[Dialogue]) -> Iterator[Line]:
    for dialogue in dialogues:
        for step in dialogue.steps:
            for pieces in (step.pieces, *(over.pieces for over in step.over)):
                for piece in pieces:
                    yield line_of(dialogue, piece)


@dataclass(slots=True)
class Voices:
    """Spoken pieces by line; trimmed to their sound and at one level."""

    said: Mapping[Line, Samples]
    babble: Samples = field(default_factory=lambda: np.zeros(1, np.float32))

    def of(self, line: Line) -> Samples:
        return self.said[line]


def spoken(dialogues: Sequence[Dialogue], folder: Path, say: Callable[[str], None]) -> Voices:
    """Every line of the dialogues; what is not in `folder` yet is synthesised by a speech server
    that runs for as long as that takes. Raises BenchFailed."""
    folder.mkdir(parents=True, exist_ok=True)
    babble = [
        Line(voice, 1.0, text)
        for voice, text in zip(BABBLE_VOICES, BABBLE, strict=True)
        if any(d.noise is not None and d.noise.kind == "babble" for d in dialogues)
    ]
    wanted = list(dict.fromkeys((*lines_of(dialogues), *babble)))
    missing = [line for line in wanted if not (folder / f"{line.key}.npy").is_file()]
    if missing:
        say(f"synthesising {len(missing)} pieces of speech")
        with _speech_server(sorted({_engine(line.voice)[0] for line in missing})) as target:
            asyncio.run(_synthesise(missing, target, folder))
    said = {line: np.load(folder / f"{line.key}.npy") for line in wanted}
    mixed = np.concatenate([said[line] for line in babble]) if babble else np.zeros(1, np.float32)
    return Voices(said, mixed)


def _engine(voice: str) -> tuple[str, str]:
    return _ENGINES.get(voice, ("espeak", voice))


async def _synthesise(lines: Sequence[Line], target: str, folder: Path) -> None:
    client = InferenceClient(target)
    try:
        for line in lines:
            engine, voice = _engine(line.voice)
            pcm, rate_hz = bytearray(), 0
            async for chunk in client.synthesize(
                line.spoken, engine=engine, language="en", voice=voice, deadline=Deadline.after_ms(SPEAK_MS)
            ):
                pcm += chunk.pcm
                rate_hz = chunk.sample_rate_hz
            samples = sounds.from_pcm(bytes(pcm), rate_hz)
            samples = sounds.at_level(sounds.trimmed(sounds.at_pace(samples, line.pace)))
            if not len(samples):
                raise BenchFailed(f"the voice {line.voice} says nothing for {line.text!r}: use other words")
            unfinished = folder / f"{line.key}.part.npy"
            np.save(unfinished, samples)
            unfinished.replace(folder / f"{line.key}.npy")
    except StageError as error:
        raise BenchFailed(f"the caller's voices cannot be synthesised: {error}") from error
    finally:
        await client.aclose()


@contextmanager
def _speech_server(engines: Sequence[str]) -> Iterator[str]:
    """A server process of its own: Piper's package is GPL and stays out of this one."""
    with tempfile.TemporaryDirectory(prefix="voiceops-bench-") as folder:
        target = f"unix:{folder}/speech.sock"
        log = Path(folder) / "log"
        command = [sys.executable, "-m", "voiceops.inference.serve"]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, "--engines", ",".join(engines), "--listen", target], stdout=out, stderr=out
            )
        try:
            asyncio.run(_ready(target, process, log))
            yield target
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def _ready(target: str, process: subprocess.Popen[bytes], log: Path) -> None:
    client = InferenceClient(target)
    give_up_s = time.monotonic() + START_S
    try:
        while time.monotonic() < give_up_s:
            if process.poll() is not None:
                said = await asyncio.to_thread(log.read_text)
                raise BenchFailed(f"the speech server does not start: {said[-500:]}")
            try:
                if (await client.health(deadline=Deadline.after_ms(1000)))["status"] == "ok":
                    return
            except StageError:
                pass  # not listening yet; the process is asked again above
            await asyncio.sleep(0.2)
    finally:
        await client.aclose()
    raise BenchFailed(f"the speech server was not ready within {START_S:.0f} s")
