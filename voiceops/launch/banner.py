"""What a person sees when the platform is ready."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psutil

from voiceops.console.demo_login import LOGIN
from voiceops.launch import runtime
from voiceops.launch.layout import Layout
from voiceops.launch.options import Options


def memory(pid: int) -> tuple[int, str]:
    """Bytes used by the process `pid` and all below it, and how they were counted.

    PSS shares a page between the processes that have it; where the kernel does not say, RSS
    counts it once for each.
    """
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0, "PSS"
    total, kind = 0, "PSS"
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except (psutil.Error, AttributeError):
            kind = "RSS"
            with suppress(psutil.Error):
                total += process.memory_info().rss
    return total, kind


def banner(
    options: Options, layout: Layout, folders: runtime.Folders, body: Mapping[str, Any], supervisord_pid: int
) -> str:
    """Address, login, engines, memory, and how to go on."""
    used, kind = memory(supervisord_pid)
    engines: Mapping[str, Mapping[str, Any]] = body.get("engines") or {}
    lines = ["", "VoiceOps is ready.", "", f"  Address   {layout.shared['VOICEOPS_WEB_URL']}"]
    if options.demo:
        lines.append(f"  Login     {' / '.join(LOGIN)}")
    else:
        lines.append("  Login     make one: ./manage.py createsuperuser")
    lines.append("  Engines")
    width = max((len(name) for name in engines), default=0)
    for name, engine in engines.items():
        truth = "simulated" if engine["simulated"] else "real"
        lines.append(f"    {name:<{width}}  {truth}: {engine['engine']}")
    lines += [
        f"  Memory    {used / 1e6:.0f} MB ({kind}, every process of this run)",
        f"  Data      {folders.data}",
        f"  Logs      {folders.logs}",
        "",
        "Ctrl-C stops everything and keeps the data.",
    ]
    return "\n".join(lines)
