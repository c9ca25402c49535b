"""An utterance in real time through the real ear and the real voice detector, as a call hears it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from agents.pipeline.ear import Ear
from agents.pipeline.endpointing import Endpointing
from agents.pipeline.hearing import Utterance
from agents.pipeline.recogniser import Recogniser
from agents.providers.stt.remote import RemoteRecogniser
from agents.providers.vad.silero import SileroVad
from voiceops.console.benches.stt.corpus import Clip
from voiceops.core.audio import PIPELINE_RATE_HZ
from voiceops.core.clock import MonotonicClock
from voiceops.core.errors import SttError
from voiceops.core.events import Transcript

FRAME_MS = 20
STT_TIMEOUT_MS = 10_000.0


@dataclass(slots=True)
class Listened:
    """What came of one clip."""

    clip: Clip
    partials: list[tuple[float, Transcript]] = field(default_factory=list)
    candidates: list[tuple[float, Transcript]] = field(default_factory=list)
    utterances: list[Utterance] = field(default_factory=list)
    suspicions: int = 0
    """Silences at which a final decode was begun."""
    vad_failures: int = 0
    """Times the voice detector was too late and loudness stood in: the machine is too busy."""
    failures: list[str] = field(default_factory=list)
    began_s: float = 0.0
    """On `time.monotonic`."""

    @property
    def text(self) -> str:
        return " ".join(t.text for u in self.utterances if (t := _words(u)) is not None and t.text)

    def taken_back(self) -> int:
        """Stable words that a later transcript of the same utterance did not begin with."""
        count = 0
        for utterance in self.utterances:
            texts = [t for at, t in self.partials if utterance.started_ms <= at <= utterance.decided_ms]
            if (final := _words(utterance)) is not None:
                texts.append(final)
            stable = ""
            for transcript in texts:
                count += not transcript.text.startswith(stable)
                stable = max(stable, transcript.stable, key=len)
        return count

    def partial_gaps_ms(self) -> list[float]:
        """From one decode to the next while the caller speaks."""
        gaps = []
        for utterance in self.utterances:
            at = [
                when for when, t in self.partials
                if t.kind == "partial" and utterance.started_ms <= when <= utterance.ended_ms
            ]  # fmt: skip
            gaps += [after - before for before, after in pairwise(at)]
        return gaps

    def first_partial_ms(self) -> float | None:
        """From the first voiced window to the first words."""
        if not self.utterances or not self.partials:
            return None
        return self.partials[0][0] - self.utterances[0].started_ms

    def final_after_ms(self) -> float | None:
        """From the true last sound of speech to the words of all of it."""
        if not self.utterances or not self.utterances[-1].words_ready_ms:
            return None
        return self.utterances[-1].words_ready_ms - self.clip.last_word_s * 1000

    def final_after_voice_ms(self) -> float | None:
        """The same from the last window that the voice detector took for speech."""
        if not self.utterances or not self.utterances[-1].words_ready_ms:
            return None
        return self.utterances[-1].words_ready_ms - self.utterances[-1].ended_ms

    # What the ear tells -----------------------------------------------------------------

    def partial(self, transcript: Transcript) -> None:
        self.partials.append((self.now_ms(), transcript))

    def candidate(self, transcript: Transcript) -> None:
        self.candidates.append((self.now_ms(), transcript))

    def end_of_turn(self, utterance: Utterance) -> None:
        self.utterances.append(utterance)

    def speech_started(self, at_ms: float) -> None: ...

    def speech_stopped(self, at_ms: float) -> None:
        self.suspicions += 1

    def barge_in(self, at_ms: float) -> None: ...

    def vad_failed(self, message: str) -> None:
        self.vad_failures += 1

    def stt_failed(self, provider: str, code: str, message: str) -> None:
        self.failures.append(f"{provider}: {message} ({code})")

    def now_ms(self) -> float:
        return (time.monotonic() - self.began_s) * 1000


async def listen(
    clip: Clip, *, recogniser: RemoteRecogniser, vad: SileroVad, hints: Sequence[str], turn_model: str
) -> Listened:
    """Raises SttError when the recogniser failed."""
    heard = Listened(clip)
    clock = MonotonicClock()

    def opened() -> Recogniser:
        return Recogniser(
            (recogniser,), language="en", hints=hints, clock=clock, timeout_ms=STT_TIMEOUT_MS,
            failed=heard.stt_failed,
        )  # fmt: skip

    pcm = (np.clip(clip.audio, -1, 1) * 32767).astype("<i2").tobytes()
    frame_bytes = PIPELINE_RATE_HZ * FRAME_MS // 1000 * 2
    async with asyncio.TaskGroup() as scope:
        ear = Ear(
            vad=vad.open(), open_recogniser=opened, events=heard, scope=scope, clock=clock,
            call_ms=heard.now_ms, agent_audible=lambda: False, language=lambda: "en",
            window_samples=vad.window_samples, endpointing=Endpointing.of(turn_model),
        )  # fmt: skip
        heard.began_s = time.monotonic()
        sent = 0
        # Silence goes on until the end of turn was decided: a real line never stops.
        while sent < len(pcm) or ear.caller_speaking:
            frame = pcm[sent : sent + frame_bytes].ljust(frame_bytes, b"\0")
            sent += frame_bytes
            at_ms = sent / 2 / PIPELINE_RATE_HZ * 1000
            await asyncio.sleep(max(0.0, at_ms - heard.now_ms()) / 1000)
            await ear.hear(frame, PIPELINE_RATE_HZ, at_ms)
        await asyncio.gather(*(u.words for u in heard.utterances))
    if heard.failures:
        raise SttError(f"listening failed: {heard.failures[0]}", code="failed")
    return heard


def _words(utterance: Utterance) -> Transcript | None:
    return utterance.words.result() if utterance.words.done() else None
