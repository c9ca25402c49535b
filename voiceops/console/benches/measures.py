"""Percentiles, and under what conditions they were taken."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from django.conf import settings


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Nearest rank: the smallest value that at least `percent` of all values do not exceed.

    Always a value that was measured; None of nothing.
    """
    if not values:
        return None
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def spread(name: str, values: Iterable[float | None], percents: Sequence[int] = (50, 95)) -> dict[str, Any]:
    """`{name}_p50_ms` and the like, rounded, and `{name}_n`: how many values they are of."""
    known = [value for value in values if value is not None]
    found = {f"{name}_p{percent}_ms": _rounded(percentile(known, percent)) for percent in percents}
    return {**found, f"{name}_n": len(known)}


def share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def conditions() -> dict[str, Any]:
    """The machine, its load before the bench, and what answers."""
    known = settings.VOICEOPS
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "load_average_before": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "stt": f"{known['STT']} (Whisper base), faster-whisper {_version('faster-whisper')}",
        "llm": f"{known['LLM_MODEL']} at {known['LLM_URL']}",
        "tts": known["TTS"],
        "vad": known["VAD"],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
