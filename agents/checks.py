"""System checks of what operators have chosen by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register
from django.db import DatabaseError, transaction

from agents.models import Agent
from agents.turn_settings import budget_problem, turn_models


@register("agents")
def default_turn_model(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """A new agent must get a turn model that exists."""
    default, known = str(Agent._meta.get_field("turn_model").get_default()), turn_models()
    if default in known:
        return []
    return [
        Error(
            f"The default turn model {default!r} is not registered.",
            hint=f"Known turn models: {', '.join(known)} (agents/providers/turn).",
            obj="agents.Agent.turn_model",
            id="agents.E001",
        )
    ]


@register("agents", "database")
def stored_choices(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """`manage.py check --database default`: agents whose turn model or budget no call can use.

    Warnings, so that `migrate` still runs and the admin can be opened to put them right.
    """
    if "default" not in (databases or ()):
        return []
    try:
        with transaction.atomic(using="default"):
            agents = list(Agent.objects.order_by("slug").values_list("slug", "turn_model", "budget"))
    except DatabaseError:
        # Not migrated yet: nothing is stored that could be wrong.
        return []
    known, found = turn_models(), list[CheckMessage]()
    for slug, turn_model, budget in agents:
        if turn_model not in known:
            found.append(
                Warning(
                    f"Agent {slug!r} asks for the turn model {turn_model!r}, which is not registered.",
                    hint=f"Known turn models: {', '.join(known)}. Choose one at /admin/agents/agent/.",
                    obj=f"agents.Agent {slug}",
                    id="agents.W001",
                )
            )
        if problem := budget_problem(budget or {}):
            found.append(
                Warning(
                    f"Agent {slug!r}: {problem[1]}.",
                    hint="Correct it at /admin/agents/agent/, tab Turn budget.",
                    obj=f"agents.Agent {slug}",
                    id="agents.W002",
                )
            )
    return found
