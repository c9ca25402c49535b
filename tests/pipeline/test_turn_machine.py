"""The turn machine alone: who may speak, whatever happens in whatever order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agents.pipeline.turn_machine import (
    Answered,
    BargeInHeard,
    CancelTurn,
    Command,
    EndCall,
    EndOfTurn,
    HungUp,
    OpenTurn,
    SpeechStarted,
    StartTimer,
    StopTimer,
    TimerFired,
    TurnAudible,
    TurnClosed,
    TurnEvent,
    TurnMachine,
)


def talking() -> TurnMachine:
    """The greeting is over; the agent listens."""
    machine = TurnMachine()
    machine.handle(Answered())
    machine.handle(TurnClosed(0))
    return machine


def test_a_question_opens_a_turn_and_stops_the_silence_timer() -> None:
    machine = talking()
    assert machine.handle(EndOfTurn("q")) == (StopTimer("still_there"), OpenTurn(1, "answer", ("q",)))


def test_barge_in_lets_the_old_turn_close_before_the_new_one_speaks() -> None:
    """Two voices at once otherwise."""
    machine = talking()
    machine.handle(EndOfTurn("q"))
    machine.handle(TurnAudible(1))
    assert machine.handle(BargeInHeard()) == (CancelTurn(1, "barge_in"),)
    assert machine.handle(EndOfTurn("r", insistent=True)) == ()
    assert machine.handle(TurnClosed(1)) == (OpenTurn(2, "answer", ("r",)),)


def test_going_on_before_the_answer_asks_both_parts_together() -> None:
    machine = talking()
    machine.handle(EndOfTurn("first half"))
    machine.handle(SpeechStarted())
    assert machine.handle(BargeInHeard()) == (CancelTurn(1, "caller_continued"),)
    assert machine.handle(TurnClosed(1, void=True)) == ()
    assert machine.handle(EndOfTurn("second half", insistent=True)) == (
        OpenTurn(1, "answer", ("first half", "second half")),
    )


def test_a_word_over_the_agent_is_let_pass() -> None:
    machine = talking()
    machine.handle(EndOfTurn("q"))
    machine.handle(TurnAudible(1))
    assert machine.handle(EndOfTurn("mhm")) == ()
    assert machine.open_index == 1


def test_silence_is_asked_about_once_and_then_ends_the_call() -> None:
    machine = talking()
    assert machine.handle(TimerFired("still_there"))[0] == OpenTurn(1, "still_there")
    assert machine.handle(TurnClosed(1)) == (StartTimer("silent_goodbye", 15_000.0),)
    assert machine.handle(TimerFired("silent_goodbye")) == (OpenTurn(2, "silent_goodbye"),)
    assert machine.handle(TurnClosed(2, ends_call="caller_silent")) == (EndCall("caller_silent"),)


def test_an_answer_to_still_there_starts_the_clock_anew() -> None:
    machine = talking()
    machine.handle(TimerFired("still_there"))
    machine.handle(TurnClosed(1))
    machine.handle(EndOfTurn("yes"))
    assert machine.handle(TurnClosed(2)) == (StartTimer("still_there", 10_000.0),)


def test_hanging_up_in_the_middle_closes_the_turn_first() -> None:
    """The record of the last turn would be lost."""
    machine = talking()
    machine.handle(EndOfTurn("q"))
    assert machine.handle(HungUp("hangup")) == (CancelTurn(1, "hangup"),)
    assert machine.handle(TurnClosed(1)) == (EndCall("hangup"),)


def test_a_question_after_goodbye_keeps_the_call() -> None:
    machine = talking()
    machine.handle(EndOfTurn("bye"))
    machine.handle(TurnAudible(1))
    machine.handle(BargeInHeard())
    machine.handle(EndOfTurn("wait", insistent=True))
    assert machine.handle(TurnClosed(1, ends_call="goodbye")) == (OpenTurn(2, "answer", ("wait",)),)


class Conversation(RuleBasedStateMachine):
    """Any order of events; a faithful executor of the commands checks them."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = TurnMachine()
        self.speaking: int | None = None
        self.cancelled: set[int] = set()
        self.timers: set[str] = set()
        self.asked = 0
        self.answered: list[object] = []
        self.let_pass: list[object] = []
        self.waiting_for_end = False
        self.ended = False
        self.feed(Answered())

    def feed(self, event: TurnEvent) -> tuple[Command, ...]:
        commands = self.machine.handle(event)
        for command in commands:
            match command:
                case OpenTurn(index, kind, utterances):
                    assert self.speaking is None, "two speakers are authorised"
                    assert not self.ended
                    assert not self.timers, "a silence timer runs while somebody speaks"
                    self.speaking = index
                    self.utterances = utterances
                    assert (kind == "answer") == bool(utterances)
                case CancelTurn(index):
                    assert index == self.speaking and index not in self.cancelled
                    self.cancelled.add(index)
                case StartTimer(name):
                    assert not self.timers
                    self.timers.add(name)
                case StopTimer(name):
                    self.timers.remove(name)
                case EndCall():
                    assert self.speaking is None, "the call ends with a turn open"
                    assert not self.timers, "a timer outlives the call"
                    self.ended = True
        return commands

    @precondition(lambda self: not self.ended)
    @rule(insistent=st.booleans())
    def caller_says_something(self, insistent: bool) -> None:
        self.asked += 1
        self.feed(SpeechStarted())
        if insistent:
            self.feed(BargeInHeard())
        audible = self.machine._audible and not self.machine._cancelled
        before = self.speaking
        self.feed(EndOfTurn(self.asked, insistent))
        if before is not None and audible and not insistent:
            self.let_pass.append(self.asked)

    @precondition(lambda self: not self.ended)
    @rule()
    def caller_starts(self) -> None:
        self.feed(SpeechStarted())
        self.feed(BargeInHeard())
        self.waiting_for_end = True

    @precondition(lambda self: not self.ended and self.waiting_for_end)
    @rule()
    def caller_stops(self) -> None:
        self.waiting_for_end = False
        self.asked += 1
        self.feed(EndOfTurn(self.asked, True))

    @precondition(lambda self: self.speaking is not None)
    @rule()
    def agent_is_heard(self) -> None:
        assert self.speaking is not None
        self.feed(TurnAudible(self.speaking))

    @precondition(lambda self: self.speaking is not None)
    @rule(void=st.booleans(), last=st.booleans())
    def turn_closes(self, void: bool, last: bool) -> None:
        index = self.speaking
        assert index is not None
        cancelled = index in self.cancelled
        self.speaking = None
        self.cancelled.discard(index)
        continued = cancelled and not self.machine._audible and bool(self.machine._asked)
        if not continued:
            self.answered += self.utterances
        void = continued or (void and not cancelled)
        self.feed(TurnClosed(index, ends_call="goodbye" if last and not void else "", void=void))

    @precondition(lambda self: self.timers)
    @rule()
    def timer_fires(self) -> None:
        name = self.timers.pop()
        self.feed(TimerFired(name))

    @rule()
    def stale_reports(self) -> None:
        self.feed(TurnAudible(999))
        self.feed(TurnClosed(999))
        self.feed(TimerFired("nothing"))

    @precondition(lambda self: not self.ended)
    @rule()
    def caller_hangs_up(self) -> None:
        self.feed(HungUp("hangup"))

    @invariant()
    def machine_agrees_on_who_speaks(self) -> None:
        assert self.machine.open_index == self.speaking

    @invariant()
    def nobody_is_forgotten(self) -> None:
        """Every utterance is answered, being answered, waiting, or was a word over the agent."""
        if self.ended or self.machine._hangup:
            return
        known = set(self.answered) | set(self.let_pass) | set(self.machine._waiting)
        if self.speaking is not None:
            known |= set(self.utterances)
        assert known >= set(range(1, self.asked + 1))

    def teardown(self) -> None:
        """Whatever happened: hanging up ends the call once the open turn has closed."""
        if not self.ended:
            self.feed(HungUp("hangup"))
            if self.speaking is not None:
                index, self.speaking = self.speaking, None
                self.feed(TurnClosed(index))
            assert self.ended


Conversation.TestCase.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
TestConversation = Conversation.TestCase
