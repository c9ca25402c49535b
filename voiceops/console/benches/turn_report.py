"""The figures of the turn bench, from the answers of one arm or of two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from voiceops.console.benches.measures import percentile, share, spread
from voiceops.console.benches.pairing import Answer

TAILS = (50, 95, 99)
STAGES = ("stt", "retrieval", "llm", "tts")
AIM_P50_MS, AIM_P95_MS = 400, 800


def of_platform(answers: Sequence[Answer]) -> dict[str, Any]:
    """latency: last speech frame to first audible answer frame, as the platform records it;
    heard_at_carrier: the same as the other end of the line measured it."""
    measured = [answer.turn for answer in answers if answer.turn is not None]
    latencies = [turn.latency_ms for turn in measured if turn.latency_ms is not None]
    report: dict[str, Any] = {"turns": len(latencies), **spread("latency", latencies, TAILS)}
    report["within_400_ms"] = share(sum(value <= AIM_P50_MS for value in latencies), len(latencies))
    report["within_800_ms"] = share(sum(value <= AIM_P95_MS for value in latencies), len(latencies))
    silences = [turn.endpoint.silence_ms for turn in measured if turn.endpoint is not None]
    report |= spread("endpoint", silences)
    for stage in STAGES:
        report |= spread(stage, (getattr(turn, f"{stage}_ms") for turn in measured))
    report |= _heard(answers)
    report["carrier_minus_platform_p50_ms"] = _difference(answers)
    report["split_turns"] = sum(len(answer.turns) > 1 for answer in answers)
    report["with_filler"] = sum(bool(turn.filler) for turn in measured)
    report["answer_sources"] = _by_source(answers)
    report["degraded"] = _degraded(answers)
    told = [one for answer in answers for turn in answer.turns for one in turn.speculations]
    report["speculation_hits"] = sum(one.outcome == "hit" for one in told)
    report["turns_with_hit"] = sum(
        any(one.outcome == "hit" for turn in answer.turns for one in turn.speculations) for answer in answers
    )
    report["speculations"] = _speculations(told)
    return report


def of_peer(answers: Sequence[Answer]) -> dict[str, Any]:
    """Only what the carrier can measure."""
    heard = sum(answer.carrier_ms is not None for answer in answers)
    return {"turns": heard, **_heard(answers)}


def compared(without: Sequence[Answer], with_it: Sequence[Answer]) -> dict[str, Any]:
    """How much sooner the same audio was answered, line by line; medians of lines asked more often."""
    before, after = _by_line(without), _by_line(with_it)
    saved = [before[key] - after[key] for key in before.keys() & after.keys()]
    return {**spread("saved", saved), "sooner": share(sum(value > 0 for value in saved), len(saved))}


def _by_line(answers: Sequence[Answer]) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for answer in answers:
        if answer.turn is not None and answer.turn.latency_ms is not None:
            found.setdefault(id(answer.line), []).append(answer.turn.latency_ms)
    return {key: value for key, values in found.items() if (value := percentile(values, 50)) is not None}


def _heard(answers: Sequence[Answer]) -> dict[str, Any]:
    report = spread("heard_at_carrier", (answer.carrier_ms for answer in answers), TAILS)
    report["asked"] = len(answers)
    report["unanswered"] = sum(answer.carrier_ms is None for answer in answers)
    report["talked_over"] = sum(answer.talked_over for answer in answers)
    report["right"] = sum(answer.right for answer in answers)
    report["right_share"] = share(report["right"], len(answers))
    for kind in ("fact", "flow", "social"):
        asked = [answer for answer in answers if answer.line.kind == kind]
        report[f"right_share_{kind}"] = share(sum(answer.right for answer in asked), len(asked))
    return report


def _difference(answers: Sequence[Answer]) -> float | None:
    """The carrier's figure less the platform's own: what the line and the socket add."""
    both = [
        answer.carrier_ms - answer.turn.latency_ms
        for answer in answers
        if answer.carrier_ms is not None and answer.turn is not None and answer.turn.latency_ms is not None
    ]
    middle = percentile(both, 50)
    return None if middle is None else round(middle, 1)


def _by_source(answers: Sequence[Answer]) -> dict[str, dict[str, Any]]:
    report = {}
    measured = [(answer, answer.turn) for answer in answers if answer.turn is not None]
    for source in sorted({turn.answer_source for _, turn in measured}):
        own = [(answer, turn) for answer, turn in measured if turn.answer_source == source]
        report[source] = {
            "turns": len(own),
            "share": share(len(own), len(measured)),
            "right_share": share(sum(answer.right for answer, _ in own), len(own)),
            **spread("latency", (turn.latency_ms for _, turn in own)),
        }
    return report


def _degraded(answers: Sequence[Answer]) -> dict[str, int]:
    codes = Counter(
        decision.code
        for answer in answers
        for turn in answer.turns
        for decision in turn.decisions
        if decision.kind == "degrade"
    )
    return dict(codes.most_common())


def _speculations(told: Iterable[Any]) -> dict[str, dict[str, Any]]:
    kinds: dict[str, list[Any]] = {}
    for one in told:
        kinds.setdefault(one.kind, []).append(one)
    report = {}
    for kind, ones in sorted(kinds.items()):
        wasted = [one for one in ones if one.outcome != "hit"]
        hits = [one for one in ones if one.outcome == "hit"]
        report[kind] = {
            **{
                outcome: sum(one.outcome == outcome for one in ones)
                for outcome in ("hit", "waste", "aborted")
            },
            **spread("saved", (one.saved_ms for one in hits)),
            "wasted_compute_ms": round(sum(one.compute_ms for one in wasted)),
            "wasted_tokens": sum(one.tokens for one in wasted),
        }
    return report
