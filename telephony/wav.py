"""WAV files of any rate, width and channel count as mono PCM, and back."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from telephony.transports import mulaw
from voiceops.core.errors import VoiceOpsError

_PCM, _FLOAT, _MULAW, _EXTENSIBLE = 1, 3, 7, 0xFFFE
MAX_BYTES = 200 * 1024 * 1024


class BadWav(VoiceOpsError):
    """The file is not a WAV file with sound in it; the message says what is wrong."""


def read(path: Path, *, rate_hz: int) -> bytes:
    """int16 little-endian mono PCM at `rate_hz`. Raises: BadWav naming the file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadWav(f"{path} is larger than {MAX_BYTES // 2**20} MiB: use a shorter recording")
        data = path.read_bytes()
    except OSError as error:
        raise BadWav(f"{path} cannot be read: {error.strerror}") from None
    try:
        samples, source_hz = _parse(data)
    except (ValueError, struct.error) as error:
        raise BadWav(f"{path} is not a WAV file with sound in it: {error}") from None
    if source_hz != rate_hz:
        samples = soxr.resample(samples, source_hz, rate_hz)
    return (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def write(path: Path, pcm: bytes, *, rate_hz: int) -> None:
    """int16 mono `pcm` as a WAV file. Raises: OSError."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm)


def resample(pcm: bytes, source_hz: int, rate_hz: int) -> bytes:
    """int16 mono PCM at another rate."""
    if source_hz == rate_hz:
        return pcm
    return soxr.resample(np.frombuffer(pcm, "<i2"), source_hz, rate_hz).astype("<i2").tobytes()


def _parse(data: bytes) -> tuple[NDArray[np.float32], int]:
    """(mono samples of -1 to 1, rate in Hz) of a RIFF file. Raises: ValueError, struct.error."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("it does not begin with RIFF and WAVE")
    layout: tuple[int, int, int, int] | None = None
    position = 12
    while position + 8 <= len(data):
        name, size = data[position : position + 4], struct.unpack_from("<I", data, position + 4)[0]
        body = data[position + 8 : position + 8 + size]
        if name == b"fmt ":
            tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
            if tag == _EXTENSIBLE and len(body) >= 26:
                tag = struct.unpack_from("<H", body, 24)[0]
            layout = (tag, channels, rate_hz, bits)
        elif name == b"data":
            if layout is None:
                raise ValueError("its data come before its format")
            return _samples(body, *layout), layout[2]
        position += 8 + size + size % 2
    raise ValueError("it has no data")


def _samples(body: bytes, tag: int, channels: int, rate_hz: int, bits: int) -> NDArray[np.float32]:
    if not (1 <= channels <= 64 and 1000 <= rate_hz <= 768_000):
        raise ValueError(f"{channels} channels at {rate_hz} Hz make no sense")
    width = bits // 8
    body = body[: len(body) - len(body) % max(1, width * channels)]
    if tag == _MULAW and bits == 8:
        values = np.frombuffer(mulaw.decode(body), "<i2") / np.float32(32768)
    elif tag == _PCM and bits == 8:
        values = (np.frombuffer(body, "u1").astype(np.float32) - 128) / 128
    elif tag == _PCM and bits == 16:
        values = np.frombuffer(body, "<i2") / np.float32(32768)
    elif tag == _PCM and bits == 24:
        wide = np.zeros((len(body) // 3, 4), "u1")
        wide[:, 1:] = np.frombuffer(body, "u1").reshape(-1, 3)
        values = wide.view("<i4")[:, 0] / np.float32(2**31)
    elif tag == _PCM and bits == 32:
        values = np.frombuffer(body, "<i4") / np.float32(2**31)
    elif tag == _FLOAT and bits in (32, 64):
        values = np.nan_to_num(np.frombuffer(body, f"<f{width}")).astype(np.float32)
    else:
        raise ValueError(f"its encoding (format {tag}, {bits} bits) is not PCM, float or mu-law")
    if not values.size:
        raise ValueError("it holds no sound")
    return np.ascontiguousarray(values.reshape(-1, channels).mean(axis=1), dtype=np.float32)
