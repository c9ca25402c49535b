"""The fixture that finds tasks left behind, on a task that is left behind."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

SUITE = """
import asyncio

from tests.pipeline.conftest import event_loop_policy, leaves_no_task, no_task_is_left

KEPT = []

async def test_that_leaves_a_task():
    KEPT.append(asyncio.create_task(asyncio.sleep(1000)))

async def test_that_cleans_up():
    task = asyncio.create_task(asyncio.sleep(1000))
    task.cancel()

def test_without_a_loop():
    pass
"""


def test_a_task_left_behind_fails_its_test_and_no_other(pytester: pytest.Pytester) -> None:
    """A fixture that never fails would let every call leak."""
    pytester.makeini("[pytest]\nasyncio_mode = auto\n")
    pytester.makepyfile(SUITE)
    result = pytester.runpytest("-p", "no:django", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*tasks are left running*", "*ERROR*test_that_leaves_a_task*"])
