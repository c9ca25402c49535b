"""`manage.py bench NAME`: benchmarks that anyone can run again."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from django.core.management.base import BaseCommand, CommandError

from voiceops.core.errors import VoiceOpsError

NAMES = ("turns", "turntaking", "stt", "memory")
"""Modules of `voiceops.console.benches`."""


class Bench(Protocol):
    """What each of these modules offers; `as_text(result)` too, when a plain list does not do."""

    HELP: str

    def add_arguments(self, parser: ArgumentParser) -> None: ...

    def measure(self, options: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
        """The figures, ready for JSON; `say` is told of the progress. Raises: VoiceOpsError."""
        ...


class Command(BaseCommand):
    help = (
        "Measure the platform. Start ./run first, and let its demo calls finish, unless a bench "
        "says that it needs no ./run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        benches = parser.add_subparsers(dest="bench", required=True, metavar="NAME")
        for name in NAMES:
            bench = _bench(name)
            one = benches.add_parser(name, help=bench.HELP)
            bench.add_arguments(one)
            one.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        bench = _bench(options["bench"])
        try:
            result = bench.measure(options, self.stderr.write)
        except VoiceOpsError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2, ensure_ascii=False))
            return
        as_text = getattr(bench, "as_text", None)
        self.stdout.write(as_text(result) if as_text else "\n".join(lines(result)))


def _bench(name: str) -> Bench:
    return cast(Bench, import_module(f"voiceops.console.benches.{name}"))


def lines(result: Mapping[str, Any], indent: str = "") -> list[str]:
    """A report for people: nested figures are indented."""
    found = []
    for name, value in result.items():
        if isinstance(value, Mapping) and value:
            found += [f"{indent}{name}", *lines(value, indent + "  ")]
        else:
            shown = "-" if value is None or value == {} else value
            found.append(f"{indent}{name:<{max(1, 30 - len(indent))}} {shown}")
    return found
