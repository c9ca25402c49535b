"""What was asked, what was heard of the answer, and when: joined from both sides of a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import agents.api
import telephony.api as telephony
from voiceops.console.benches.questions import Line

_SLACK_MS = 400.0
"""By how much the two sides' clocks may differ: the call's starts after the socket's, once the plan
was loaded."""


@dataclass(frozen=True, slots=True)
class Words:
    """One piece of text at a moment of the machine's monotonic clock."""

    at_s: float
    text: str
    by: str
    """caller, as it was understood, or agent"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of a caller and what came back."""

    line: Line
    carrier_ms: float | None
    """Last speech frame sent to first audible frame of the answer received; fillers do not count.
    None: no answer."""
    talked_over: bool
    """The agent spoke while the caller still did."""
    heard: str
    said: str
    turns: tuple[agents.api.TurnDetail, ...] = ()
    """The platform's turns of this line: more than one when it took a pause for the end."""

    @property
    def right(self) -> bool:
        return self.carrier_ms is not None and self.line.right(self.said)

    @property
    def turn(self) -> agents.api.TurnDetail | None:
        """The turn that was measured: the last one that was answered aloud."""
        return next((turn for turn in reversed(self.turns) if turn.latency_ms is not None), None)


def pair(
    lines: Sequence[Line], call: telephony.CarrierCall, turns: Sequence[agents.api.TurnDetail]
) -> list[Answer]:
    """Each line that the caller came to say, with the turns that began while it was said or
    before the next one."""
    exchanges = call.exchanges
    mine: list[list[agents.api.TurnDetail]] = [[] for _ in exchanges]
    for turn in turns:
        if turn.heard:
            index = _index(exchanges, turn.started_ms)
            if index is not None:
                mine[index].append(turn)
    found = []
    for line, exchange, own in zip(lines, exchanges, mine, strict=False):
        answered = next((turn for turn in reversed(own) if turn.latency_ms is not None), None)
        fillers = _fillers_before_answer(answered) if answered is not None else 0
        found.append(
            Answer(
                line=line,
                carrier_ms=exchange.latency_after_ms(fillers) if answered is not None else None,
                talked_over=exchange.talked_over,
                heard=" ".join(turn.heard for turn in own),
                said=" ".join(turn.said for turn in own),
                turns=tuple(own),
            )
        )
    return found


def pair_words(lines: Sequence[Line], call: telephony.CarrierCall, words: Sequence[Words]) -> list[Answer]:
    """The same for a peer, which tells only what it understood and what it said."""
    exchanges = call.exchanges
    found = []
    for number, (line, exchange) in enumerate(zip(lines, exchanges, strict=False)):
        until_ms = exchanges[number + 1].said_from_ms if number + 1 < len(exchanges) else float("inf")
        own = [
            word for word in words if exchange.said_from_ms <= (word.at_s - call.opened_s) * 1000 < until_ms
        ]
        found.append(
            Answer(
                line=line,
                carrier_ms=exchange.heard_latency_ms,
                talked_over=exchange.talked_over,
                heard=" ".join(word.text for word in own if word.by == "caller"),
                said=" ".join(word.text for word in own if word.by == "agent"),
            )
        )
    return found


def _index(exchanges: Sequence[telephony.Exchange], started_ms: float) -> int | None:
    """The last exchange that had begun by then."""
    begun = [index for index, item in enumerate(exchanges) if item.said_from_ms <= started_ms + _SLACK_MS]
    return begun[-1] if begun else None


def _fillers_before_answer(turn: agents.api.TurnDetail) -> int:
    """How many fillers were sent before the answer's first piece."""
    pieces = sorted(
        (span for span in turn.spans if span.name in ("filler", "playout")), key=lambda span: span.start_ms
    )
    names = [span.name for span in pieces]
    return names.index("playout") if "playout" in names else len(names)
