"""One turn in plain words: why the agent answered when it did, what it heard, in which language,
what it prepared ahead and what it remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.api import TurnDetail
from voiceops.console.waterfall import AHEAD, stopped_at
from voiceops.core.events import Endpoint, LanguageReading, Speculation
from voiceops.core.plan import LANGUAGE_NAMES
from voiceops.core.rupees import in_words

THIN = "\u202f"

ENDPOINTS = {
    "complete": "The sentence was complete",
    "incomplete": "The sentence seemed unfinished, so more time was given",
    "dictation": "The caller was dictating, so more time was given",
    "backchannel": "The caller only murmured along",
    "plain": "A fixed silence had passed",
    "too_long": "The caller spoke for the longest time one turn may take",
    "cut_off": "The line fell silent or was cut",
    "typed": "The words were typed: there was nothing to wait for",
    "dtmf": "A key was pressed",
}
"""Endpoint reason as a sentence without its full stop."""

SIGNS = {"acoustic": "Sound", "script": "Script", "words": "Words"}
CHANGES = {
    "new": ("new", "ok"),
    "corrected": ("corrected", "accent"),
    "contradicted": ("in doubt", "warn"),
    "confirmed": ("confirmed", "ok"),
    "kept": ("kept", "ok"),
    "retracted": ("taken back", "warn"),
    "refused": ("not told", ""),
}
"""What a turn did to a remembered fact: in a word or two, and the tone of its badge."""
RUPEE_NAMES = ("budget", "price", "amount", "emi", "deposit", "rent")
_STRENGTHS = ((0.75, "strong"), (0.4, "fair"), (0.0, "weak"))


def milliseconds(value: float) -> str:
    return f"{value:.0f}{THIN}ms" if value < 1000 else f"{value / 1000:.2f}{THIN}s"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the caller was taken to have finished."""

    at_ms: float | None
    """Call time of the caller's last speech."""
    words: str
    waited: str
    """Empty when there was nothing to wait for."""
    completeness: float | None
    model: str


def ending(turn: TurnDetail) -> Ending | None:
    found = turn.endpoint
    if found is None:
        return None
    return Ending(
        at_ms=stopped_at(turn),
        words=ENDPOINTS.get(
            found.reason, found.reason.replace("_", " ").capitalize() or "No reason was told"
        ),
        waited=_waited(found),
        completeness=found.completeness if found.reason not in ("typed", "dtmf") else None,
        model=found.model,
    )


def _waited(found: Endpoint) -> str:
    if found.reason in ("typed", "dtmf") or not found.silence_ms:
        return ""
    waited = f"waited {milliseconds(found.silence_ms)}"
    if found.wait_ms and abs(found.silence_ms - found.wait_ms) >= 40:
        waited += f" (asked for {milliseconds(found.wait_ms)})"
    return waited


@dataclass(frozen=True, slots=True)
class Chip:
    """One sign of the language."""

    source: str
    language: str
    strength: float
    strength_word: str
    detail: str


@dataclass(frozen=True, slots=True)
class LanguageStory:
    chips: tuple[Chip, ...]
    decision: str
    has_switched: bool
    is_mixed: bool
    doubt: float
    doubt_words: str
    suspicion: str


def _name(tag: str) -> str:
    return LANGUAGE_NAMES.get(tag, tag or "none")


def language_story(reading: LanguageReading | None) -> LanguageStory | None:
    if reading is None:
        return None
    switched = bool(reading.before) and reading.before != reading.after
    if switched:
        decision = f"Switched from {_name(reading.before)} to {_name(reading.after)}"
    elif reading.before:
        decision = f"Stayed in {_name(reading.after)}"
    else:
        decision = f"Took it for {_name(reading.after)}"
    if reading.mixed:
        decision += ": both languages in one sentence are no switch" if not switched else ", mixed speech"
    doubt = min(1.0, max(0.0, reading.doubt))
    return LanguageStory(
        chips=tuple(
            Chip(
                source=SIGNS.get(sign.source, str(sign.source)),
                language=_name(sign.language),
                strength=sign.strength,
                strength_word=next(word for least, word in _STRENGTHS if sign.strength >= least or not least),
                detail=sign.detail,
            )
            for sign in reading.signs
        ),
        decision=decision,
        has_switched=switched,
        is_mixed=reading.mixed,
        doubt=doubt,
        doubt_words="no doubt" if doubt < 0.05 else f"{doubt:.0%} of the way to a switch",
        suspicion=reading.suspicion,
    )


@dataclass(frozen=True, slots=True)
class Growing:
    """One partial transcript: the words that no later decode takes back, and the rest."""

    at_ms: float
    before_stop_ms: float | None
    """How long before the caller stopped; negative when after."""
    firm: str
    soft: str
    kind: str


def growing(turn: TurnDetail) -> tuple[Growing, ...]:
    """The partials in order. A stable entry makes its words firm in every later one that begins
    with them."""
    stopped, firm, rows = stopped_at(turn), "", []
    for item in sorted(turn.partials, key=lambda item: float(item.get("at_ms") or 0)):
        text, kind = str(item.get("text") or ""), str(item.get("kind") or "partial")
        stable = str(item.get("stable") or "") or (text if kind == "stable" else "")
        if stable and text.startswith(stable):
            firm = stable
        known = firm if _begins_with(text, firm) else ""
        at_ms = float(item.get("at_ms") or 0)
        rows.append(
            Growing(
                at_ms=at_ms,
                before_stop_ms=stopped - at_ms if stopped is not None else None,
                firm=text if kind == "final" else known,
                soft="" if kind == "final" else text[len(known) :],
                kind=kind,
            )
        )
    return tuple(rows)


def _begins_with(text: str, firm: str) -> bool:
    """Whole words only: `hi` is no beginning of `his`."""
    return bool(firm) and text.startswith(firm) and (len(text) == len(firm) or not text[len(firm)].isalnum())


@dataclass(frozen=True, slots=True)
class Guess:
    """One piece of work done ahead, as a line of a list."""

    label: str
    stage: str
    outcome: str
    outcome_words: str
    basis: str
    before_stop_ms: float | None
    compute_ms: float
    tokens: int
    reason: str


@dataclass(frozen=True, slots=True)
class AheadStory:
    guesses: tuple[Guess, ...]
    summary: str


def _guess(item: Speculation, stopped_ms: float | None) -> Guess:
    label, stage = AHEAD.get(item.kind, (str(item.kind).replace("_", " ").capitalize(), ""))
    words = {
        "hit": f"used: saved {milliseconds(item.saved_ms)}",
        "waste": "not needed",
        "aborted": "stopped early",
    }
    return Guess(
        label=label,
        stage=stage,
        outcome=item.outcome,
        outcome_words=words.get(item.outcome, str(item.outcome)),
        basis=item.basis,
        before_stop_ms=stopped_ms - item.started_ms if stopped_ms is not None else None,
        compute_ms=item.compute_ms,
        tokens=item.tokens,
        reason=item.reason,
    )


def ahead_story(turn: TurnDetail) -> AheadStory:
    """What was prepared; or why nothing was, when the turn tells it."""
    items = turn.speculations
    hits = [item for item in items if item.outcome == "hit"]
    lost = [item for item in items if item.outcome != "hit"]
    parts = []
    if hits:
        saved = sum(item.saved_ms for item in hits)
        names = {"prefetch": "the facts", "generation": "the answer", "first_clause": "the voice"}
        used = [name for kind, name in names.items() if any(item.kind == kind for item in hits)]
        what = " and ".join(filter(None, (", ".join(used[:-1]), *used[-1:])))
        parts.append(f"Prepared {what} ahead: saved {milliseconds(saved)}.")
    if lost:
        tokens, compute = sum(item.tokens for item in lost), sum(item.compute_ms for item in lost)
        guesses = "guess was" if len(lost) == 1 else "guesses were"
        cost = f"{milliseconds(compute)} of compute" + (f" and {tokens} tokens" if tokens else "")
        parts.append(f"{len(lost)} {guesses} thrown away ({cost}).")
    if not items and (why := turn.context.get("speculation")):
        parts.append(f"Nothing was prepared ahead ({str(why).removeprefix('off: ')}).")
    return AheadStory(
        guesses=tuple(_guess(item, stopped_at(turn)) for item in sorted(items, key=lambda i: i.started_ms)),
        summary=" ".join(parts),
    )


@dataclass(frozen=True, slots=True)
class Remembered:
    """One fact of the session memory."""

    name: str
    value: str
    said: str
    turn: int | None
    confidence: float | None
    change: str
    """What this turn did to it: new, corrected, contradicted…; empty when nothing."""
    change_words: str
    tone: str
    before: str
    """The value it had, when this turn replaced it."""
    rival: str
    """Another value that was said and that the caller is asked about."""


def value_words(name: str, value: Any) -> str:
    """A remembered value as people write it: rupees in lakh and crore, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        if any(part in name for part in RUPEE_NAMES) and float(value).is_integer():
            return in_words(int(value))
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {value_words(str(key), item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(value_words(name, item) for item in value)
    return "–" if value is None else str(value)


def remembered(memory: Mapping[str, Any]) -> tuple[Remembered, ...]:
    """What this turn changed first, then the rest in the order it was first heard."""
    facts, told = memory.get("facts"), memory.get("changes")
    known = facts if isinstance(facts, Mapping) else {}
    changes = {
        str(item.get("name")): item
        for item in (told if isinstance(told, Sequence) else ())
        if isinstance(item, Mapping)
    }
    rows = []
    for name in dict.fromkeys((*changes, *known)):
        raw = known.get(name)
        entry = raw if isinstance(raw, Mapping) else {"value": raw}
        item = changes.get(name, {})
        change = str(item.get("change") or "")
        words, tone = CHANGES.get(change, (change.replace("_", " "), ""))
        before, after = item.get("before"), item.get("after")
        value = entry.get("value") if name in known else after if change != "retracted" else before
        rival = entry.get("rival")
        other = rival.get("value") if isinstance(rival, Mapping) else None
        if change == "contradicted" and other is None:
            other = after
        rows.append(
            Remembered(
                name=name,
                value=value_words(name, value),
                said=str(entry.get("said") or item.get("said") or ""),
                turn=entry.get("turn") if isinstance(entry.get("turn"), int) else None,
                confidence=_share(entry.get("confidence")),
                change=change,
                change_words=words,
                tone=tone,
                before=value_words(name, before) if change == "corrected" and before is not None else "",
                rival=value_words(name, other) if other is not None else "",
            )
        )
    return tuple(rows)


def _share(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the language model was shown, and what a replay needs."""

    messages: tuple[Mapping[str, Any], ...]
    prompt_tokens: int | None
    completion_tokens: int | None
    pairs: tuple[tuple[str, str], ...]
    """Model, seed and versions."""


_REPLAY_KEYS = (
    "model", "engine", "seed", "temperature", "prompt_version", "knowledge_version", "versions",
    "finish_reason",
)  # fmt: skip


def snapshot(context: Mapping[str, Any]) -> Snapshot:
    messages = context.get("messages")
    pairs: list[tuple[str, str]] = []
    for key in _REPLAY_KEYS:
        value = context.get(key)
        if isinstance(value, Mapping):
            pairs += [(f"{key}: {name}", value_words("", item)) for name, item in value.items()]
        elif value not in (None, ""):
            pairs.append((key.replace("_", " "), value_words("", value)))
    return Snapshot(
        messages=tuple(item for item in messages if isinstance(item, Mapping))
        if isinstance(messages, list)
        else (),
        prompt_tokens=_count(context.get("prompt_tokens")),
        completion_tokens=_count(context.get("completion_tokens")),
        pairs=tuple(pairs),
    )


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
