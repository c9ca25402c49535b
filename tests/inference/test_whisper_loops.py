"""A stuck decoder must not put words in a caller's mouth; a caller who repeats digits is not stuck."""

from __future__ import annotations

import pytest

from voiceops.inference.engines.whisper import loops


@pytest.mark.parametrize(
    "text",
    [
        "Yes Yes Yes",
        "Thank you. Thank you. Thank you.",
        "I said no, no, no!",
        "book a visit " * 3,
        "हाँ हाँ हाँ",
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
