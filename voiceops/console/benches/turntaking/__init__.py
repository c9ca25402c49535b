"""Who lets the caller finish: turn-taking over scripted dialogues, on the real call, the real VAD and
the real recogniser, in virtual time. How dialogues are written: `suite.py`."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import Any

from voiceops.console.benches.turntaking.report import as_text
from voiceops.core.errors import ConfigurationError

__all__ = ["HELP", "add_arguments", "as_text", "measure"]

HELP = "cut-ins, missed ends, endpoint delay and interruptions over scripted dialogues; needs no ./run"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME",
        help="turn model to measure, may be given again (default: adaptive and silence)",
    )  # fmt: skip
    parser.add_argument(
        "--only", action="append", default=[], metavar="TAG",
        help="only dialogues with this tag or name, may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--decode-ms", type=float, metavar="N",
        help="charge this for every decode instead of the time it took: the same figures every time",
    )  # fmt: skip


def measure(options: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """The figures of every model. Raises BenchFailed, ConfigurationError."""
    # The models' packages take seconds to import: not for `--help`.
    from voiceops.console.benches.turntaking.run import run

    decode_ms = options["decode_ms"]
    if decode_ms is not None and not 0 < decode_ms <= 10_000:
        raise ConfigurationError(f"--decode-ms {decode_ms:g} must be between 0 and 10000")
    return run(models=options["model"], only=options["only"], decode_ms=decode_ms, say=say)
