"""`manage.py replay SESSION TURN`: work a stored turn out again, exactly."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voiceops.console import replay
from voiceops.core.errors import VoiceOpsError


class Command(BaseCommand):
    help = "Work a stored turn out again from its stored context, and say what would differ now. Reads only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("session", help="session id of the call, as its trace shows it")
        parser.add_argument("turn", type=int, help="index of the turn, as its trace shows it")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = replay.run(options["session"], options["turn"])
        except VoiceOpsError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(replay.as_text(found) if options["json"] else replay.written(found))
