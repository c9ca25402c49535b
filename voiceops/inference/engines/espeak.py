"""eSpeak NG through ctypes: robotic, but 5 ms a sentence and it knows Hindi. The last resort.

The library keeps global state and is not thread safe: one lane's thread owns it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import espeakng_loader

from voiceops.core.errors import ConfigurationError
from voiceops.inference.engines.base import Emit, EngineInfo, InvalidRequest, IsCancelled, Options

_AUDIO_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_RATE_PARAMETER = 1
WORDS_PER_MINUTE = 165
BUFFER_MS = 60
"""Length of one callback's audio: small, so that the first arrives at once and a stop is quick."""
VOICES = {"en": "en-us", "hi": "hi"}

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    def __init__(self, options: Options) -> None:
        library = Path(espeakng_loader.get_library_path())
        try:
            self._lib = ctypes.CDLL(str(library))
        except OSError as error:
            raise ConfigurationError(f"eSpeak NG does not load from {library}: {error}") from error
        data = Path(espeakng_loader.get_data_path()).parent
        rate_hz = self._lib.espeak_Initialize(
            _AUDIO_SYNCHRONOUS, BUFFER_MS, str(data).encode(), _INITIALIZE_DONT_EXIT
        )
        if rate_hz <= 0:
            raise ConfigurationError(f"eSpeak NG finds no voice data in {data}: reinstall espeakng-loader")
        self._lib.espeak_SetParameter(_RATE_PARAMETER, WORDS_PER_MINUTE, 0)
        self._hear: Callable[[bytes], bool] = lambda pcm: True
        self._callback = _Callback(self._on_audio)
        self._lib.espeak_SetSynthCallback(self._callback)
        self.info = EngineInfo(
            engine="eSpeak NG (formant)", languages=frozenset(VOICES), sample_rate_hz=rate_hz
        )

    def warm(self) -> None:
        self.synthesize("Ready.", language="en", voice="", emit=lambda pcm: None, cancelled=lambda: False)

    def synthesize(self, text: str, *, language: str, voice: str, emit: Emit, cancelled: IsCancelled) -> None:
        if language not in VOICES:
            raise InvalidRequest(f"language {language!r}: use one of {', '.join(sorted(VOICES))}")
        if self._lib.espeak_SetVoiceByName((voice or VOICES[language]).encode()) != 0:
            raise InvalidRequest(f"voice {voice!r}: eSpeak NG has no such voice")
        failure: list[BaseException] = []

        def hear(pcm: bytes) -> bool:
            try:
                if not cancelled():
                    emit(pcm)
                    return True
            except BaseException as error:
                failure.append(error)
            return False

        self._hear = hear
        data = text.encode() + b"\0"
        status = self._lib.espeak_Synth(data, len(data), 0, 0, 0, _CHARS_UTF8, None, None)
        if failure:
            raise failure[0]
        if status != 0 and not cancelled():
            raise RuntimeError(f"espeak_Synth returned {status}")

    def _on_audio(self, wave: object, samples: int, events: object) -> int:
        """Called by the library inside `espeak_Synth`; 1 stops it."""
        if not wave or samples <= 0:
            return 0
        pcm = ctypes.string_at(wave, samples * 2)  # type: ignore[arg-type]
        return 0 if self._hear(pcm) else 1
