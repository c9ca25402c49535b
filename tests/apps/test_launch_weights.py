"""A user whose model file is damaged hears nothing, or nonsense, unless it is caught at start."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from voiceops.launch import weights
from voiceops.launch.errors import LaunchError
from voiceops.launch.weights import ModelFile


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "one").write_bytes(b"first half, ")
    (folder / "two").write_bytes(b"second half")
    (folder / "voice").write_bytes(b"a voice")
    return folder


@pytest.fixture
def models() -> dict[str, tuple[ModelFile, ...]]:
    return {
        "ears": (ModelFile(("package/one", "package/two"), sha(b"first half, second half"), "model.bin"),),
        "mouth": (ModelFile(("package/voice",), sha(b"a voice")),),
    }


def prepare(tmp_path: Path, models: dict[str, tuple[ModelFile, ...]], said: list[str]) -> None:
    weights.prepare(
        tmp_path / "data",
        names=tuple(models),
        models=models,
        say=said.append,
        locate=lambda part: tmp_path / part,
    )


def test_parts_are_joined_once(
    tmp_path: Path, package: Path, models: dict[str, tuple[ModelFile, ...]]
) -> None:
    said: list[str] = []
    prepare(tmp_path, models, said)
    assert (tmp_path / "data/models/ears/model.bin").read_bytes() == b"first half, second half"
    prepare(tmp_path, models, said)
    assert said == ["assembling ears/model.bin"]


def test_a_damaged_assembled_file_is_made_anew(
    tmp_path: Path, package: Path, models: dict[str, tuple[ModelFile, ...]]
) -> None:
    prepare(tmp_path, models, [])
    target = tmp_path / "data/models/ears/model.bin"
    target.write_bytes(b"rotten")
    said: list[str] = []
    prepare(tmp_path, models, said)
    assert target.read_bytes() == b"first half, second half"
    assert said == ["assembling ears/model.bin"]


@pytest.mark.parametrize("name", ["two", "voice"])
def test_a_damaged_package_file_is_named(
    tmp_path: Path, package: Path, models: dict[str, tuple[ModelFile, ...]], name: str
) -> None:
    (package / name).write_bytes(b"damaged")
    with pytest.raises(LaunchError, match=r"is corrupt \(sha256 differs\): delete .venv"):
        prepare(tmp_path, models, [])
    assert not (tmp_path / "data/models/ears/model.bin").exists() or name == "voice"


def test_a_file_that_changed_since_it_was_verified_is_read_again(
    tmp_path: Path, package: Path, models: dict[str, tuple[ModelFile, ...]]
) -> None:
    prepare(tmp_path, models, [])
    (package / "voice").write_bytes(b"a vOice")  # the same size
    os.utime(package / "voice", ns=(1, 1))
    with pytest.raises(LaunchError, match="voice is corrupt"):
        prepare(tmp_path, models, [])


def test_a_missing_package_is_named() -> None:
    with pytest.raises(LaunchError, match="model package no_such_model is not installed"):
        weights.package_file("no_such_model/data/model.bin")
    with pytest.raises(LaunchError, match=r"model file .*nothing.onnx is missing"):
        weights.package_file("silero_vad/data/nothing.onnx")


@pytest.mark.models
def test_the_real_files_are_the_ones_in_the_table(tmp_path: Path) -> None:
    weights.prepare(tmp_path)
    for name in weights.MODELS:
        assert weights.model_path(name, tmp_path).exists()
    assert (weights.model_path("whisper-base", tmp_path) / "vocabulary.txt").is_file()
