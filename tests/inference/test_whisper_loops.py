"""A stuck decoder must not put words in a caller's mouth; a caller who repeats digits is not stuck."""

from __future__ import annotations

import numpy as np
import pytest

from voiceops.inference.engines.whisper import loops, once, spoken_s


@pytest.mark.parametrize(
    "text",
    [
        "Yes Yes Yes",
        "Thank you. Thank you. Thank you.",
        "I said no, no, no!",
        "book a visit " * 3,
        "हाँ हाँ हाँ",
        "the price of a 3BHKKKKKKKKKKKKK",
    ],
)
def test_a_loop_is_seen(text: str) -> None:
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Yes",
        "Yes. Yes.",
        "no no, that is not what I want",
        "9 9 9 8 8 8",
        "the price of the flat in the city",
    ],
)
def test_speech_is_left_alone(text: str) -> None:
    assert not loops(text)


@pytest.mark.parametrize(
    ("text", "length_s", "said"),
    [
        ("My budget is one crore. My budget is", 2.0, "My budget is one crore."),
        ("Thank you very much. Good bye. Thank you very much.", 9.0, "Thank you very much. Good bye."),
        ("Fail again. Fail again.", 0.7, "Fail again."),
        ("Fail again. Fail again. Fail again. Fail", 0.5, "Fail again."),
        ("Ever failed. Ever failed", 0.7, "Ever failed."),
        ("हाँ जी हाँ जी", 0.4, "हाँ जी"),
    ],
)
def test_an_echo_of_its_own_beginning_is_cut(text: str, length_s: float, said: str) -> None:
    """The caller would be taken to insist, or to have said a number twice."""
    assert once(text, length_s) == said


@pytest.mark.parametrize(
    ("text", "length_s"),
    [
        ("Yes. Yes.", 0.6),
        ("No, no, no.", 0.9),
        ("Try again. Fail again. Fail better.", 2.0),
        ("I want a flat. I want a house in Whitefield please", 3.0),
        ("nine nine eight", 0.9),
        ("nine nine", 0.5),
        ("No problem. No problem.", 1.5),
        ("", 0.0),
    ],
)
def test_what_callers_repeat_stays(text: str, length_s: float) -> None:
    assert once(text, length_s) == text


def test_silence_around_speech_is_not_spoken_time() -> None:
    tone = np.sin(np.arange(16_000) / 5).astype(np.float32) * 0.3
    quiet = np.zeros(16_000, np.float32)
    assert spoken_s(np.concatenate([quiet, tone, quiet])) == pytest.approx(1.0, abs=0.05)
    assert spoken_s(np.zeros(0, np.float32)) == 0.0
