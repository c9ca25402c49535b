"""The pages of one call: every turn with its words, its budget and its decisions."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from agents import api as agents
from voiceops.console import live, peaks, spending, turn_words, waterfall
from voiceops.console.templatetags.console import words
from voiceops.console.views import agent_budget

UNREADABLE = ("messages", "embeddings")
"""Of a turn's context: shown apart, or vectors that nobody reads. The JSON pane has them all."""
LOOK_AGAIN_S = 2
"""How often the page of a call that is being stored looks again."""


def _known(session_id: str) -> agents.CallDetail | None:
    return agents.call(session_id) if "\x00" not in session_id else None


def _call(session_id: str) -> agents.CallDetail:
    found = _known(session_id)
    if found is None:
        raise Http404(f"There is no call {session_id}.")
    return found


def _plain(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _turn_context(found: agents.CallDetail, turn: agents.TurnDetail) -> dict[str, Any]:
    budget = agent_budget(found.summary.agent_slug)
    return {
        "call": found.summary,
        "turn": turn,
        "fall": waterfall.draw(turn, budget),
        "spent": spending.of_turn(turn, budget),
        "ending": turn_words.ending(turn),
        "language": turn_words.language_story(turn.language_reading),
        "growing": turn_words.growing(turn),
        "ahead": turn_words.ahead_story(turn),
        "remembered": turn_words.remembered(turn.memory),
        "snapshot": turn_words.snapshot(turn.context),
        "context_rest": _plain({k: v for k, v in turn.context.items() if k not in UNREADABLE}),
        "raw": _plain(asdict(turn)),
        "replay": f"manage.py replay {found.summary.session_id} {turn.index}",
    }


def trace(request: HttpRequest, session_id: str) -> HttpResponse:
    """One call. One that was answered a moment ago may still wait for the worker that stores it."""
    found = _known(session_id)
    if found is None and live.is_being_stored(session_id):
        context = {"nav": "calls", "session_id": session_id, "again_s": LOOK_AGAIN_S}
        return render(request, "console/storing.html", context, status=202)
    found = found or _call(session_id)
    context = {
        "nav": "calls", "detail": found, "call": found.summary, "turns": found.turns,
        "budget": agent_budget(found.summary.agent_slug), "marks": _marks(found),
        "engines": _engines(found),
        "call_decisions": [item for item in found.decisions if item.turn is None],
    }  # fmt: skip
    if found.turns:
        spoken = next((turn for turn in found.turns if turn.latency_ms is not None), found.turns[0])
        context |= _turn_context(found, spoken)
    return render(request, "console/trace.html", context)


ENGINES = {
    "stt": "Speech to text",
    "llm": "Language model",
    "tts": "Text to speech",
    "vad": "Voice activity",
    "embedder": "Embeddings",
}


def _engines(found: agents.CallDetail) -> list[tuple[str, str, str]]:
    """(stage, label, engine) in the order of a turn."""
    stages = sorted(found.engines, key=lambda name: list(ENGINES).index(name) if name in ENGINES else 99)
    return [(name, ENGINES.get(name, words(name)), str(found.engines[name])) for name in stages]


def turn(request: HttpRequest, session_id: str, index: int) -> HttpResponse:
    """One turn's panel, for the trace page."""
    found = _call(session_id)
    chosen = next((item for item in found.turns if item.index == index), None)
    if chosen is None:
        raise Http404(f"Call {session_id} has no turn {index}.")
    return render(request, "console/_turn.html", _turn_context(found, chosen))


def _mark(kind: str, turn: int, start_ms: float, end_ms: float, label: str) -> dict[str, Any]:
    return {"kind": kind, "turn": turn, "start_ms": start_ms, "end_ms": end_ms, "label": label}


def _marks(found: agents.CallDetail) -> list[dict[str, Any]]:
    """What the waveform points at: turns, fillers and barge-ins, in ms since the call was answered."""
    marks: list[dict[str, Any]] = []
    for item in found.turns:
        label = words(item.intent) or f"Turn {item.index}"
        marks.append(_mark("turn", item.index, item.started_ms, item.ended_ms, label))
        for span in item.spans:
            end_ms = span.start_ms + span.duration_ms
            if span.name == "filler":
                marks.append(_mark("filler", item.index, span.start_ms, end_ms, item.filler or "Filler"))
        if item.interrupted:
            heard_ms = [span.start_ms + span.duration_ms for span in item.spans if span.name == "playout"]
            at_ms = max(heard_ms, default=item.ended_ms)
            marks.append(_mark("barge-in", item.index, at_ms, at_ms, "Caller interrupted"))
    return marks


def call_peaks(request: HttpRequest, session_id: str) -> HttpResponse:
    found = _call(session_id)
    path = agents.recording_path(session_id)
    if path is None:
        return JsonResponse({"detail": found.recording.message}, status=404)
    try:
        return JsonResponse(asdict(peaks.read(path)))
    except (peaks.UnreadableRecording, OSError) as error:
        return JsonResponse({"detail": f"The recording cannot be read: {error}"}, status=422)
