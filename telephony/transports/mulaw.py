"""G.711 mu-law by table: int16 PCM in and out, both at 8 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BIAS = 0x84
_CLIP = 32635


def _decoding() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4) & 0x07
    mantissa = (code & 0x0F).astype(np.int32)
    magnitude = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype("<i2")


def _encoding() -> NDArray[np.uint8]:
    """One code for each of the 65536 samples, indexed by the sample's bits."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    sign = np.where(sample < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(sample), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)


_DECODE = _decoding()
_ENCODE = _encoding()


def decode(codes: bytes) -> bytes:
    """int16 little-endian PCM, one sample a code."""
    return _DECODE[np.frombuffer(codes, np.uint8)].tobytes()


def encode(pcm: bytes) -> bytes:
    """mu-law codes of int16 little-endian PCM; a trailing half sample is dropped."""
    return _ENCODE[np.frombuffer(pcm, "<u2", count=len(pcm) // 2)].tobytes()
