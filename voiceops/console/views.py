"""The operator's pages: home, call the agent, the list of calls."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from agents import api as agents
from crm import api as crm
from voiceops.console import live, spending, waterfall
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
    alarms = agents.alarm_counts()
    lines = [
        Waiting(alarms["open"], "turn{s} may be in the wrong language", "Listen and decide",
                reverse("alarms"), "warn"),
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


@dataclass(frozen=True, slots=True)
class Overspent:
    """One stage that took longer than it may, today."""

    label: str
    colour: str
    over: int
    needed: int
    share: float
    """0 to 100."""


def _overspent(day: agents.TurnQuality) -> list[Overspent]:
    rows = [
        Overspent(*spending.STAGES.get(row.stage, (words(row.stage), "")), row.over, row.needed,
                  100 * row.over / row.needed)
        for row in day.spending
        if row.over and row.stage != "total"
    ]  # fmt: skip
    return sorted(rows, key=lambda row: -row.share)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Everything that was prepared ahead today."""

    begun: int
    used: int
    saved_ms: float
    """In the mean, of a guess that was used."""
    wasted_tokens: int
    kinds: tuple[tuple[str, str, int, int], ...]
    """Label, colour, used, begun."""

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.used / self.begun if self.begun else 0.0


def _ahead(day: agents.TurnQuality) -> Ahead:
    used = sum(row.hits for row in day.speculation)
    return Ahead(
        begun=sum(row.total for row in day.speculation),
        used=used,
        saved_ms=sum(row.saved_ms for row in day.speculation) / used if used else 0.0,
        wasted_tokens=sum(row.wasted_tokens for row in day.speculation),
        kinds=tuple(
            (*waterfall.AHEAD.get(row.kind, (words(row.kind), "")), row.hits, row.total)
            for row in day.speculation
        ),
    )


def _home_context() -> dict[str, Any]:
    measured, day = agents.stage_percentiles(_today()), agents.turn_quality(_today())
    return {
        "nav": "home",
        "day": day,
        "late": next((row for row in day.spending if row.stage == "total" and row.needed), None),
        "overspent": _overspent(day),
        "ahead": _ahead(day),
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


def agent_budget(slug: str) -> TurnBudget:
    """The agent's own budget; the default one for an agent that is gone or switched off."""
    try:
        return agents.load_profile(slug).budget
    except ConfigurationError:
        return TurnBudget()


def _default_budget() -> TurnBudget:
    return agent_budget("")


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
            "budgets": {agent.slug: asdict(agent_budget(agent.slug)) for agent in listed},
        },
    )


# Calls -----------------------------------------------------------------------


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


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Any address that leads nowhere."""
    reason = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return render(request, "console/404.html", {"message": reason}, status=404)
