"""The language model's weights in a faster form: the same model, or the file as it is."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from voiceops.launch.requantise import NotConvertible, as_q8


def gguf(path: Path, kind: int, blob: bytes, *, key: bytes = b"general.name") -> Path:
    """A GGUF with one string key, one float tensor and one tensor of 64 weights."""
    head = b"GGUF" + struct.pack("<IQQ", 3, 2, 1)
    head += struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, 4) + b"tiny"
    for name, shape, of, offset in ((b"norm", (2,), 0, 0), (b"weight", (32, 2), kind, 32)):
        head += struct.pack("<Q", len(name)) + name
        head += struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, of, offset)
    head += b"\0" * (-len(head) % 32)
    path.write_bytes(head + struct.pack("<ff", 1.5, -2.5).ljust(32, b"\0") + blob)
    return path


def q4_1_blocks() -> tuple[bytes, np.ndarray]:
    """Two blocks and the 64 weights that they stand for."""
    blob, weights = b"", []
    for scale, least in ((0.25, -1.5), (0.0, 0.0)):
        nibbles = np.arange(32, dtype=np.uint8) % 16
        packed = nibbles[:16] | (nibbles[16:] << 4)
        blob += np.array([scale, least], "<f2").tobytes() + packed.astype(np.uint8).tobytes()
        weights.append(nibbles.astype(np.float32) * scale + least)
    return blob, np.concatenate(weights)


def test_the_faster_file_holds_the_same_weights(tmp_path: Path) -> None:
    """A model that answers differently after an update would fail its facts silently."""
    blob, weights = q4_1_blocks()
    made = as_q8(gguf(tmp_path / "m.gguf", 3, blob), tmp_path / "faster").read_bytes()
    blocks = np.frombuffer(made[-96:][:68], np.uint8).reshape(2, 34)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    read = (blocks[:, 2:].copy().view(np.int8) * scales).reshape(-1)
    assert np.abs(read - weights).max() <= 0.004 * np.abs(weights).max() + 1e-3
    assert struct.pack("<ff", 1.5, -2.5) in made, "tensors of other types are carried over"


def test_it_is_made_once(tmp_path: Path) -> None:
    source = gguf(tmp_path / "m.gguf", 3, q4_1_blocks()[0])
    first = as_q8(source, tmp_path / "faster")
    written = first.stat().st_mtime_ns
    assert as_q8(source, tmp_path / "faster").stat().st_mtime_ns == written
    assert [path.name for path in first.parent.iterdir()] == [first.name], "no half-written file stays"


@pytest.mark.parametrize(
    ("kind", "key", "why"), [(12, b"general.name", "types"), (3, b"general.alignment", "alignment")]
)
def test_another_file_is_refused_not_spoiled(tmp_path: Path, kind: int, key: bytes, why: str) -> None:
    """The server then loads the file as it is."""
    source = gguf(tmp_path / "m.gguf", kind, q4_1_blocks()[0], key=key)
    with pytest.raises(NotConvertible, match=why):
        as_q8(source, tmp_path / "faster")
    assert not list((tmp_path / "faster").iterdir())


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"hello")
    with pytest.raises(NotConvertible):
        as_q8(tmp_path / "m.gguf", tmp_path / "faster")
