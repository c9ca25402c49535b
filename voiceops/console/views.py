"""The operator's pages: home, call the agent, calls, trace."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.views import LoginView
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from agents import api as agents
from crm import api as crm
from voiceops.console import live, peaks, waterfall
from voiceops.console.demo_login import LOGIN
from voiceops.console.forms import CallFilterForm
from voiceops.console.templatetags.console import words
from voiceops.core.budget import TurnBudget
from voiceops.core.errors import ConfigurationError

PAGE_SIZE = 25
RECENT = 8
ASKS = 3
ASK_CHARS = 52


class Login(LoginView):
    template_name = "console/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shows_demo = bool(settings.VOICEOPS.get("DEMO")) and (
            get_user_model().objects.filter(username=LOGIN[0], is_active=True).exists()
        )
        return super().get_context_data(**kwargs) | {"demo": LOGIN if shows_demo else None}


# Home ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of "what waits for me"."""

    count: int
    words: str
    """With `{s}` and `{v}` for the plural of a noun and the third person of a verb."""
    hint: str
    href: str
    tone: str

    @property
    def label(self) -> str:
        one = self.count == 1
        return self.words.format(s="" if one else "s", v="s" if one else "")


@dataclass(frozen=True, slots=True)
class StageRow:
    name: str
    label: str
    budget_ms: int
    measured: agents.Percentiles
    p50_x: float
    p95_x: float
    budget_x: float


def _today() -> datetime:
    return timezone.make_aware(datetime.combine(timezone.localdate(), time.min))


def _admin_list(model: str, query: str) -> str:
    try:
        return f"{reverse(f'admin:{model}_changelist')}?{query}"
    except NoReverseMatch:
        return ""


def _waiting() -> list[Waiting]:
    outbox, attention = crm.outbox_counts(), agents.waiting_for_attention(_today())
    day = timezone.localdate().isoformat()
    lines = [
        Waiting(crm.open_handovers(), "caller{s} wait{v} for a call back", "Asked for a person",
                _admin_list("crm_handoverrequest", "is_done__exact=0"), "warn"),
        Waiting(outbox.failed, "CRM write{s} failed", "Gave up after every retry",
                _admin_list("crm_outboxentry", "state=failed"), "bad"),
        Waiting(outbox.queued, "CRM write{s} on the way", "Retried until the CRM takes them",
                _admin_list("crm_outboxentry", "state=queued"), ""),
        Waiting(attention.failed, "call{s} failed today", "Ended by an error",
                f"{reverse('calls')}?outcome=failed&after={day}", "bad"),
        Waiting(attention.no_answer_found, "call{s} left without an answer today", "No record was found",
                f"{reverse('calls')}?outcome=no_answer_found&after={day}", "warn"),
        Waiting(attention.degraded, "call{s} ran degraded today", "A fallback stood in for a stage",
                f"{reverse('calls')}?degraded=1&after={day}", "warn"),
    ]  # fmt: skip
    return [line for line in lines if line.count]


def _stage_rows(measured: agents.StagePercentiles, budget: TurnBudget) -> list[StageRow]:
    parts = [
        ("total", "Turn latency", budget.total_ms, measured.latency),
        ("stt", "Speech to text", budget.stt_ms, measured.stt),
        ("retrieval", "Retrieval", budget.retrieval_ms, measured.retrieval),
        ("llm", "Language model", budget.llm_ms, measured.llm),
        ("tts", "Text to speech", budget.tts_ms, measured.tts),
    ]
    rows = []
    for name, label, allowed_ms, values in parts:
        # One scale a row: the budget stands at the same place, overspending shows beyond it.
        scale = 100 / max(allowed_ms * 1.6, (values.p95_ms or 0) * 1.05)
        rows.append(
            StageRow(
                name=name, label=label, budget_ms=allowed_ms, measured=values,
                p50_x=(values.p50_ms or 0) * scale, p95_x=(values.p95_ms or 0) * scale,
                budget_x=allowed_ms * scale,
            )
        )  # fmt: skip
    return rows


def _home_context() -> dict[str, Any]:
    measured = agents.stage_percentiles(_today())
    return {
        "nav": "home",
        "measured": measured,
        "stages": _stage_rows(measured, _default_budget()),
        "waiting": _waiting(),
        "recent": agents.calls(agents.CallFilter(), limit=RECENT),
        "demo": live.demo_progress(),
    }


def home(request: HttpRequest) -> HttpResponse:
    part = request.headers.get("HX-Request") == "true"
    return render(request, "console/_home_board.html" if part else "console/home.html", _home_context())


# Call the agent ------------------------------------------------------------------------------


def _budget(slug: str) -> TurnBudget:
    """The agent's own budget; the default one for an agent that is gone or switched off."""
    try:
        return agents.load_profile(slug).budget
    except ConfigurationError:
        return TurnBudget()


def _default_budget() -> TurnBudget:
    return _budget("")


def _asks(agent: agents.AgentSummary) -> list[str]:
    """What a caller may ask this agent: one taught sentence of each of its most taught intents."""
    taught = sorted(agents.load_intents(agent.slug), key=lambda intent: -len(intent.examples))
    found = []
    for intent in taught:
        own = [
            text
            for text, language, _ in intent.examples
            if language == agent.default_language and len(text) <= ASK_CHARS
        ]
        if intent.kind in ("answer", "flow") and own:
            found.append(max(own, key=len))
    return found[:ASKS]


def softphone(request: HttpRequest) -> HttpResponse:
    listed = [agent for agent in agents.agents() if agent.is_active]
    return render(
        request,
        "console/call.html",
        {
            "nav": "call",
            "agents": listed,
            "asks": [(agent.slug, text, agent.is_default) for agent in listed for text in _asks(agent)],
            "budgets": {agent.slug: asdict(_budget(agent.slug)) for agent in listed},
        },
    )


# Calls and their trace -----------------------------------------------------------------------


def _page_number(data: QueryDict) -> int:
    value = data.get("page", "1")
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 7 else 1


def calls(request: HttpRequest) -> HttpResponse:
    form = CallFilterForm(agents.filter_choices(), request.GET)
    form.is_valid()
    number = _page_number(request.GET)
    found = agents.calls(form.wanted(), offset=(number - 1) * PAGE_SIZE, limit=PAGE_SIZE)
    pages = max(1, -(-found.total // PAGE_SIZE))
    if number > pages:
        number = pages
        found = agents.calls(form.wanted(), offset=(number - 1) * PAGE_SIZE, limit=PAGE_SIZE)
    query = QueryDict(mutable=True)
    for key in request.GET:
        if key != "page" and (value := request.GET.get(key)):
            query[key] = value
    context = {
        "nav": "calls",
        "form": form,
        "found": found,
        "page": number,
        "pages": pages,
        "first": (number - 1) * PAGE_SIZE + 1,
        "last": (number - 1) * PAGE_SIZE + len(found.items),
        "query": query.urlencode(),
        "budget": _default_budget(),
    }
    # A restored page asks for the whole document again: only a live filter gets the part.
    part = request.headers.get("HX-Request") == "true"
    return render(request, "console/_calls_results.html" if part else "console/calls.html", context)


def _call(session_id: str) -> agents.CallDetail:
    found = agents.call(session_id) if "\x00" not in session_id else None
    if found is None:
        raise Http404(f"There is no call {session_id}.")
    return found


def _plain(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _turn_context(found: agents.CallDetail, turn: agents.TurnDetail) -> dict[str, Any]:
    messages = turn.context.get("messages", [])
    return {
        "call": found.summary,
        "turn": turn,
        "fall": waterfall.draw(turn, _budget(found.summary.agent_slug)),
        "messages": messages if isinstance(messages, list) else [],
        "context_rest": _plain({k: v for k, v in turn.context.items() if k != "messages"}),
        "raw": _plain(asdict(turn)),
    }


def trace(request: HttpRequest, session_id: str) -> HttpResponse:
    found = _call(session_id)
    context: dict[str, Any] = {
        "nav": "calls", "detail": found, "call": found.summary, "turns": found.turns,
        "budget": _budget(found.summary.agent_slug), "marks": _marks(found),
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


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Any address that leads nowhere."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return render(request, "console/404.html", {"message": reason}, status=404)
