"""The demo agent, as plain data of `agents.demo`, in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from agents.demo import INTENTS, PROFILE
from agents.models import Agent, Conversation, Intent, IntentExample


@dataclass(frozen=True, slots=True)
class SeededAgent:
    slug: str
    action: str
    """created, restored, or kept (it was there, with whatever an operator made of it)"""


@transaction.atomic
def seed_demo(*, reset: bool = False) -> SeededAgent:
    """Make the demo agent once. One that exists is left alone, edits and deletions included;
    `reset` restores its profile and the demo's intents, and keeps intents of the operator's own.

    Its examples wait for `embed_missing_examples`.
    """
    slug = PROFILE["slug"]
    exists = Agent.objects.select_for_update().filter(slug=slug).exists()
    if exists and not reset:
        return SeededAgent(slug=slug, action="kept")
    profile = {name: value for name, value in PROFILE.items() if name != "slug"}
    agent, _ = Agent.objects.update_or_create(slug=slug, defaults={"is_active": True, **profile})
    for intent in INTENTS:
        _seed_intent(agent, intent)
    return SeededAgent(slug=slug, action="restored" if exists else "created")


def _seed_intent(agent: Agent, data: Mapping[str, Any]) -> None:
    fields = {name: value for name, value in data.items() if name not in ("slug", "examples")}
    intent, _ = Intent.objects.update_or_create(agent=agent, slug=data["slug"], defaults=fields)
    wanted = set(data["examples"])
    kept = set()
    for example in intent.examples.all():
        if (example.language, example.text) in wanted:
            kept.add((example.language, example.text))
        else:
            example.delete()
    IntentExample.objects.bulk_create(
        IntentExample(intent=intent, language=language, text=text) for language, text in sorted(wanted - kept)
    )


def forget_demo_calls() -> int:
    """Delete the stored demo calls (recordings expire by themselves); how many there were."""
    return Conversation.objects.filter(is_demo=True).delete()[1].get("agents.Conversation", 0)


def mark_demo(session_id: str) -> None:
    """This call was made for the demo."""
    Conversation.objects.filter(session_id=session_id).update(is_demo=True)


def demo_call_count() -> int:
    return Conversation.objects.filter(is_demo=True).count()
