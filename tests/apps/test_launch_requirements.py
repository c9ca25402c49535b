"""An unpinned or unhashed package installs something else on the user's machine than was tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.platform.running import ROOT

FOLDER = ROOT / "requirements"
SETS = ("base", "media", "models", "worker", "dev", "weights")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(file: Path) -> set[str]:
    names: set[str] = set()
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            names |= wanted(FOLDER / line.removeprefix("-r ").strip())
        elif line and not line.startswith("#"):
            found = re.match(r"[A-Za-z0-9._-]+", line)
            assert found, line
            names.add(normal(found[0]))
    return names


def locked(file: Path) -> dict[str, str]:
    """Package name → its block of the lock file."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", file.read_text(), flags=re.MULTILINE)
    return {normal(block.split("==")[0]): block for block in blocks if "==" in block.split("\n")[0]}


@pytest.mark.parametrize("name", SETS)
def test_everything_asked_for_is_locked(name: str) -> None:
    missing = wanted(FOLDER / f"{name}.in") - set(locked(FOLDER / f"{name}.txt"))
    assert not missing, f"run requirements/lock: {missing}"


@pytest.mark.parametrize("name", SETS)
def test_every_locked_package_has_hashes(name: str) -> None:
    packages = locked(FOLDER / f"{name}.txt")
    assert packages
    assert [package for package, block in packages.items() if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("name", SETS)
def test_lock_files_name_no_place(name: str) -> None:
    """No index, no local folder: they must install anywhere."""
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        assert not re.search(r"https?://|file:|--find-links|--index-url|^-e |^/", line), line


def test_gpl_and_heavy_packages_stay_out_of_the_web_image() -> None:
    assert not {"piper-tts", "torch", "faster-whisper"} & set(locked(FOLDER / "base.txt"))
    assert "torch" not in locked(FOLDER / "dev.txt")


@pytest.mark.parametrize("smaller, larger", [("base", "media"), ("media", "models"), ("models", "worker")])
def test_sets_contain_each_other_at_the_same_versions(smaller: str, larger: str) -> None:
    def version(block: str) -> str:
        return block.split()[0]

    one, other = locked(FOLDER / f"{smaller}.txt"), locked(FOLDER / f"{larger}.txt")
    assert [name for name in one if version(one[name]) != version(other.get(name, "-"))] == []
