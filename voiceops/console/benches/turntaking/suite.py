"""The scripted dialogues: how their files are written, and how they are read.

Each file in `dialogues/` is a YAML list. One dialogue:

    - name: pause-before-place          # unique
      tags: [pause]                     # what the tables group by; `--only` picks by them
      voice: joe                        # joe (Piper), heart (Hibari), or an eSpeak NG voice, as en-gb-x-rp
      pace: 0.8                         # below 1: slower speech (default 1)
      noise: {kind: babble, snr_db: 10} # babble | white | hum, all through the call
      echo: {delay_ms: 180, level_db: -20}   # the agent's own voice in the caller's microphone
      held_out: true                    # not looked at when constants are tuned
      steps:
        - say: I want [400] a flat in Whitefield.
          answer: The agent's next words.        # a default line otherwise
          after_ms: 700                          # silence before speaking (default 700)
          over:                                  # while that answer is heard
            - {at_ms: 900, backchannel: Okay.}   # the agent goes on
            - {at_ms: 900, sound: cough}         # mhm | hmm | cough | sneeze | click | tap | breath: so too
            - {at_ms: 900, barge_in: Stop please., answer: All right.}   # it stops and answers this
        - press: "4321#"                 # keypad digits
        - silence_ms: 12000              # nobody says anything
          expect: still_there            # still_there | goodbye

In `say` and `barge_in`, `[400]` is a pause of 400 ms inside the caller's turn: an agent that takes
the turn there cuts in. `[800?]` is a pause at which the turn may be taken: the caller has said a
whole sentence and then goes on all the same, so answering is no mistake, but yielding is due.
Times count from the last sound to the first sound of the pieces, which are synthesised one by one.

A hummed "mhm" is a sound: the synthetic voices spell it out. Speech is English, for the embedded
recogniser understands no synthetic Hindi; Hindi and Hinglish turn ends are tested on transcripts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from voiceops.core.errors import ConfigurationError

FOLDER = Path(__file__).parent / "dialogues"
ANSWER = "Yes, I have noted that. We have several homes there that may suit you."
AFTER_MS = 700.0
"""How long people wait before they answer a machine."""
SOUNDS = ("mhm", "hmm", "cough", "sneeze", "click", "tap", "breath")
NOISES = ("babble", "white", "hum")
EXPECTED = ("still_there", "goodbye")
_PAUSE = re.compile(r"\s*\[(\d+)(\??)\]\s*")


@dataclass(frozen=True, slots=True)
class Piece:
    """Words said in one breath, and the pause after them."""

    text: str
    pause_ms: float = 0.0
    """0 after the last piece."""
    may_end: bool = False
    """Whether taking the turn in that pause is no mistake."""


@dataclass(frozen=True, slots=True)
class Over:
    """What happens on the caller's side while the agent speaks."""

    kind: Literal["backchannel", "sound", "barge_in"]
    at_ms: float
    """After the first sound of the agent's answer."""
    pieces: tuple[Piece, ...] = ()
    sound: str = ""
    answer: str = ANSWER


@dataclass(frozen=True, slots=True)
class Step:
    kind: Literal["say", "press", "silence"]
    pieces: tuple[Piece, ...] = ()
    digits: str = ""
    silence_ms: float = 0.0
    expect: str = ""
    answer: str = ANSWER
    after_ms: float = AFTER_MS
    over: tuple[Over, ...] = ()


@dataclass(frozen=True, slots=True)
class Noise:
    kind: str
    snr_db: float


@dataclass(frozen=True, slots=True)
class Echo:
    delay_ms: float
    level_db: float
    """Of the agent's voice as it comes back, against what was sent."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    name: str
    tags: tuple[str, ...]
    voice: str
    steps: tuple[Step, ...]
    pace: float = 1.0
    noise: Noise | None = None
    echo: Echo | None = None
    held_out: bool = False


def load(folder: Path = FOLDER) -> tuple[Dialogue, ...]:
    """Every dialogue of every file, in order of file names.

    Raises: ConfigurationError naming the file, the dialogue and what is wrong with it.
    """
    found: dict[str, Dialogue] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            items = yaml.safe_load(path.read_text())
        except (OSError, yaml.YAMLError) as error:
            raise ConfigurationError(f"{path.name} cannot be read: {error}") from error
        if not isinstance(items, list):
            raise ConfigurationError(f"{path.name} must hold a list of dialogues")
        for number, item in enumerate(items, 1):
            name = str(item.get("name", "")) if isinstance(item, dict) else ""
            try:
                dialogue = dialogue_of(item)
            except (KeyError, TypeError, ValueError) as error:
                where = f"{path.name}, dialogue {name or number}"
                raise ConfigurationError(f"{where}: {error}") from error
            if dialogue.name in found:
                raise ConfigurationError(f"{path.name}: there are two dialogues named {dialogue.name!r}")
            found[dialogue.name] = dialogue
    if not found:
        raise ConfigurationError(f"no dialogues in {folder}")
    return tuple(found.values())


def chosen(dialogues: Sequence[Dialogue], only: Sequence[str]) -> tuple[Dialogue, ...]:
    """Those with any of these tags or names; all without any. Raises ConfigurationError."""
    if not only:
        return tuple(dialogues)
    kept = tuple(d for d in dialogues if set(only) & {d.name, *d.tags})
    unknown = [word for word in only if not any(word in (d.name, *d.tags) for d in dialogues)]
    if unknown:
        tags = sorted({tag for d in dialogues for tag in d.tags})
        raise ConfigurationError(
            f"--only {unknown[0]}: use a dialogue's name or one of the tags {', '.join(tags)}"
        )
    return kept


def dialogue_of(item: Any) -> Dialogue:
    """Raises ValueError saying what is wrong."""
    _keys(item, "a dialogue", {"name", "tags", "voice", "pace", "noise", "echo", "held_out", "steps"})
    name, tags = item.get("name"), item.get("tags")
    if not isinstance(name, str) or not name:
        raise ValueError("it has no name")
    if not isinstance(tags, list) or not tags or not all(isinstance(tag, str) for tag in tags):
        raise ValueError("tags must be a list of words")
    steps = item.get("steps")
    if not isinstance(steps, list) or not steps:
        raise ValueError("steps must be a list")
    noise = echo = None
    if item.get("noise") is not None:
        _keys(item["noise"], "noise", {"kind", "snr_db"})
        noise = Noise(_one_of(item["noise"]["kind"], NOISES), float(item["noise"]["snr_db"]))
    if item.get("echo") is not None:
        _keys(item["echo"], "echo", {"delay_ms", "level_db"})
        echo = Echo(float(item["echo"]["delay_ms"]), float(item["echo"]["level_db"]))
    pace = float(item.get("pace", 1.0))
    if not 0.5 <= pace <= 1.5:
        raise ValueError(f"pace {pace} must be between 0.5 and 1.5")
    return Dialogue(
        name=name,
        tags=tuple(tags),
        voice=str(item.get("voice", "joe")),
        steps=tuple(_step(step) for step in steps),
        pace=pace,
        noise=noise,
        echo=echo,
        held_out=bool(item.get("held_out", False)),
    )


def pieces_of(text: str) -> tuple[Piece, ...]:
    """`I want [400] a flat` as its pieces. Raises ValueError."""
    parts = _PAUSE.split(text.strip())
    pieces = []
    for start in range(0, len(parts), 3):
        words = parts[start]
        if not words:
            raise ValueError(f"{text!r} has a pause with no words before or after it")
        last = start + 1 >= len(parts)
        pieces.append(
            Piece(words) if last else Piece(words, float(parts[start + 1]), parts[start + 2] == "?")
        )
    return tuple(pieces)


def _step(item: Any) -> Step:
    _keys(item, "a step", {"say", "press", "silence_ms", "expect", "answer", "after_ms", "over"})
    kinds = [kind for kind in ("say", "press", "silence_ms") if kind in item]
    if len(kinds) != 1:
        raise ValueError("a step says, presses, or is silent: give one of say, press, silence_ms")
    answer = str(item.get("answer", ANSWER))
    after_ms = float(item.get("after_ms", AFTER_MS))
    over = tuple(sorted((_over(one) for one in item.get("over", ())), key=lambda one: one.at_ms))
    if kinds[0] == "say":
        return Step("say", pieces_of(item["say"]), answer=answer, after_ms=after_ms, over=over)
    if kinds[0] == "press":
        digits = str(item["press"])
        if not digits or set(digits) - set("0123456789*#"):
            raise ValueError(f"press {digits!r} must be keypad digits")
        return Step("press", digits=digits, answer=answer, after_ms=after_ms)
    expect = str(item.get("expect", ""))
    if expect:
        _one_of(expect, EXPECTED)
    return Step("silence", silence_ms=float(item["silence_ms"]), expect=expect)


def _over(item: Any) -> Over:
    _keys(item, "an over", {"at_ms", "backchannel", "sound", "barge_in", "answer"})
    at_ms = float(item["at_ms"])
    answer = str(item.get("answer", ANSWER))
    if "sound" in item:
        return Over("sound", at_ms, sound=_one_of(item["sound"], SOUNDS))
    if "backchannel" in item:
        return Over("backchannel", at_ms, pieces_of(item["backchannel"]))
    if "barge_in" in item:
        return Over("barge_in", at_ms, pieces_of(item["barge_in"]), answer=answer)
    raise ValueError("an over is a backchannel, a sound or a barge_in")


def _keys(item: Any, what: str, known: set[str]) -> None:
    if not isinstance(item, Mapping):
        raise ValueError(f"{what} must be a mapping, not {item!r}")
    unknown = set(item) - known
    if unknown:
        raise ValueError(f"{what} has no {sorted(unknown)[0]!r}: use {', '.join(sorted(known))}")


def _one_of(value: Any, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is not one of {', '.join(known)}")
    return str(value)
