"""What ./test does once the packages are installed: every check, then one summary.

Arguments go to pytest. Exits 0 only when every check passed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

Run = Callable[[Sequence[str]], int]


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    command: tuple[str, ...]


def checks(pytest_arguments: Sequence[str]) -> tuple[Check, ...]:
    """In order: the quick ones first; pytest last, so that its closing line is seen."""
    return (
        Check("lint", (str(BIN / "ruff"), "check", ".")),
        Check("format", (str(BIN / "ruff"), "format", "--check", ".")),
        Check("layers", (str(BIN / "lint-imports"), "--no-cache")),
        Check("types", (str(BIN / "mypy"),)),
        Check("migrations", (sys.executable, "manage.py", "makemigrations", "--check", "--dry-run")),
        Check("tests", (sys.executable, "-m", "pytest", *pytest_arguments)),
    )


def find_chromium(which: Callable[[str], str | None] = shutil.which) -> str | None:
    return next((path for name in CHROMIUM if (path := which(name))), None)


def prepare_chromium(
    *, run: Run, which: Callable[[str], str | None] = shutil.which, is_root: bool = os.geteuid() == 0
) -> str:
    """Install Chromium from the system's packages when that is allowed. Returns a line that says
    what browser tests have."""
    if path := find_chromium(which):
        return f"Browser tests use {path}."
    if not is_root or not which("apt-get"):
        return "Browser tests are skipped: no Chromium, and only root may install it (apt install chromium)."
    print("Installing Chromium from the system's packages", flush=True)
    for command in (
        ("apt-get", "update", "-q"),
        ("apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"),
    ):
        if run(command) != 0:
            break
    if path := find_chromium(which):
        return f"Browser tests use {path}."
    return "Browser tests are skipped: Chromium could not be installed with apt."


def _quietly(command: Sequence[str]) -> int:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment, check=False
    )
    return done.returncode


def _run(command: Sequence[str]) -> int:
    return subprocess.run(command, stdin=subprocess.DEVNULL, cwd=ROOT, check=False).returncode


def run_all(todo: Sequence[Check], *, run: Run = _run) -> Mapping[str, tuple[int, float]]:
    """Every check, also after one failed. Returns exit code and seconds by name."""
    results: dict[str, tuple[int, float]] = {}
    for check in todo:
        print(f"== {check.name}", flush=True)
        began = time.monotonic()
        results[check.name] = (run(check.command), time.monotonic() - began)
    return results


def summary(results: Mapping[str, tuple[int, float]]) -> list[str]:
    """One line a check. A run that executed no test has not passed."""
    return [
        f"{name:<12}{'ok' if code == 0 else f'FAILED (exit {code})'}  {seconds:.0f} s"
        for name, (code, seconds) in results.items()
    ]


def main() -> int:
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    browser = prepare_chromium(run=_quietly)
    print(browser, flush=True)
    results = run_all(checks(sys.argv[1:]))
    print("== summary", flush=True)
    print("\n".join([*summary(results), browser]), flush=True)
    return 0 if all(code == 0 for code, _seconds in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
