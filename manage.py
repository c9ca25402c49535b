#!/usr/bin/env python3
"""Django's command line. Uses the project's own `.venv` when Django is not importable."""

import os
import sys
from pathlib import Path


def main() -> None:
    try:
        import django  # noqa: F401
    except ImportError:
        python = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
        if not python.exists() or Path(sys.executable) == python:
            sys.exit("manage.py: the packages are not installed yet: start ./run once")
        os.execv(python, [str(python), *sys.argv])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceops.settings.dev")
    from django.core.management import execute_from_command_line

    from voiceops.core.errors import ConfigurationError

    try:
        execute_from_command_line(sys.argv)
    except ConfigurationError as error:
        sys.exit(f"manage.py: {error}")


if __name__ == "__main__":
    main()
