"""`manage.py bench NAME`: benchmarks that anyone can run again."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voiceops.console.benches import turns
from voiceops.core.errors import VoiceOpsError


class Command(BaseCommand):
    help = "Measure the running platform. Start ./run first, and let its demo calls finish."

    def add_arguments(self, parser: ArgumentParser) -> None:
        benches = parser.add_subparsers(dest="bench", required=True, metavar="NAME")
        one = benches.add_parser("turns", help="turn latency and stages, real models, one call at a time")
        one.add_argument("--turns", type=int, default=30, help="answers to hear at least (default 30)")
        one.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["turns"] < 1:
            raise CommandError("--turns must be at least 1")
        try:
            result = turns.run(turns=options["turns"], say=self.stderr.write)
        except VoiceOpsError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2))
            return
        for name, value in result.items():
            self.stdout.write(f"{name:<26} {value}")
