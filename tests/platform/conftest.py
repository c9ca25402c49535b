"""One platform for all tests that place calls: starting it takes most of their time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.platform.running import Run
from voiceops.launch.runtime import free_ports


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A ready ./run with the demo's data and without its past calls."""
    run = Run(tmp_path_factory.mktemp("platform") / "data", free_ports(1)[0], VOICEOPS_DEMO_CALLS="0")
    try:
        run.ready()
        yield run
    finally:
        run.end()
