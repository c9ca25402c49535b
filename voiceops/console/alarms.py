"""The page of alarms: listen to the doubted words, and say which language they were."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from agents import api as agents
from voiceops.console.rest.alarms import decide
from voiceops.core.plan import LANGUAGE_NAMES

PAGE_SIZE = 20
SHOWN = {"waiting": "Waiting", "resolved": "Decided", "": "All"}
"""State asked for: what the tab says."""


def _context(found: agents.AlarmDetail, problem: str = "") -> dict[str, Any]:
    return {"alarm": found, "languages": LANGUAGE_NAMES, "problem": problem}


def alarms(request: HttpRequest) -> HttpResponse:
    """Those that wait first; `?state=` resolved or all."""
    asked = request.GET.get("state", "waiting")
    state = "" if asked == "all" else asked if asked in SHOWN else "waiting"
    text = request.GET.get("page", "1")
    page = max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1
    found = agents.alarms(state=state, offset=(page - 1) * PAGE_SIZE, limit=PAGE_SIZE)
    pages = max(1, -(-found.total // PAGE_SIZE))
    if page > pages:
        return HttpResponseRedirect(f"{reverse('alarms')}?state={state or 'all'}&page={pages}")
    counts = agents.alarm_counts()
    totals = {
        "waiting": counts["open"] + counts["acknowledged"],
        "resolved": counts["resolved"],
        "": sum(counts.values()),
    }
    context = {
        "nav": "alarms", "found": found, "state": state, "languages": LANGUAGE_NAMES,
        "tabs": [(key or "all", label, totals[key], key == state) for key, label in SHOWN.items()],
        "page": page, "pages": pages,
    }  # fmt: skip
    return render(request, "console/alarms.html", context)


def alarm(request: HttpRequest, alarm_id: int) -> HttpResponse:
    """Take a decision; the answer is the alarm's card, or the page again without JavaScript."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    problem = ""
    try:
        language = request.POST.get("language", "")
        state = "resolved" if language else request.POST.get("state", "")
        if state not in agents.ALARM_STATES:
            raise agents.AlarmRefused("Choose which language was spoken.")
        decide(alarm_id, state, language, by=request.user.get_username())
    except agents.AlarmRefused as error:
        problem = str(error)
    found = agents.alarm(alarm_id) if alarm_id < 2**63 else None
    if found is None:
        raise Http404("This alarm is gone: its call was deleted.")
    if request.headers.get("HX-Request") == "true":
        return render(request, "console/_alarm.html", _context(found, problem))
    return HttpResponseRedirect(reverse("alarms"))
