"""The figures as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def as_text(result: Mapping[str, Any]) -> str:
    """Tables for people: models side by side, then by tag, then every mistake."""
    models = result["models"]
    lines = [f"{name}: {value}" for name, value in result["conditions"].items() if value]
    width = max(12, *(len(name) for name in models))
    for title, part in (("all", "figures"), ("tuned on", "tuned"), ("held out", "held_out")):
        lines += ["", f"{title:<32}" + "".join(f"{name:>{width + 2}}" for name in models)]
        first = next(iter(models.values()))[part]
        for key in first:
            values = [models[name][part][key] for name in models]
            lines.append(f"{key:<32}" + "".join(f"{'-' if v is None else v:>{width + 2}}" for v in values))
    for name, model in models.items():
        lines += ["", f"{name}, by tag: dialogues, turns, cut-ins per 100, missed ends, "
                  "delay p50/p95, false interruptions of disturbances, missed barge-ins"]  # fmt: skip
        for tag, part in model["by_tag"].items():
            lines.append(
                f"  {tag:<14}{part['dialogues']:>4}{part['turns']:>5}{part['cut_ins_per_100_turns'] or 0:>8}"
                f"{part['missed_ends']:>5}{part['endpoint_delay_p50_ms'] or 0:>8.0f}"
                f"{part['endpoint_delay_p95_ms'] or 0:>6.0f}"
                f"{part['false_interruptions']:>5} of {part['disturbances']:<3}"
                f"{part['missed_barge_ins']:>3} of {part['barge_ins']}"
            )
        lines += ["", f"{name}, mistakes:", *_mistakes(model["dialogues"])]
    return "\n".join(lines)


def _mistakes(dialogues: Sequence[Mapping[str, Any]]) -> list[str]:
    names = {
        "cut_ins": "cut in",
        "missed": "missed the end",
        "false_interruptions": "stopped for",
        "missed_barge_ins": "talked on through",
        "missed_prompts": "did not",
    }
    return [
        f"  {dialogue['name']:<32}{what}: {one}"
        for dialogue in dialogues
        for key, what in names.items()
        for one in dialogue[key]
    ]
