"""DATABASE_URL as Django's settings dictionary."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from voiceops.core.errors import ConfigurationError


def parse(url: str, *, variable: str = "DATABASE_URL") -> dict[str, Any]:
    """postgresql://user:password@host:port/name?host=/socket/dir as Django wants it.

    Raises: ConfigurationError naming `variable`.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"{variable} is not a URL: {error}") from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ConfigurationError(
            f"{variable} must start with postgresql://, because pgvector needs PostgreSQL"
        )
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ConfigurationError(f"{variable} names no database: postgresql://user@host:5432/NAME")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
