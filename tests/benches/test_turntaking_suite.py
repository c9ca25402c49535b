"""The shipped dialogues are data that people edit: every mistake in them must be named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from voiceops.console.benches.turntaking.suite import Piece, chosen, dialogue_of, load, pieces_of
from voiceops.core.errors import ConfigurationError

WANTED = {
    "plain", "pause", "slow", "backchannel", "correction", "dictation", "address", "noise", "babble", "white",
    "hum", "sound", "barge_in", "echo", "both", "short", "silence", "goes_on", "keypad",
}  # fmt: skip


def test_the_shipped_suite_covers_what_the_tables_promise() -> None:
    dialogues = load()
    assert len(dialogues) >= 60
    tags = Counter(tag for dialogue in dialogues for tag in dialogue.tags)
    assert set(tags) == WANTED
    held_out = [dialogue for dialogue in dialogues if dialogue.held_out]
    assert 0.28 <= len(held_out) / len(dialogues) <= 0.4
    tuned = {tag for dialogue in dialogues if not dialogue.held_out for tag in dialogue.tags}
    assert tuned == WANTED, "every kind is also among those that constants are tuned on"
    pauses = [
        piece.pause_ms
        for dialogue in dialogues
        for step in dialogue.steps
        for piece in step.pieces
        if piece.pause_ms and not piece.may_end
    ]
    assert min(pauses) == 200 and max(pauses) == 1500


def test_a_pause_is_written_between_words() -> None:
    assert pieces_of("I want [400] a flat. [900?] In Hebbal.") == (
        Piece("I want", 400.0), Piece("a flat.", 900.0, True), Piece("In Hebbal."),
    )  # fmt: skip
    with pytest.raises(ValueError, match="no words before or after"):
        pieces_of("I want [400]")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tags": []}, "tags must be a list"),
        ({"steps": [{"say": "Hi.", "press": "1"}]}, "give one of"),
        ({"steps": [{"sai": "Hi."}]}, "a step has no 'sai'"),
        ({"steps": [{"press": "12x"}]}, "keypad digits"),
        ({"steps": [{"say": "Hi.", "over": [{"at_ms": 1, "sound": "bark"}]}]}, "'bark' is not one of"),
        ({"steps": [{"say": "Hi.", "over": [{"at_ms": 1}]}]}, "an over is"),
        ({"noise": {"kind": "rain", "snr_db": 3}}, "'rain' is not one of"),
        ({"pace": 9}, "between 0.5 and 1.5"),
    ],
)
def test_a_mistake_in_a_dialogue_is_named(change: dict[str, object], said: str) -> None:
    good = {"name": "one", "tags": ["plain"], "steps": [{"say": "Hello."}]}
    assert dialogue_of(good).name == "one"
    with pytest.raises(ValueError, match=said):
        dialogue_of({**good, **change})


def test_the_file_and_the_dialogue_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- {name: odd, tags: [plain], steps: [{press: x}]}\n")
    with pytest.raises(ConfigurationError, match=r"a\.yaml, dialogue odd"):
        load(tmp_path)
    (tmp_path / "a.yaml").write_text("- [")
    with pytest.raises(ConfigurationError, match=r"a\.yaml cannot be read"):
        load(tmp_path)


def test_only_takes_tags_and_names_and_names_what_it_does_not_know() -> None:
    dialogues = load()
    assert {d.name for d in chosen(dialogues, ["pin-code"])} == {"pin-code"}
    assert all("echo" in d.tags for d in chosen(dialogues, ["echo"]))
    with pytest.raises(ConfigurationError, match="--only nonsense"):
        chosen(dialogues, ["nonsense"])
