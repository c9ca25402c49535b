"""What one run has: its folders, lock, ports, secrets, and `runtime.env` for other terminals."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import socket
import stat
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from voiceops.launch.errors import LaunchError

MARK = "VOICEOPS_SUPERVISED"
"""Environment name that every process of a run carries; its value is the data directory."""

_SUN_PATH = 107
_LONGEST_SOCKET = len("/.s.PGSQL.5432.lock")


class Folders:
    """Below the data directory; made on first use. Raises LaunchError when that is refused."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.run = data / "run"
        self.logs = data / "logs"
        self.metrics = data / "run" / "metrics"
        if "%" in str(data) or not str(data).isprintable():
            # supervisord expands % in paths of logs, even a doubled one.
            raise LaunchError(
                f"the data directory {data!s} has a % in its name: choose another with --data-dir"
            )
        try:
            for folder in (self.data, self.run, self.logs):
                folder.mkdir(parents=True, exist_ok=True)
            probe = self.run / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise LaunchError(
                f"cannot write to the data directory {data}: {error.strerror}: "
                "give it to this user, or choose another with --data-dir"
            ) from None

    def sockets(self, name: str, owner_uid: int) -> Path:
        """A private folder for Unix sockets whose paths stay short enough for the kernel."""
        folder = self.run / name
        if len(str(folder)) + _LONGEST_SOCKET > _SUN_PATH:
            digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
            folder = Path(tempfile.gettempdir()) / f"voiceops-{digest}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        info = folder.lstat()
        if not stat.S_ISDIR(info.st_mode) or info.st_uid not in {os.geteuid(), owner_uid}:
            raise LaunchError(f"{folder} belongs to somebody else: remove it and start again")
        if os.geteuid() == 0 and info.st_uid != owner_uid:
            os.chown(folder, owner_uid, -1)
        folder.chmod(0o700)
        return folder


def take_lock(run: Path, *, patience_s: float = 2.0) -> IO[str]:
    """Hold the data directory for this process; the kernel frees it however the process ends.

    Raises: LaunchError when another ./run holds it.
    """
    file = (run / "lock").open("a+")
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                file.close()
                raise LaunchError(
                    f"another ./run (process {holder}) already uses {run.parent}: "
                    "stop it, or choose another --data-dir"
                ) from None
            time.sleep(0.1)
        else:
            file.seek(0)
            file.truncate()
            file.write(str(os.getpid()))
            file.flush()
            return file


def leftovers(data: Path) -> list[psutil.Process]:
    """Living processes that a run on this data directory started, except this one's ancestors."""
    from voiceops.launch import postgres

    me = psutil.Process()
    mine = {me.pid, *(parent.pid for parent in me.parents())}
    found = {process.pid: process for process in postgres.servers(data / "postgres")}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid not in mine and process.environ().get(MARK) == str(data):
                found[process.pid] = process
    return list(found.values())


def end_leftovers(data: Path, *, grace_s: float) -> int:
    """Wait for what an earlier run left behind, then stop it. Returns how many there were."""
    found = leftovers(data)
    _gone, alive = psutil.wait_procs(found, timeout=grace_s) if found else ([], [])
    for process in alive:
        with suppress(psutil.Error):
            process.terminate() if process.name() != "postgres" else process.send_signal(2)
    _gone, alive = psutil.wait_procs(alive, timeout=5)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=2)
    return len(found)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def kept_secret(data: Path, name: str) -> str:
    """A random secret that stays the same from start to start; readable by its owner only."""
    file = data / name
    with suppress(FileNotFoundError):
        if value := file.read_text().strip():
            return value
    value = secrets.token_urlsafe(48)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(value)
    return value


def started_at(pid: int) -> str:
    """The kernel's start time of a process, so that a number used again is not taken for it."""
    text = Path(f"/proc/{pid}/stat").read_text()
    return text.rsplit(")", 1)[1].split()[19]


def write_env(run: Path, values: Mapping[str, str]) -> None:
    """Leave NAME=value lines for `manage.py` in another terminal; readable by the owner only."""
    unfinished = run / "runtime.env.part"
    unfinished.unlink(missing_ok=True)
    owner = f"VOICEOPS_RUN={os.getpid()}:{started_at(os.getpid())}"
    lines = [owner, *(f"{name}={value}" for name, value in sorted(values.items()))]
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write("\n".join(lines) + "\n")
    unfinished.replace(run / "runtime.env")


def drop_env(run: Path) -> None:
    (run / "runtime.env").unlink(missing_ok=True)
