"""Hibari: the neural English voice that keeps the latency budget on a CPU (24 kHz)."""

from __future__ import annotations

from hibari import SAMPLE_RATE, Hibari

from voiceops.inference.engines.base import (
    Emit,
    EngineInfo,
    InvalidRequest,
    IsCancelled,
    Options,
    int16,
)

VOICES = ("heart",)
"""The voice inside the package; others would be downloaded."""
SEED = 7
"""Fixes the noise part, so that the same words always sound the same."""


class HibariVoice:
    """Runs on one thread: more do not help an 8 MB model."""

    def __init__(self, options: Options) -> None:
        self._model = Hibari(voice=VOICES[0], threads=1)
        self.info = EngineInfo(
            engine="Hibari (neural, ONNX)", languages=frozenset({"en"}), sample_rate_hz=SAMPLE_RATE
        )

    def warm(self) -> None:
        self.synthesize("Ready.", language="en", voice="", emit=lambda pcm: None, cancelled=lambda: False)

    def synthesize(self, text: str, *, language: str, voice: str, emit: Emit, cancelled: IsCancelled) -> None:
        if language != "en":
            raise InvalidRequest(f"language {language!r}: Hibari speaks English (en) only")
        if voice and voice not in VOICES:
            raise InvalidRequest(f"voice {voice!r}: Hibari has {', '.join(VOICES)}")
        for audio in self._model.stream(text, seed=SEED):
            if cancelled():
                return
            emit(int16(audio))
