"""Pocketsphinx: a small recogniser that needs 30 MB and no neural network. The second provider:
it keeps a call going in English when Whisper is down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder

from voiceops.inference.engines.base import (
    EngineInfo,
    InvalidRequest,
    IsCancelled,
    Options,
    Recognised,
    int16,
)

RATE_HZ = 16_000
PIECE_SAMPLES = RATE_HZ // 4


class Pocketsphinx:
    def __init__(self, options: Options) -> None:
        self._decoder = Decoder(samprate=RATE_HZ, loglevel="FATAL", bestpath=True)
        self.info = EngineInfo(engine="pocketsphinx (US English)", languages=frozenset({"en"}))

    def warm(self) -> None:
        noise = np.random.default_rng(0).normal(0, 0.01, RATE_HZ).astype(np.float32)
        self.transcribe(noise, language="en", hints=(), cancelled=lambda: False)

    def transcribe(
        self,
        audio: NDArray[np.float32],
        *,
        language: str,
        hints: Sequence[str],
        cancelled: IsCancelled,
        prefix: str = "",
        identify: bool = False,
    ) -> Recognised:
        if language != "en":
            raise InvalidRequest(f"language {language!r}: pocketsphinx hears English (en) only")
        if not len(audio):
            return Recognised("", 0.0, 1.0)
        self._decoder.start_utt()
        try:
            for start in range(0, len(audio), PIECE_SAMPLES):
                if cancelled():
                    break
                self._decoder.process_raw(int16(audio[start : start + PIECE_SAMPLES]), False, False)
        finally:
            self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        text = hypothesis.hypstr.strip() if hypothesis is not None else ""
        return Recognised(text, 0.0, 0.0 if text else 1.0)
