"""What the demo CRM holds: one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    received_at TEXT NOT NULL,
    body TEXT NOT NULL
)
"""


class KeyReused(Exception):
    """This idempotency key came before with other content."""


class Activities:
    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(_SCHEMA)

    def write(self, key: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """The record under `key`, and whether it was there before. Raises KeyReused."""
        text = json.dumps(body, ensure_ascii=False, sort_keys=True)
        written = self._db.execute(
            "INSERT INTO activity (key, received_at, body) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (key, datetime.now(UTC).isoformat(timespec="seconds"), text),
        )
        record = self.find(key)
        assert record is not None
        if not written.rowcount and json.dumps(record["body"], ensure_ascii=False, sort_keys=True) != text:
            raise KeyReused
        return record, not written.rowcount

    def find(self, key: str) -> dict[str, Any] | None:
        row = self._db.execute("SELECT * FROM activity WHERE key = ?", (key,)).fetchone()
        return _record(row) if row else None

    def newest(self, limit: int = 200) -> list[dict[str, Any]]:
        rows = self._db.execute("SELECT * FROM activity ORDER BY id DESC LIMIT ?", (limit,))
        return [_record(row) for row in rows]

    def close(self) -> None:
        self._db.close()


def _record(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": f"ACT-{row['id']:05d}",
        "key": row["key"],
        "received_at": row["received_at"],
        "body": json.loads(row["body"]),
    }
