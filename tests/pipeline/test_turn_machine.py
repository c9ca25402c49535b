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
    HoldExpired,
    HoldTurn,
    HungUp,
    Judge,
    Judged,
    OpenTurn,
    ResumeTurn,
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


def over_the_agent() -> TurnMachine:
    """The agent answers, and the caller makes a sound."""
    machine = talking()
    machine.handle(EndOfTurn("q"))
    machine.handle(TurnAudible(1))
    assert machine.handle(SpeechStarted()) == (HoldTurn(1),)
    return machine


def test_a_word_over_the_agent_is_let_pass() -> None:
    machine = over_the_agent()
    assert machine.handle(EndOfTurn("mhm")) == (Judge("mhm"),)
    assert machine.handle(Judged("mhm", False)) == (ResumeTurn(1),)
    assert machine.open_index == 1


def test_a_word_that_was_meant_takes_the_floor_after_all() -> None:
    machine = over_the_agent()
    machine.handle(EndOfTurn("no"))
    assert machine.handle(Judged("no", True)) == (CancelTurn(1, "barge_in"),)
    assert machine.handle(TurnClosed(1)) == (OpenTurn(2, "answer", ("no",)),)


def test_the_agent_stays_silent_while_the_caller_makes_another_sound() -> None:
    """Two voices at once otherwise: the first sound was nothing, the second may be."""
    machine = over_the_agent()
    machine.handle(EndOfTurn("mhm"))
    machine.handle(SpeechStarted())
    assert machine.handle(Judged("mhm", False)) == ()
    machine.handle(EndOfTurn("mhm again"))
    assert machine.handle(Judged("mhm again", False)) == (ResumeTurn(1),)


def test_a_word_over_the_last_word_of_an_answer_opens_no_turn() -> None:
    """ "Okay" while the agent ends its sentence would be answered with "I did not understand"."""
    machine = over_the_agent()
    machine.handle(EndOfTurn("okay"))
    assert machine.handle(TurnClosed(1)) == ()
    assert machine.handle(Judged("okay", False)) == (StartTimer("still_there", 10_000.0),)


def test_a_question_over_goodbye_keeps_the_call_once_it_is_understood() -> None:
    machine = over_the_agent()
    machine.handle(EndOfTurn("one more thing"))
    assert machine.handle(TurnClosed(1, ends_call="goodbye")) == ()
    assert machine.handle(Judged("one more thing", True)) == (OpenTurn(2, "answer", ("one more thing",)),)


def test_a_murmur_over_goodbye_ends_the_call() -> None:
    machine = over_the_agent()
    machine.handle(EndOfTurn("mhm"))
    machine.handle(TurnClosed(1, ends_call="goodbye"))
    assert machine.handle(Judged("mhm", False)) == (EndCall("goodbye"),)


def test_a_verdict_on_what_was_taken_along_changes_nothing() -> None:
    machine = over_the_agent()
    machine.handle(EndOfTurn("mhm"))
    machine.handle(SpeechStarted())
    machine.handle(BargeInHeard())
    assert machine.handle(Judged("mhm", False)) == ()
    assert machine.handle(EndOfTurn("no wait", insistent=True)) == ()
    assert machine.handle(TurnClosed(1)) == (OpenTurn(2, "answer", ("mhm", "no wait")),)


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


def test_a_sound_that_will_not_end_holds_the_agent_once() -> None:
    """People behind talk all through the answer: the agent would be silent for ever, or stammer."""
    machine = TurnMachine()
    machine.handle(Answered())
    assert machine.handle(SpeechStarted()) == (HoldTurn(0),)
    assert machine.handle(HoldExpired(0)) == (ResumeTurn(0),)
    assert machine.handle(SpeechStarted()) == ()
    assert machine.handle(HoldExpired(0)) == ()
    assert machine.handle(EndOfTurn("u1")) == (Judge("u1"),)
    assert machine.handle(Judged("u1", False)) == ()
    assert machine.handle(SpeechStarted()) == (HoldTurn(0),)


def test_words_after_a_hold_that_expired_still_take_the_floor() -> None:
    for said in (BargeInHeard(), EndOfTurn("u1", insistent=True)):
        machine = TurnMachine()
        machine.handle(Answered())
        for event in (SpeechStarted(), HoldExpired(0)):
            machine.handle(event)
        assert machine.handle(said) == (CancelTurn(0, "barge_in"),)


class Conversation(RuleBasedStateMachine):
    """Any order of events; a faithful executor of the commands checks them."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = TurnMachine()
        self.open: int | None = None
        self.held = False
        self.cancelled = ""
        self.audible = False
        self.utterances: tuple[object, ...] = ()
        self.timers: set[str] = set()
        self.judging: list[int] = []
        self.asked = 0
        self.settled: set[object] = set()
        """Answered, or judged to be nothing."""
        self.caller_speaks = False
        self.caller_is_meant = False
        self.overdue = self.was_overdue = False
        """The caller's sound has held the agent for as long as it may."""
        self.ended = False
        self.feed(Answered())

    def feed(self, event: TurnEvent) -> tuple[Command, ...]:
        commands = self.machine.handle(event)
        for command in commands:
            assert not self.ended, "a command after the end"
            match command:
                case OpenTurn(index, kind, utterances):
                    assert self.open is None, "two speakers are authorised"
                    assert not self.timers, "a silence timer runs while somebody speaks"
                    self.open, self.utterances = index, utterances
                    self.held, self.cancelled, self.audible = False, "", False
                    assert (kind == "answer") == bool(utterances)
                case HoldTurn(index):
                    assert index == self.open and not self.held and not self.cancelled
                    self.held = True
                case ResumeTurn(index):
                    assert index == self.open and self.held and not self.cancelled
                    assert not self.caller_speaks or self.overdue, "the agent speaks on over the caller"
                    self.held = False
                case Judge(utterance):
                    assert self.held or self.was_overdue, (
                        "the agent speaks while it is not known what was said"
                    )
                    self.judging.append(utterance)
                case CancelTurn(index, reason):
                    assert index == self.open and not self.cancelled
                    self.cancelled, self.held = reason, False
                case StartTimer(name):
                    assert not self.timers and self.open is None
                    assert not self.caller_speaks, "silence is timed while the caller speaks"
                    self.timers.add(name)
                case StopTimer(name):
                    self.timers.remove(name)
                case EndCall():
                    assert self.open is None, "the call ends with a turn open"
                    assert not self.timers, "a timer outlives the call"
                    self.ended = True
        return commands

    @precondition(lambda self: not self.ended and not self.caller_speaks)
    @rule()
    def caller_makes_a_sound(self) -> None:
        self.caller_speaks, self.caller_is_meant = True, False
        self.feed(SpeechStarted())

    @precondition(lambda self: not self.ended and self.caller_speaks)
    @rule()
    def caller_speaks_on(self) -> None:
        self.feed(SpeechStarted())

    @precondition(lambda self: not self.ended and self.caller_speaks)
    @rule()
    def caller_is_understood(self) -> None:
        self.caller_is_meant = True
        self.feed(BargeInHeard())
        assert self.open is None or self.cancelled

    @precondition(lambda self: not self.ended and self.caller_speaks)
    @rule()
    def caller_stops(self) -> None:
        self.caller_speaks = False
        self.was_overdue, self.overdue = self.overdue, False
        self.asked += 1
        self.feed(EndOfTurn(self.asked, self.caller_is_meant))
        self.was_overdue = False

    @precondition(lambda self: not self.ended)
    @rule()
    def caller_types(self) -> None:
        """Or words come late, while the caller may already say something else."""
        self.asked += 1
        self.feed(EndOfTurn(self.asked, True, ends_speech=False))

    @precondition(lambda self: self.held and not self.ended and self.open is not None)
    @rule()
    def the_hold_has_lasted_long_enough(self) -> None:
        assert self.open is not None
        self.overdue = self.caller_speaks
        self.feed(HoldExpired(self.open))
        assert not self.held, "the agent is held for ever"

    @precondition(lambda self: self.judging)
    @rule(meant=st.booleans())
    def words_become_known(self, meant: bool) -> None:
        utterance = self.judging.pop(0)
        if not meant:
            self.settled.add(utterance)
        self.feed(Judged(utterance, meant))

    @precondition(lambda self: self.open is not None)
    @rule()
    def agent_is_heard(self) -> None:
        assert self.open is not None
        if not self.held:
            self.audible = True
            self.feed(TurnAudible(self.open))

    @precondition(lambda self: self.open is not None)
    @rule(void=st.booleans(), last=st.booleans())
    def turn_closes(self, void: bool, last: bool) -> None:
        index = self.open
        assert index is not None
        continued = self.cancelled == "caller_continued"
        if not continued:
            self.settled |= set(self.utterances)
        void = continued or (void and not self.cancelled)
        self.open = None
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
        self.feed(Judged(999, True))
        self.feed(Judged(999, False))
        self.feed(HoldExpired(999))

    @precondition(lambda self: not self.ended)
    @rule()
    def caller_hangs_up(self) -> None:
        self.feed(HungUp("hangup"))

    @invariant()
    def machine_agrees_on_who_speaks(self) -> None:
        assert self.machine.open_index == self.open
        if self.open is not None and not self.cancelled:
            assert self.machine.held == self.held

    @invariant()
    def one_speaker(self) -> None:
        """Nobody talks over a caller who makes a sound."""
        if self.open is not None and not self.cancelled and self.caller_speaks:
            assert self.held or self.overdue

    @invariant()
    def a_hold_has_a_reason(self) -> None:
        """An agent held for nothing would be silent for ever."""
        if self.held and self.open is not None and not self.ended:
            assert self.caller_speaks or self.judging

    @invariant()
    def silence_is_somebodys(self) -> None:
        """When nobody has the floor, something is bound to happen."""
        if self.open is None and not self.ended:
            assert self.timers or self.caller_speaks or self.judging

    @invariant()
    def nobody_is_forgotten(self) -> None:
        """Every utterance is answered, being answered, waiting, being judged, or was nothing."""
        if self.ended or self.machine._hangup:
            return
        known = self.settled | set(self.machine._waiting) | set(self.judging)
        if self.open is not None:
            known |= set(self.utterances)
        assert known >= set(range(1, self.asked + 1))

    def teardown(self) -> None:
        """Whatever happened: hanging up ends the call once the open turn has closed."""
        if not self.ended:
            self.feed(HungUp("hangup"))
            if self.open is not None:
                index, self.open = self.open, None
                self.feed(TurnClosed(index))
            assert self.ended


Conversation.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestConversation = Conversation.TestCase
