"""A figure that is wrong sends everybody who tunes by it the wrong way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voiceops.console.benches.turntaking import sounds
from voiceops.console.benches.turntaking.figures import Played, Said, figures, judged

TURN = Said("turn", ("my number is", "nine eight"), ((1000.0, 2000.0), (2600.0, 3600.0)), (False,))
CALL = Played(
    name="call", tags=("pause",), said=(TURN,), decided=(), stops=(), resumed=(), heard=((4300.0, 9000.0),)
)


def test_an_end_decided_in_a_pause_is_a_cut_in_and_not_the_end() -> None:
    marks = judged(replace(CALL, decided=(2500.0, 4000.0)))
    assert marks.cut_ins == ("my number is | nine eight",)
    assert marks.delays_ms == (400.0,)
    assert marks.talked_over == 0, "the agent was not heard before the caller had finished"
    talking = replace(CALL, decided=(2500.0, 4000.0), heard=((2900.0, 3300.0), (4300.0, 9000.0)))
    assert judged(talking).talked_over == 1


def test_a_turn_waited_out_has_a_delay_and_no_cut_in() -> None:
    marks = judged(replace(CALL, decided=(3900.0,)))
    assert (marks.cut_ins, marks.missed, marks.delays_ms) == ((), (), (300.0,))


def test_an_end_nobody_noticed_within_two_seconds_is_missed() -> None:
    assert judged(replace(CALL, decided=(5700.0,))).missed == (TURN.text,)
    assert judged(replace(CALL, decided=(5600.0,))).missed == ()
    assert judged(CALL).missed == (TURN.text,)


def test_a_pause_that_may_end_the_turn_is_no_trap() -> None:
    said = replace(TURN, may_end=(True,))
    marks = judged(replace(CALL, said=(said,), decided=(2500.0, 4000.0)))
    assert (marks.cut_ins, marks.pauses, marks.delays_ms) == ((), 0, (400.0,))
    in_the_words = judged(replace(CALL, said=(said,), decided=(3200.0, 4000.0)))
    assert len(in_the_words.cut_ins) == 1


def test_a_stop_for_a_backchannel_is_false_and_may_be_taken_back_in_time() -> None:
    mhm = Said("backchannel", ("mhm",), ((5000.0, 5400.0),), ())
    stopped = replace(CALL, said=(TURN, mhm), decided=(3900.0,), stops=(5300.0,))
    assert judged(stopped).false_interruptions == ("backchannel: mhm",)
    assert judged(stopped).resumed == 0
    soon, late = replace(stopped, resumed=(6100.0,)), replace(stopped, resumed=(7400.0,))
    assert (judged(soon).resumed, judged(soon).resumed_in_time) == (1, 1)
    assert (judged(late).resumed, judged(late).resumed_in_time) == (1, 0)


def test_a_stop_without_anything_said_is_false_too() -> None:
    assert judged(replace(CALL, stops=(6000.0,))).false_interruptions == ("echo or noise",)


def test_yielding_to_a_barge_in_is_no_false_interruption() -> None:
    barge = Said("barge_in", ("stop please",), ((6000.0, 7000.0),), ())
    call = replace(CALL, said=(TURN, barge), decided=(3900.0, 7300.0))
    yielded = judged(replace(call, stops=(6400.0,)))
    assert (yielded.barge_ins, yielded.missed_barge_ins, yielded.silence_after_ms) == (1, (), (400.0,))
    assert yielded.false_interruptions == ()
    assert yielded.turns == 2, "what the caller says then is a turn"
    half = judged(replace(call, stops=(6400.0,), resumed=(7600.0,)))
    assert len(half.missed_barge_ins) == 1, "it stopped and then spoke on: that is no yielding"
    stubborn = judged(call)
    assert stubborn.missed_barge_ins == ("stop please",)


def test_a_barge_in_over_an_agent_that_finishes_by_itself_tests_nothing() -> None:
    barge = Said("barge_in", ("stop please",), ((8500.0, 9500.0),), ())
    marks = judged(replace(CALL, said=(TURN, barge), decided=(3900.0, 9900.0)))
    assert (marks.barge_ins, marks.missed_barge_ins) == (0, ())


def test_figures_add_up_over_dialogues() -> None:
    one = judged(replace(CALL, decided=(2500.0, 3900.0)))
    two = judged(replace(CALL, decided=(4100.0,)))
    table = figures([one, two])
    assert (table["dialogues"], table["turns"], table["cut_ins"]) == (2, 2, 1)
    assert table["cut_ins_per_100_turns"] == 50.0
    assert table["endpoint_delay_p50_ms"] == pytest.approx(400.0)
    assert figures([])["cut_ins_per_100_turns"] is None


def test_the_true_end_of_speech_is_that_of_its_sound() -> None:
    tone = (3000 * np.sin(np.arange(sounds.RATE_HZ) * 0.3)).astype(np.float32)
    around = np.concatenate([np.zeros(2400, np.float32), tone, np.full(4000, 20.0, np.float32)])
    assert len(sounds.trimmed(around)) == pytest.approx(sounds.RATE_HZ, abs=160)


def test_slower_speech_lasts_longer_and_keeps_its_pitch() -> None:
    tone = (3000 * np.sin(2 * np.pi * 200 * np.arange(2 * sounds.RATE_HZ) / sounds.RATE_HZ)).astype(
        np.float32
    )
    slow = sounds.at_pace(tone, 0.75)
    assert len(slow) == pytest.approx(len(tone) / 0.75, rel=0.03)
    middle = slow[2000 : 2000 + sounds.RATE_HZ]
    peak_hz = np.argmax(np.abs(np.fft.rfft(middle))) * sounds.RATE_HZ / len(middle)
    assert peak_hz == pytest.approx(200, abs=12)


def test_noise_stands_as_far_below_speech_as_asked() -> None:
    for kind in ("white", "hum"):
        made = sounds.noise(kind, 2.0)
        assert float(np.sqrt((made**2).mean())) == pytest.approx(sounds.SPEECH_RMS, rel=0.01)
