"""The demo: a login, a number, and the data of every app."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

import agents.api
import crm.api
import knowledge.api
import telephony.api
from voiceops.console.demo_login import LOGIN
from voiceops.inference.embedder import embed_sync

NUMBER = "+918040001000"


@dataclass(frozen=True, slots=True)
class Seeded:
    agent: agents.api.SeededAgent
    examples_embedded: int
    login: str
    """created, restored or kept"""


def seed(*, reset: bool = False, say: Callable[[str], None] = lambda line: None) -> Seeded:
    """Make the demo where it is missing; `reset` restores the demo's own data. Safe to repeat.

    Raises: SourceError when the embedding server does not answer; run it again then.
    """
    say("agent")
    if reset:
        agents.api.forget_demo_calls()
    agent = agents.api.seed_demo(reset=reset)
    telephony.api.seed_number(e164=NUMBER, agent_slug=agent.slug, label="Property desk (demo)", reset=reset)
    login = _seed_login(reset=reset)
    say("customers, quotes and visit slots")
    crm.api.seed_demo(reset=reset)
    say("projects, prices and documents")
    target = str(settings.VOICEOPS["SPEECH_TARGET"])
    knowledge.api.seed_demo(embed=functools.partial(embed_sync, kind="passage", target=target), reset=reset)
    say("intent examples")
    embedded = agents.api.embed_missing_examples()
    return Seeded(agent=agent, examples_embedded=embedded, login=login)


@transaction.atomic
def _seed_login(*, reset: bool) -> str:
    users = get_user_model()
    name, password = LOGIN
    user = users.objects.filter(username=name).first()
    if user is None:
        users.objects.create_superuser(username=name, password=password)
        return "created"
    if not reset:
        return "kept"
    user.set_password(password)
    user.is_active = user.is_staff = user.is_superuser = True
    user.save()
    return "restored"
