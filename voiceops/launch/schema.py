"""Whether the embedded database already has this code's schema: then a start need not ask Django."""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg

STAMP = "schema.stamp"


def fingerprint(root: Path) -> str:
    """Changes with every migration of the project and with every pinned package that may bring one."""
    files = [*root.glob("*/migrations/*.py"), *root.glob("requirements/*.txt")]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.relative_to(root)}\0".encode())
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def is_current(url: str, *, data: Path, root: Path) -> bool:
    """Whether the last migration that ended well on this database was of the same code."""
    try:
        wanted, applied = (data / STAMP).read_text().split()
    except (OSError, ValueError):
        return False
    return wanted == fingerprint(root) and applied == str(_applied(url))


def remember(url: str, *, data: Path, root: Path) -> None:
    """Call after `migrate` ended well."""
    (data / STAMP).write_text(f"{fingerprint(root)} {_applied(url)}\n")


def _applied(url: str) -> int:
    """Migrations that the database has recorded; 0 for an empty one."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute("SELECT count(*) FROM django_migrations").fetchone()
    except psycopg.errors.UndefinedTable:
        return 0
    return int(row[0]) if row else 0
