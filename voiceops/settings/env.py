"""Typed environment parsing that fails loudly: every error names the variable.

A value comes from the process environment, else from the file that a running `./run` leaves in
its data directory, so that `manage.py` in another terminal talks to the same platform.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from voiceops.core.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]


def data_dir() -> Path:
    """Where embedded databases, models, recordings and runtime files live."""
    return Path(os.environ.get("VOICEOPS_DATA_DIR") or ROOT / "var").resolve()


@lru_cache(maxsize=1)
def _runtime() -> dict[str, str]:
    """What a running `./run` wrote: NAME=value lines in `run/runtime.env`.

    The file of a run that was killed is left aside: its first value names the process and the
    kernel's start time of it.
    """
    try:
        text = (data_dir() / "run" / "runtime.env").read_text()
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        pid, _, started_at = values.get("VOICEOPS_RUN", "").partition(":")
        process = Path(f"/proc/{int(pid)}/stat").read_text()
    except (OSError, ValueError):
        return {}
    return values if process.rsplit(")", 1)[1].split()[19] == started_at else {}


def raw(name: str) -> str | None:
    """The value of `name`, None when unset or empty."""
    return os.environ.get(name) or _runtime().get(name) or None


def text(name: str, default: str | None = None, *, choices: Iterable[str] | None = None) -> str:
    value = raw(name) or default
    if value is None:
        raise ConfigurationError(f"{name} is not set: set it in the environment")
    if choices is not None and value not in (known := tuple(choices)):
        raise ConfigurationError(f"{name}={value!r} is not one of {', '.join(known)}")
    return value


def integer(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    value = raw(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ConfigurationError(f"{name}={value!r} is not a whole number") from None
    if number < minimum or (maximum is not None and number > maximum):
        limit = f"at least {minimum}" if maximum is None else f"between {minimum} and {maximum}"
        raise ConfigurationError(f"{name}={value!r} must be {limit}")
    return number


def boolean(name: str, default: bool) -> bool:
    value = raw(name)
    if value is None:
        return default
    lowered = value.lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off"}:
        return False
    raise ConfigurationError(f"{name}={value!r} is not a yes or no: use 1 or 0")


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated values."""
    return [part.strip() for part in (raw(name) or default).split(",") if part.strip()]


def url(name: str, default: str | None = None, *, schemes: Iterable[str]) -> str:
    value = text(name, default)
    known = tuple(schemes)
    try:
        parts = urlsplit(value)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        port_ok = False
    if not port_ok or parts.scheme not in known or not (parts.netloc or parts.path):
        wanted = " or ".join(f"{scheme}://…" for scheme in known)
        raise ConfigurationError(f"{name}={value!r} is not a URL of the form {wanted}")
    return value


def optional_url(name: str, *, schemes: Iterable[str]) -> str | None:
    return url(name, schemes=schemes) if raw(name) else None
