"""Piper: neural voices by file. The package is GPL-3, so it runs in a server of its own."""

from __future__ import annotations

import json
from pathlib import Path

from piper import PiperVoice

from voiceops.core.errors import ConfigurationError
from voiceops.inference.engines.base import Emit, EngineInfo, InvalidRequest, IsCancelled, Options


class PiperVoices:
    """`piper_voice`: an `.onnx` voice file with its `.onnx.json` beside it."""

    def __init__(self, options: Options) -> None:
        path = Path(options["piper_voice"])
        if path.is_dir():
            path = next(iter(sorted(path.glob("*.onnx"))), path / "voice.onnx")
        description = Path(f"{path}.json")
        if not path.is_file() or not description.is_file():
            raise ConfigurationError(
                f"no Piper voice at {path}: set VOICEOPS_PIPER_VOICE to an .onnx file "
                "with its .onnx.json beside it"
            )
        try:
            self._language = json.loads(description.read_text())["espeak"]["voice"].split("-")[0]
            self._voice = PiperVoice.load(path)
        except Exception as error:
            raise ConfigurationError(f"the Piper voice {path} does not load: {error}") from error
        self._name = path.stem
        self.info = EngineInfo(
            engine=f"Piper {path.stem} (neural, ONNX)",
            languages=frozenset({self._language}),
            sample_rate_hz=self._voice.config.sample_rate,
        )

    def warm(self) -> None:
        self.synthesize(
            "Ready.", language=self._language, voice="", emit=lambda pcm: None, cancelled=lambda: False
        )

    def synthesize(self, text: str, *, language: str, voice: str, emit: Emit, cancelled: IsCancelled) -> None:
        if language != self._language:
            raise InvalidRequest(
                f"language {language!r}: the Piper voice {self._name} speaks {self._language}"
            )
        if voice and voice != self._name:
            raise InvalidRequest(f"voice {voice!r}: this Piper server has {self._name}")
        for chunk in self._voice.synthesize(text):
            if cancelled():
                return
            emit(chunk.audio_int16_bytes)
