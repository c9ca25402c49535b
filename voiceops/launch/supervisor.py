"""supervisord: its configuration, and the way to talk to it."""

from __future__ import annotations

import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from voiceops.launch.errors import LaunchError

LOG_BYTES = "5MB"


@dataclass(frozen=True, slots=True)
class Child:
    """One program as supervisord runs it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stop_signal: str
    stop_s: int
    group: str
    """`data` stops last."""
    once: bool = False


@dataclass(frozen=True, slots=True)
class State:
    name: str
    state: str
    """RUNNING, STARTING, BACKOFF, FATAL, EXITED, STOPPED…"""
    pid: int
    reason: str


def quote(command: Sequence[str]) -> str:
    """For a `command=` line: shell quoting, and `%` doubled."""
    import shlex

    return shlex.join(command).replace("%", "%%")


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def configuration(
    children: Sequence[Child], *, run: Path, logs: Path, socket: Path, folder: Path, root: bool
) -> str:
    """The text of supervisord.conf. Programs start when they are told to, and restart by themselves."""
    lines = [
        "[supervisord]",
        f"logfile={_escape(str(logs / 'supervisord.log'))}",
        "logfile_maxbytes=2MB",
        "logfile_backups=1",
        f"pidfile={_escape(str(run / 'supervisord.pid'))}",
        f"directory={_escape(str(folder))}",
        "nodaemon=true",
        "silent=true",
        *(["user=root"] if root else []),
        "[unix_http_server]",
        f"file={_escape(str(socket))}",
        "chmod=0600",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for child in children:
        environment = ",".join(f'{name}="{_escape(value)}"' for name, value in child.environment.items())
        lines += [
            f"[program:{child.name}]",
            f"command={quote(child.command)}",
            *([f"environment={environment}"] if environment else []),
            "autostart=false",
            f"autorestart={'unexpected' if child.once else 'true'}",
            f"startsecs={0 if child.once else 1}",
            "startretries=3",
            f"stopsignal={child.stop_signal}",
            f"stopwaitsecs={child.stop_s}",
            "killasgroup=true",
            "redirect_stderr=true",
            f"stdout_logfile={_escape(str(logs / (child.name + '.log')))}",
            f"stdout_logfile_maxbytes={LOG_BYTES}",
            "stdout_logfile_backups=2",
        ]
    groups: dict[str, list[str]] = {}
    for child in children:
        groups.setdefault(child.group, []).append(child.name)
    for group, names in groups.items():
        lines += [
            f"[group:{group}]",
            f"programs={','.join(names)}",
            f"priority={1 if group == 'data' else 9}",
        ]
    return "\n".join(lines) + "\n"


class Supervisord:
    """A supervisord process and its RPC. Blocking; used by the one thread that waits for it."""

    def __init__(self, configuration: Path, socket: Path, environment: Mapping[str, str], log: Path) -> None:
        self._socket = socket
        socket.unlink(missing_ok=True)
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "voiceops.launch.child",
                    "--",
                    sys.executable,
                    "-m",
                    "supervisor.supervisord",
                    "-n",
                    "-c",
                    str(configuration),
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=dict(environment),
                start_new_session=True,
            )
        self._rpc: Any = xmlrpc.client.ServerProxy(
            "http://localhost", transport=SupervisorTransport(None, None, f"unix://{socket}")
        ).supervisor

    def wait_ready(self, *, timeout_s: float = 10) -> None:
        """Raises: LaunchError when it does not answer."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise LaunchError("supervisord ended at once: its log is supervisord.out in the logs folder")
            if self._socket.exists():
                try:
                    self._rpc.getState()
                except (OSError, xmlrpc.client.Error):
                    pass
                else:
                    return
            time.sleep(0.05)
        raise LaunchError("supervisord does not answer: its log is supervisord.out in the logs folder")

    def start(self, name: str) -> None:
        """Start a program without waiting. One that already runs stays."""
        try:
            self._rpc.startProcess(name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise LaunchError(f"supervisord cannot start {name}: {fault.faultString}") from None

    def restart(self, name: str) -> None:
        try:
            self._rpc.stopProcess(name, True)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise LaunchError(f"supervisord cannot stop {name}: {fault.faultString}") from None
        self.start(name)

    def states(self) -> list[State]:
        """Of every program. Raises OSError when supervisord is gone."""
        try:
            rows = self._rpc.getAllProcessInfo()
        except xmlrpc.client.Error as error:
            raise OSError(f"supervisord: {error}") from error
        return [
            State(
                f"{row['group']}:{row['name']}",
                row["statename"],
                row["pid"],
                row["spawnerr"] or row["description"],
            )
            for row in rows
        ]

    def stop(self, *, timeout_s: float) -> None:
        """Ask for an orderly end of everything; kill supervisord when that takes too long."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
