"""`manage.py demo_crm`: the demo's CRM on a port of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from crm.demo_server.app import DemoCrm
from crm.demo_server.store import Activities


class Command(BaseCommand):
    help = "Run the demo CRM that bookings are delivered to."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8016)

    def handle(self, *args: Any, **options: Any) -> None:
        activities = Activities(Path(settings.DATA_DIR) / "demo-crm.sqlite3")
        try:
            uvicorn.run(
                DemoCrm(activities), host=options["host"], port=options["port"], lifespan="off",
                log_level="warning", access_log=False, timeout_graceful_shutdown=2,
            )  # fmt: skip
        finally:
            activities.close()
