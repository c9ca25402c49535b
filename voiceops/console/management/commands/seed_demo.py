"""`manage.py seed_demo [--reset]`: the Bangalore property desk."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voiceops.console import demo
from voiceops.console.demo_login import LOGIN
from voiceops.core.errors import SourceError


class Command(BaseCommand):
    help = "Make the demo: an agent, its knowledge, customers, visit slots and a login."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reset",
            action="store_true",
            help="restore the demo's own data as it was first made; other data stays",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            seeded = demo.seed(reset=options["reset"], say=self.say)
        except SourceError as error:
            raise CommandError(
                f"the embedding server does not answer ({error}): start ./run, or set"
                " VOICEOPS_SPEECH_TARGET; then run seed_demo again, it goes on where it stopped"
            ) from error
        self.stdout.write(
            f"Demo ready: agent {seeded.agent.slug} {seeded.agent.action},"
            f" {seeded.examples_embedded} examples embedded, login {LOGIN[0]} {seeded.login}."
        )

    def say(self, line: str) -> None:
        self.stdout.write(f"  seeding {line}")
