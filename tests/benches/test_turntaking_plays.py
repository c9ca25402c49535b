"""The bench is only worth anything when it hears what the real call does with real models."""

from __future__ import annotations

from pathlib import Path

import pytest

from voiceops.console.benches.turntaking import as_text, measure
from voiceops.console.benches.turntaking.run import run
from voiceops.console.benches.turntaking.suite import dialogue_of
from voiceops.core.errors import ConfigurationError

DIALOGUE = {
    "name": "one-pause",
    "tags": ["pause"],
    "voice": "heart",
    "steps": [
        {
            "say": "What is the price [900] of the two bedroom flat?",
            "answer": "The two bedroom flat at Lakeview Residency is eighty five lakh rupees, with parking.",
            "over": [{"at_ms": 1200, "barge_in": "Wait, I meant the three bedroom."}],
        },
    ],
}


@pytest.mark.models
def test_plain_silence_cuts_into_a_long_pause_and_yields_to_an_interruption(tmp_path: Path) -> None:
    result = run(models=["silence"], decode_ms=120.0, dialogues=[dialogue_of(DIALOGUE)], folder=tmp_path)
    figures = result["models"]["silence"]["figures"]
    assert (figures["dialogues"], figures["turns"], figures["pauses_inside_turns"]) == (1, 2, 1)
    assert figures["cut_ins"] == 1, "900 ms are more than plain silence waits"
    assert 500 < figures["endpoint_delay_p50_ms"] < 900, "500 ms of silence and the VAD's own delay"
    assert (figures["barge_ins"], figures["missed_barge_ins"]) == (1, 0)
    (dialogue,) = result["models"]["silence"]["dialogues"]
    assert "bedroom" in " ".join(dialogue["heard_as"]).lower()
    assert "cut in: What is the price |" in as_text(result)
    again = run(models=["silence"], decode_ms=120.0, dialogues=[dialogue_of(DIALOGUE)], folder=tmp_path)
    assert again["models"]["silence"]["figures"] == figures, "a fixed charge gives the same figures again"


def test_an_unknown_model_is_refused_before_anything_is_synthesised(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no turn model provider 'psychic': use one of"):
        run(models=["psychic"], dialogues=[dialogue_of(DIALOGUE)], folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_charge_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="--decode-ms -1"):
        measure({"decode_ms": -1.0, "model": [], "only": []}, lambda line: None)
