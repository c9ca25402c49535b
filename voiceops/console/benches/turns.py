"""Turn latency on real models: one spoken call at a time over the carrier socket.

The same audio is spoken to every arm: the platform with speculation, without it, and peers. Arms
take the calls in turns, each at another place of the deck, so that no arm warms another's prompts.
"""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import agents.api
import telephony.api as telephony
from voiceops.console import trial
from voiceops.console.benches import peers
from voiceops.console.benches.callers import SPEAKERS, speak
from voiceops.console.benches.measures import conditions
from voiceops.console.benches.pairing import Answer, pair, pair_words
from voiceops.console.benches.questions import CONVERSATIONS, Conversation
from voiceops.console.benches.turn_report import compared, of_peer, of_platform
from voiceops.core.errors import VoiceOpsError

HELP = "turn latency and stages, real models, one call at a time"
Speculation = Literal["both", "on", "off"]
CALLED = "+918040000000"
WARM_UP = 1
"""Calls of each arm that are made before anything is counted."""
PATIENCE_CALLS = 2
"""So many calls in a row without an answer end the bench."""
PATIENCE = telephony.Patience(brisk_ms=900)
"""A caller speaks again 0.9 s after the end of an answer."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=100, help="answers to hear (default 100)")
    parser.add_argument(
        "--beside",
        type=int,
        help="answers to hear without speculation and from the peer (default: as many); a call of six "
        "takes a minute",
    )
    parser.add_argument(
        "--speculation",
        choices=("both", "on", "off"),
        default="both",
        help="compare calls with it and without it, call by call (default both)",
    )
    parser.add_argument("--peer", choices=peers.NAMES, default="", help="measure this peer in the same run")
    parser.add_argument("--peer-python", type=Path, help="the interpreter of the peer's own environment")
    parser.add_argument("--details", type=Path, help="write one JSON line for each thing asked to this file")


def measure(options: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """Raises: VoiceOpsError."""
    if options["turns"] < 1:
        raise trial.TrialFailed("--turns must be at least 1")
    if options["beside"] is not None and options["beside"] < 1:
        raise trial.TrialFailed("--beside must be at least 1")
    return run(
        turns=options["turns"],
        beside=options["beside"],
        say=say,
        speculation=options["speculation"],
        peer=options["peer"],
        peer_python=options["peer_python"],
        details=options["details"],
    )


@dataclass(slots=True)
class _Arm:
    name: str
    """on, off, or a peer's name."""
    place: Callable[[Conversation, Sequence[telephony.Utterance]], list[Answer]]
    answers: list[Answer] = field(default_factory=list)
    failed_calls: int = 0
    failed_in_a_row: int = 0
    is_peer: bool = False
    gave_up: str = ""
    """Why a peer is asked no more."""

    def call(
        self, conversation: Conversation, said: Sequence[telephony.Utterance], say: Callable[[str], None]
    ) -> list[Answer]:
        """One call; one that failed leaves all its lines unanswered.

        When several fail in a row a peer is given up. Raises: TrialFailed when it is the platform.
        """
        problem = "no answer was heard in the whole call"
        answers: list[Answer] = []
        try:
            answers = self.place(conversation, said)
        except VoiceOpsError as error:
            problem = str(error)
        if _answered(answers):
            self.failed_in_a_row = 0
            return answers
        self.failed_calls += 1
        self.failed_in_a_row += 1
        say(f"{self.name}: {problem}")
        if self.failed_in_a_row >= PATIENCE_CALLS:
            self.gave_up = f"{self.failed_in_a_row} calls in a row failed: {problem}"
            if not self.is_peer:
                raise trial.TrialFailed(f"{self.name}: {self.gave_up}")
        return [Answer(line, None, False, "", "") for line in conversation.lines]


def run(
    *,
    turns: int,
    say: Callable[[str], None],
    beside: int | None = None,
    speculation: Speculation = "both",
    peer: str = "",
    peer_python: Path | None = None,
    details: Path | None = None,
) -> dict[str, Any]:
    """Hear at least `turns` answers, `beside` in each arm but the first; `say` is told of the progress.

    Returns the figures of calls with speculation (of those without, if only they were made), and
    beside them `speculation_off`, `speculation_saves`, `peers` and `conditions`. `details` gets one
    JSON line for each thing asked. Raises: VoiceOpsError saying what is missing.
    """
    circumstances = conditions()
    with ExitStack() as stack:
        arms = _arms(speculation, peer, peer_python, stack)
        wanted = {arm.name: turns if arm is arms[0] else beside or turns for arm in arms}
        spoken: dict[int, list[telephony.Utterance]] = {}
        for number in range(-WARM_UP, 10_000):
            waiting = [
                arm
                for arm in arms
                if number < 0 or (_answered(arm.answers) < wanted[arm.name] and not arm.gave_up)
            ]
            if not waiting:
                break
            # Who goes first changes, so that a drift of the machine meets all alike.
            turned = number % len(arms)
            for arm in arms[turned:] + arms[:turned]:
                if arm not in waiting:
                    continue
                index = (number + arms.index(arm) * len(CONVERSATIONS) // len(arms)) % len(CONVERSATIONS)
                if index not in spoken:
                    spoken[index] = asyncio.run(_speak(index))
                answers = arm.call(CONVERSATIONS[index], spoken[index], say)
                if number < 0:
                    say(f"warm-up, {arm.name}: {_answered(answers)} answers, not counted")
                    arm.failed_calls = 0
                    continue
                arm.answers.extend(answers)
                say(f"call {number + 1}, {arm.name}: {_answered(arm.answers)} of {wanted[arm.name]}")
    if details is not None:
        _write(details, arms)
    return _report(arms, circumstances)


def _arms(speculation: Speculation, peer: str, peer_python: Path | None, stack: ExitStack) -> list[_Arm]:
    names = ("on", "off") if speculation == "both" else (speculation,)
    arms = [_Arm(name, _Platform(name == "on").place) for name in names]
    if peer:
        running = stack.enter_context(peers.started(peer, peer_python))

        def place(conversation: Conversation, said: Sequence[telephony.Utterance]) -> list[Answer]:
            carrier_ref = telephony.new_call_sid()
            call = asyncio.run(
                telephony.place_call(
                    running.url,
                    carrier_ref=carrier_ref,
                    utterances=said,
                    parameters={"from": conversation.pii_from},
                    patience=PATIENCE,
                )
            )
            return pair_words(conversation.lines, call, running.words(carrier_ref))

        arms.append(_Arm(peer, place, is_peer=True))
    return arms


@dataclass(frozen=True, slots=True)
class _Platform:
    speculation: bool

    def place(self, conversation: Conversation, said: Sequence[telephony.Utterance]) -> list[Answer]:
        address = trial.open_directly(
            agent=telephony.agent_for_number(CALLED) or "",
            pii_from=conversation.pii_from,
            called=CALLED,
            speculation=self.speculation,
        )
        call = asyncio.run(
            telephony.place_call(
                address.url,
                carrier_ref=address.carrier_ref,
                utterances=said,
                parameters=address.parameters,
                patience=PATIENCE,
            )
        )
        session_id = telephony.twilio_session_id(address.carrier_ref)
        detail = trial.wait_for_trace(session_id, timeout_s=30)
        return pair(conversation.lines, call, detail.turns)


async def _speak(index: int) -> list[telephony.Utterance]:
    """A conversation in one synthetic caller's voice; the callers differ."""
    speaker = SPEAKERS[index % len(SPEAKERS)]
    return [await speak(line.text, speaker) for line in CONVERSATIONS[index].lines]


def _answered(answers: Sequence[Answer]) -> int:
    return sum(answer.carrier_ms is not None for answer in answers)


def _report(arms: Sequence[_Arm], circumstances: dict[str, Any]) -> dict[str, Any]:
    by_name = {arm.name: arm for arm in arms}
    ours = [name for name in ("on", "off") if name in by_name]
    figures = {
        name: of_platform(arm.answers) if name in ours else of_peer(arm.answers)
        for name, arm in by_name.items()
    }
    for name, arm in by_name.items():
        figures[name]["failed_calls"] = arm.failed_calls
        if arm.gave_up:
            figures[name]["gave_up"] = arm.gave_up
    report: dict[str, Any] = {"speculation": ours[0], **figures[ours[0]]}
    if len(ours) == 2:
        report["speculation_off"] = figures["off"]
        report["speculation_saves"] = compared(by_name["off"].answers, by_name["on"].answers)
    others = {name: found for name, found in figures.items() if name not in ours}
    if others:
        report["peers"] = others
    return {**report, "conditions": circumstances}


def _write(path: Path, arms: Sequence[_Arm]) -> None:
    def plain(arm: str, answer: Answer) -> dict[str, Any]:
        turns: Sequence[agents.api.TurnDetail] = answer.turns
        return {
            "arm": arm,
            "asked": answer.line.text,
            "right": answer.right,
            "heard": answer.heard,
            "said": answer.said,
            "carrier_ms": answer.carrier_ms,
            "talked_over": answer.talked_over,
            "turns": [
                {
                    **turn.telemetry,
                    "answer_source": turn.answer_source,
                    "filler": turn.filler,
                    "endpoint": asdict(turn.endpoint) if turn.endpoint else None,
                    "decisions": [f"{decision.code}: {decision.reason}" for decision in turn.decisions],
                    "speculations": [asdict(one) for one in turn.speculations],
                }
                for turn in turns
            ],
        }

    with path.open("w", encoding="utf-8") as file:
        for arm in arms:
            for answer in arm.answers:
                file.write(json.dumps(plain(arm.name, answer), ensure_ascii=False, default=str) + "\n")
