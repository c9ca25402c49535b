"""Who may speak: events in, commands out, no I/O and no clock.

At most one turn is open at any time, and only an open turn may make sound. It falls silent as soon
as the caller makes any: it is held until it is known what that was. Words cancel it; a cough or
an "mhm" lets it go on where it stopped, and so does a noise that will not end. A turn that is told
to stop stays open until it reports that it closed; what the caller said meanwhile waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

STILL_THERE_MS = 10_000.0
SILENT_GOODBYE_MS = 15_000.0
"""After "still there?": 25 s of silence altogether end the call."""

TurnKind = Literal["greeting", "answer", "still_there", "silent_goodbye"]


# Events -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answered:
    pass


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """An `EndOfTurn` always follows, however little was said."""


@dataclass(frozen=True, slots=True)
class BargeInHeard:
    """What the caller says is meant: it takes the floor."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    utterance: Any
    """Opaque to the machine: handed back in `OpenTurn`."""
    insistent: bool = False
    """Typed, keyed, or known to be meant: it takes the floor."""
    ends_speech: bool = True
    """False for what comes beside the caller's voice: typed, or words that came late."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What an utterance over an open turn was; answers a `Judge` command."""

    utterance: Any
    meant: bool


@dataclass(frozen=True, slots=True)
class HoldExpired:
    """The turn was held for as long as it may be, and nothing was said that was meant."""

    index: int


@dataclass(frozen=True, slots=True)
class TurnAudible:
    """So much of the open turn's answer was heard that the caller may have replied to it."""

    index: int


@dataclass(frozen=True, slots=True)
class TurnClosed:
    index: int
    ends_call: str = ""
    """A reason when this turn was the last one."""
    void: bool = False
    """Nothing had been said after all: no turn took place."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    name: str


@dataclass(frozen=True, slots=True)
class HungUp:
    reason: str


TurnEvent = (
    Answered
    | SpeechStarted
    | BargeInHeard
    | EndOfTurn
    | Judged
    | HoldExpired
    | TurnAudible
    | TurnClosed
    | TimerFired
    | HungUp
)


# Commands ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenTurn:
    index: int
    kind: TurnKind
    utterances: tuple[Any, ...] = ()
    """More than one when the caller went on before the agent had begun to answer."""


@dataclass(frozen=True, slots=True)
class HoldTurn:
    """Make no sound for now, and keep what was not heard."""

    index: int


@dataclass(frozen=True, slots=True)
class ResumeTurn:
    """Go on from where the caller stopped hearing."""

    index: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Say with `Judged` whether this utterance was meant, as soon as its words are known."""

    utterance: Any


@dataclass(frozen=True, slots=True)
class CancelTurn:
    index: int
    reason: Literal["barge_in", "caller_continued", "hangup"]


@dataclass(frozen=True, slots=True)
class StartTimer:
    name: str
    after_ms: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    name: str


@dataclass(frozen=True, slots=True)
class EndCall:
    reason: str


Command = OpenTurn | HoldTurn | ResumeTurn | Judge | CancelTurn | StartTimer | StopTimer | EndCall


@dataclass(slots=True)
class TurnMachine:
    """Feed it events with `handle`; do what the returned commands say, in order."""

    next_index: int = 0
    open_index: int | None = None
    ended: bool = False
    timer: str = ""
    """Name of the running timer, at most one."""
    held: bool = False
    """The open turn is silent until it is known whether the caller means to interrupt."""
    _cancelled: bool = False
    _audible: bool = False
    _asked: tuple[Any, ...] = ()
    """Utterances of the open turn."""
    _waiting: list[Any] = field(default_factory=list)
    """Utterances that wait for the floor."""
    _judging: list[Any] = field(default_factory=list)
    """Utterances over the open turn of which it is not known yet whether they were meant."""
    _caller_speaking: bool = False
    """Speech began, or went on, whose `EndOfTurn` is still to come."""
    _overdue: bool = False
    """That speech has held the agent for as long as it may: only words stop it now."""
    _hangup: str = ""
    _farewell: str = ""
    """Why the call ends with the turn that has just closed, unless the caller has more to say."""
    _prompted: bool = False
    """ "Still there?" was said and not answered."""

    def handle(self, event: TurnEvent) -> tuple[Command, ...]:
        if self.ended:
            return ()
        match event:
            case Answered():
                return self._open("greeting")
            case SpeechStarted():
                self._prompted = False
                self._caller_speaking = True
                return (*self._stop_timer(), *self._hold())
            case BargeInHeard():
                self._caller_speaking = True
                return self._take_floor()
            case EndOfTurn():
                return self._end_of_turn(event)
            case Judged(utterance, meant):
                return self._judged(utterance, meant)
            case HoldExpired(index):
                return self._expired(index)
            case TurnAudible(index):
                if index == self.open_index:
                    self._audible = True
                return ()
            case TurnClosed():
                return self._closed(event)
            case TimerFired(name):
                return self._timer_fired(name)
            case HungUp(reason):
                return self._hang_up(reason)

    def _open(self, kind: TurnKind, utterances: tuple[Any, ...] = ()) -> tuple[Command, ...]:
        commands = self._stop_timer()
        index = self.next_index
        self.next_index += 1
        self._farewell = ""
        self.open_index, self._cancelled, self._audible, self.held = index, False, False, False
        self._asked = utterances
        commands = (*commands, OpenTurn(index, kind, utterances))
        return (*commands, *self._hold()) if self._caller_speaking else commands

    def _hold(self) -> tuple[Command, ...]:
        if self.open_index is None or self._cancelled or self.held or self._overdue:
            return ()
        self.held = True
        return (HoldTurn(self.open_index),)

    def _expired(self, index: int) -> tuple[Command, ...]:
        if index != self.open_index or not self.held:
            return ()
        self._overdue, self.held = self._caller_speaking, False
        return (ResumeTurn(index),)

    def _take_floor(self) -> tuple[Command, ...]:
        if self.open_index is None or self._cancelled:
            return ()
        self._cancelled, self.held = True, False
        # Whatever was said over this turn belongs to what takes its place.
        judging, self._judging = self._judging, []
        self._waiting += judging
        if self._audible or not self._asked:
            return (CancelTurn(self.open_index, "barge_in"),)
        # Not answered yet: what was asked belongs to what is being said now.
        self._waiting = [*self._asked, *self._waiting]
        return (CancelTurn(self.open_index, "caller_continued"),)

    def _end_of_turn(self, event: EndOfTurn) -> tuple[Command, ...]:
        self._prompted = False
        held_enough = self._overdue
        if event.ends_speech:
            self._caller_speaking = self._overdue = False
        if self.open_index is None:
            waiting, self._waiting, self._judging = [*self._waiting, *self._judging], [], []
            return self._open("answer", (*waiting, event.utterance))
        if self._cancelled or event.insistent:
            commands = self._take_floor()
            self._waiting.append(event.utterance)
            return commands
        self._judging.append(event.utterance)
        return (*(() if held_enough else self._hold()), Judge(event.utterance))

    def _judged(self, utterance: Any, meant: bool) -> tuple[Command, ...]:
        if utterance not in self._judging:
            return ()  # it was taken along by something that was meant
        if meant and self.open_index is not None:
            return self._take_floor()
        self._judging.remove(utterance)
        if meant:
            self._waiting.append(utterance)
        return self._let_go() if self.open_index is not None else self._next()

    def _let_go(self) -> tuple[Command, ...]:
        if not self.held or self._judging or self._caller_speaking or self.open_index is None:
            return ()
        self.held = False
        return (ResumeTurn(self.open_index),)

    def _closed(self, event: TurnClosed) -> tuple[Command, ...]:
        if event.index != self.open_index:
            return ()
        self.open_index, self._asked, self.held = None, (), False
        if event.void:
            self.next_index -= 1
        if self._hangup:
            return self._end(self._hangup)
        self._farewell = event.ends_call
        return self._next()

    def _next(self) -> tuple[Command, ...]:
        """No turn is open: who speaks now?"""
        if self._judging:
            return ()  # its verdict decides
        if self._farewell and not self._waiting:
            return self._end(self._farewell)
        if self._caller_speaking:
            return ()  # the end of what is being said opens the next turn
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            return self._open("answer", tuple(waiting))
        name = "silent_goodbye" if self._prompted else "still_there"
        self.timer = name
        return (StartTimer(name, SILENT_GOODBYE_MS if self._prompted else STILL_THERE_MS),)

    def _timer_fired(self, name: str) -> tuple[Command, ...]:
        if name != self.timer or self.open_index is not None:
            return ()
        self.timer = ""
        self._prompted = True
        return self._open("still_there" if name == "still_there" else "silent_goodbye")

    def _hang_up(self, reason: str) -> tuple[Command, ...]:
        if self.open_index is None:
            return self._end(reason)
        self._hangup = reason
        if self._cancelled:
            return ()
        self._cancelled, self.held = True, False
        return (CancelTurn(self.open_index, "hangup"),)

    def _end(self, reason: str) -> tuple[Command, ...]:
        commands = self._stop_timer()
        self.ended = True
        self._waiting.clear()
        self._judging.clear()
        self.held = False
        return (*commands, EndCall(reason))

    def _stop_timer(self) -> tuple[Command, ...]:
        if not self.timer:
            return ()
        name, self.timer = self.timer, ""
        return (StopTimer(name),)
