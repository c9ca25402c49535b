"""What a person asks of ./run, and what can be refused before anything starts."""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from voiceops.core.errors import ConfigurationError
from voiceops.launch.errors import LaunchError
from voiceops.settings import env

NEEDED_FREE_BYTES = 800_000_000
"""Room for databases, the assembled Whisper model (145 MB), logs and the demo's recordings."""


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    port: int
    data_dir: Path
    demo: bool
    reset_demo: bool


def parse(argv: Sequence[str], environ: Mapping[str, str], *, root: Path) -> Options:
    """Command line and environment. Exits with argparse's message on a bad flag.

    Raises: ConfigurationError naming a bad variable.
    """
    parser = argparse.ArgumentParser(
        prog="./run",
        description="Start the whole platform on this machine. Ctrl-C stops it and keeps its data.",
    )
    parser.add_argument("--port", type=int, default=8000, help="of the pages and sockets (default 8000)")
    parser.add_argument(
        "--host",
        default=environ.get("VOICEOPS_HOST") or "127.0.0.1",
        help="address to listen on (default 127.0.0.1; 0.0.0.0 for every network; VOICEOPS_HOST)",
    )
    parser.add_argument(
        "--data-dir", type=Path, help="databases, models and recordings (default var; VOICEOPS_DATA_DIR)"
    )
    parser.add_argument("--no-demo", action="store_true", help="start without demo data")
    parser.add_argument("--reset-demo", action="store_true", help="make the demo data anew")
    given = parser.parse_args(argv)
    if not 1 <= given.port <= 65535:
        parser.error(f"--port {given.port} is not a port: use 1 to 65535")
    if given.no_demo and given.reset_demo:
        parser.error("--no-demo and --reset-demo exclude each other")
    start_folder = Path(environ.get("VOICEOPS_LAUNCHED_FROM") or Path.cwd())
    chosen = given.data_dir or Path(environ.get("VOICEOPS_DATA_DIR") or root / "var")
    return Options(
        host=given.host,
        port=given.port,
        data_dir=(start_folder / chosen).resolve(),
        demo=not given.no_demo,
        reset_demo=given.reset_demo,
    )


def check_port(host: str, port: int) -> None:
    """Raises: LaunchError when the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise LaunchError(
                    f"port {port} is in use: stop the program that has it, or choose another with --port"
                ) from None
            if error.errno == errno.EACCES:
                raise LaunchError(
                    f"port {port} needs root's rights: choose one above 1023 with --port"
                ) from None
            raise LaunchError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def check_disk(
    data_dir: Path,
    *,
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
) -> None:
    """Raises: LaunchError when there is not enough room."""
    free = free_bytes(data_dir)
    if free < NEEDED_FREE_BYTES:
        raise LaunchError(
            f"only {free / 1e6:.0f} MB free at {data_dir}: free {NEEDED_FREE_BYTES / 1e6:.0f} MB, "
            "or choose another disk with --data-dir"
        )


_REGISTRIES = {
    "STT": "agents.providers.stt",
    "LLM": "agents.providers.llm",
    "TTS": "agents.providers.tts",
    "VAD": "agents.providers.vad",
}


def check_settings() -> Mapping[str, object]:
    """Read every setting as the platform's processes will. Returns `settings.VOICEOPS`.

    Raises: ConfigurationError naming the variable.
    """
    name = os.environ.get("DJANGO_SETTINGS_MODULE") or "voiceops.settings.dev"
    platform: Mapping[str, object] = import_module(name).VOICEOPS
    for port, module in _REGISTRIES.items():
        known = import_module(module).REGISTRY.names()
        for variable in (port, f"{port}_FALLBACKS"):
            value = platform.get(variable, [])
            for provider in [value] if isinstance(value, str) else list(value):  # type: ignore[call-overload]
                if provider not in known:
                    raise ConfigurationError(
                        f"VOICEOPS_{variable}: no provider {provider!r}: use {', '.join(known)}"
                    )
    for variable in ("VOICEOPS_MEDIA_WORKERS", "VOICEOPS_WORKER_PROCESSES"):
        env.integer(variable, 1, minimum=1, maximum=64)
    return platform
