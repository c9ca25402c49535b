"""From what happened in the dialogues to the figures of turn-taking."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

MISSED_MS = 2000.0
"""An end that is not noticed by then is a missed one."""
STOP_GRACE_MS = 600.0
"""A stop this long after the caller fell silent still is because of what was said."""
RESUME_MS = 2000.0
QUIET_TAIL_MS = 60.0
"""The last hundredths of a word may be too quiet for the VAD."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that came from the caller's side. Times in milliseconds of the call."""

    kind: str
    """turn | barge_in | backchannel | sound | press"""
    pieces: tuple[str, ...]
    """The words of each piece."""
    spans: tuple[tuple[float, float], ...]
    """(first sound, last sound) of each piece."""
    may_end: tuple[bool, ...]
    """For each pause between pieces: whether taking the turn there is no mistake."""

    @property
    def text(self) -> str:
        return " ".join(self.pieces)

    @property
    def start_ms(self) -> float:
        return self.spans[0][0]

    @property
    def end_ms(self) -> float:
        return self.spans[-1][1]

    @property
    def is_turn(self) -> bool:
        return self.kind in ("turn", "barge_in")

    def must_wait(self, at_ms: float) -> bool:
        """Whether the caller was going on at that time."""
        if not self.start_ms < at_ms < self.end_ms - QUIET_TAIL_MS:
            return False
        for position, free in enumerate(self.may_end):
            pause_start, pause_end = self.spans[position][1], self.spans[position + 1][0]
            if free and pause_start - QUIET_TAIL_MS <= at_ms <= pause_end + 250.0:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Played:
    """One dialogue as it went."""

    name: str
    tags: tuple[str, ...]
    said: tuple[Said, ...]
    decided: tuple[float, ...]
    """When the end of a turn was decided."""
    stops: tuple[float, ...]
    """When the agent was silenced while it was heard."""
    resumed: tuple[float, ...]
    """When a stopped sentence was taken up again."""
    heard: tuple[tuple[float, float], ...]
    """Stretches of the agent's sound."""
    prompts: tuple[tuple[str, bool], ...] = ()
    """What the agent should have done in a silence, and whether it did."""
    transcripts: tuple[tuple[float, str], ...] = ()
    reasons: tuple[str, ...] = ()
    """Why each end was decided, as the turn model said; empty when it said nothing."""
    held_out: bool = False
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """One dialogue's marks."""

    name: str
    tags: tuple[str, ...]
    held_out: bool
    turns: int
    pauses: int
    """Pauses inside turns that must be waited out."""
    cut_ins: tuple[str, ...]
    """What was being said, up to each cut."""
    talked_over: int
    """Cut-ins after which the agent was heard before the caller had finished."""
    missed: tuple[str, ...]
    delays_ms: tuple[float, ...]
    disturbances: int
    """Backchannels and sounds over the agent's words."""
    false_interruptions: tuple[str, ...]
    resumed: int
    resumed_in_time: int
    resumed_after_ms: tuple[float, ...]
    barge_ins: int
    missed_barge_ins: tuple[str, ...]
    silence_after_ms: tuple[float, ...]
    """From the first sound of a barge-in to the agent's last."""
    prompts: int
    missed_prompts: tuple[str, ...]
    presses: int
    missed_presses: int


def judged(played: Played) -> Judged:
    turns = [said for said in played.said if said.is_turn]
    cut_ins: list[str] = []
    talked_over = 0
    missed: list[str] = []
    delays: list[float] = []
    for said in turns:
        early = [at for at in played.decided if said.must_wait(at)]
        cut_ins += [f"{_up_to(said, at)}{_why(at, played)}" for at in early]
        talked_over += sum(
            any(at < start < said.end_ms and said.must_wait(start) for start, _ in played.heard)
            for at in early[:1]
        )
        delay = _delay(said.end_ms, played.decided)
        if delay is None:
            missed.append(said.text)
        else:
            delays.append(delay)
    barge_ins, missed_barge_ins, silences = _barge_ins(played)
    false = [at for at in played.stops if not _explained(at, played)]
    took_up = [after for at in false if (after := _resumed_after(at, played)) is not None]
    presses = [said for said in played.said if said.kind == "press"]
    return Judged(
        name=played.name,
        tags=played.tags,
        held_out=played.held_out,
        turns=len(turns),
        pauses=sum(not free for said in turns for free in said.may_end),
        cut_ins=tuple(cut_ins),
        talked_over=talked_over,
        missed=tuple(missed),
        delays_ms=tuple(delays),
        disturbances=sum(said.kind in ("backchannel", "sound") for said in played.said),
        false_interruptions=tuple(_cause(at, played) for at in false),
        resumed=len(took_up),
        resumed_in_time=sum(after <= RESUME_MS for after in took_up),
        resumed_after_ms=tuple(took_up),
        barge_ins=barge_ins,
        missed_barge_ins=tuple(missed_barge_ins),
        silence_after_ms=tuple(silences),
        prompts=len(played.prompts),
        missed_prompts=tuple(name for name, seen in played.prompts if not seen),
        presses=len(presses),
        missed_presses=sum(
            not any(0 <= start - said.end_ms <= 2 * MISSED_MS for start, _ in played.heard)
            for said in presses
        ),
    )


def _resumed_after(at_ms: float, played: Played) -> float | None:
    """How long after a stop the sentence was taken up; None when it was not before the next stop."""
    until = min((stop for stop in played.stops if stop > at_ms), default=float("inf"))
    return min((again - at_ms for again in played.resumed if at_ms <= again <= until), default=None)


def _delay(end_ms: float, decided: Sequence[float]) -> float | None:
    after = [at - end_ms for at in decided if -QUIET_TAIL_MS <= at - end_ms <= MISSED_MS]
    return min(after) if after else None


def _why(at_ms: float, played: Played) -> str:
    why = dict(zip(played.decided, played.reasons, strict=False)).get(at_ms, "")
    return f" ({why})" if why else ""


def _up_to(said: Said, at_ms: float) -> str:
    """The words, with a bar where the caller was cut."""
    spoken = sum(start <= at_ms for start, _ in said.spans)
    return " ".join((*said.pieces[:spoken], "|", *said.pieces[spoken:]))


def _explained(at_ms: float, played: Played) -> bool:
    return any(said.is_turn and said.start_ms <= at_ms <= said.end_ms + STOP_GRACE_MS for said in played.said)


def _cause(at_ms: float, played: Played) -> str:
    before = [s for s in played.said if not s.is_turn and s.start_ms <= at_ms <= s.end_ms + 1500]
    return f"{before[-1].kind}: {before[-1].text}" if before else "echo or noise"


def _barge_ins(played: Played) -> tuple[int, list[str], list[float]]:
    """How many there were over the agent's words, those it did not yield to, and the times."""
    count = 0
    missed: list[str] = []
    silences: list[float] = []
    for said in played.said:
        if said.kind != "barge_in":
            continue
        talking = [(a, b) for a, b in played.heard if a <= said.start_ms + 100 and b > said.start_ms]
        if not talking:
            continue
        stops = [at for at in played.stops if said.start_ms <= at <= said.end_ms + STOP_GRACE_MS]
        if stops and _resumed_after(stops[-1], played) is not None:
            count += 1
            missed.append(f"{said.text} (stopped, and went on)")
        elif stops:
            count += 1
            silences.append(stops[0] - said.start_ms)
        elif talking[-1][1] > said.end_ms + STOP_GRACE_MS:
            count += 1
            missed.append(said.text)
        # else the agent finished of itself while the caller spoke: no test of anything
    return count, missed, silences


def figures(marks: Iterable[Judged]) -> dict[str, Any]:
    """The table of one model over some dialogues."""
    marks = list(marks)
    gaps = sorted(gap for m in marks for gap in m.resumed_after_ms)
    false = sum(len(m.false_interruptions) for m in marks)
    resumed = sum(m.resumed for m in marks)
    turns = sum(m.turns for m in marks)
    delays = sorted(delay for m in marks for delay in m.delays_ms)
    silences = sorted(delay for m in marks for delay in m.silence_after_ms)
    cut_ins = sum(len(m.cut_ins) for m in marks)
    return {
        "dialogues": len(marks),
        "turns": turns,
        "pauses_inside_turns": sum(m.pauses for m in marks),
        "cut_ins": cut_ins,
        "cut_ins_per_100_turns": round(100 * cut_ins / turns, 1) if turns else None,
        "turns_cut_into": sum(min(m.turns, len(m.cut_ins)) for m in marks),
        "talked_over": sum(m.talked_over for m in marks),
        "missed_ends": sum(len(m.missed) for m in marks),
        "endpoint_delay_p50_ms": percentile(delays, 50),
        "endpoint_delay_p95_ms": percentile(delays, 95),
        "disturbances": sum(m.disturbances for m in marks),
        "false_interruptions": false,
        "resumed": resumed,
        "resumed_within_2_s": sum(m.resumed_in_time for m in marks),
        "resumed_after_p50_ms": percentile(gaps, 50),
        "resumed_after_p95_ms": percentile(gaps, 95),
        "sentences_lost": false - resumed,
        "barge_ins": sum(m.barge_ins for m in marks),
        "missed_barge_ins": sum(len(m.missed_barge_ins) for m in marks),
        "barge_in_to_silence_p50_ms": percentile(silences, 50),
        "barge_in_to_silence_p95_ms": percentile(silences, 95),
        "silence_prompts": sum(m.prompts for m in marks),
        "missed_silence_prompts": sum(len(m.missed_prompts) for m in marks),
        "keypad_entries": sum(m.presses for m in marks),
        "missed_keypad_entries": sum(m.missed_presses for m in marks),
    }


def percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Linear interpolation between ranks; None of nothing."""
    if len(ordered) < 2:
        return round(ordered[0], 1) if ordered else None
    return round(statistics.quantiles(ordered, n=100, method="inclusive")[percent - 1], 1)
