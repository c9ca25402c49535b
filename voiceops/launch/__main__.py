"""`python -m voiceops.launch`: what ./run becomes once the packages are installed."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]


class Stopped(BaseException):
    """A signal asked for the end."""


def _stop(_number: int, _frame: object) -> NoReturn:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    from voiceops.core.errors import ConfigurationError
    from voiceops.launch import options, start

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        chosen = options.parse(sys.argv[1:], os.environ, root=ROOT)
        start.run(chosen, root=ROOT, say=say)
    except Stopped:
        say("Stopped. The data is kept.")
        return 0
    except ConfigurationError as error:
        print(f"./run: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        print(
            f"./run: the disk is full ({error.filename or ROOT}): make room and start again", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
