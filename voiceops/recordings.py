"""Files of call recordings, written by one thread so that no disk ever holds up a call."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BufferedRandom
from pathlib import Path

log = logging.getLogger(__name__)
_writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recordings")
"""One thread keeps the order of writes; its queue is the buffer."""


class RecordingFile:
    """The file of one call. `write` and `close` return at once; failures are logged, once."""

    def __init__(self, folder: Path, session_id: str) -> None:
        self.path = f"{datetime.now(UTC):%Y/%m/%d}/{session_id}.wav"
        """Relative to the recordings folder."""
        self._target = folder / self.path
        self._file: BufferedRandom | None = None
        self._failed = False

    def write(self, data: bytes, at: int | None) -> None:
        """Append when `at` is None, else overwrite from that byte."""
        _writer.submit(self._write, data, at)

    def close(self) -> None:
        _writer.submit(self._close)

    def _write(self, data: bytes, at: int | None) -> None:
        if self._failed:
            return
        try:
            if self._file is None:
                self._target.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._target.open("w+b")
            self._file.seek(*((0, 2) if at is None else (at, 0)))
            self._file.write(data)
        except OSError as error:
            self._failed = True
            log.error("recording stopped path=%s error=%s", self.path, error)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
