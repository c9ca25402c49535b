"""A comparison is worth nothing if both arms run the same: the switch must reach the call's plan."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.models import Agent
from telephony.services import issue_stream_token, open_twilio_call, stream_tokens
from voiceops.core.plan import CallOffer
from voiceops.wiring import Runtime

pytestmark = pytest.mark.django_db


def offered(speculation: bool | None) -> CallOffer:
    """Through the token and its store, as the media process gets it."""
    carrier_ref = f"CA{uuid.uuid4().hex}"
    call = open_twilio_call(carrier_ref=carrier_ref, agent_slug="", pii_from="", pii_to="+918040000000")
    token = issue_stream_token(call=call, speculation=speculation)
    return asyncio.run(stream_tokens().redeem(token, carrier_ref=carrier_ref))


@pytest.mark.parametrize(("asked", "agents_own", "planned"), [
    (False, True, False), (True, False, True), (None, True, True), (None, False, False),
])  # fmt: skip
def test_a_token_decides_on_speculation_for_its_call_only(
    desk: None, asked: bool | None, agents_own: bool, planned: bool
) -> None:
    Agent.objects.update(speculation=agents_own)
    runtime = SimpleNamespace(providers=SimpleNamespace(voiced=lambda profile: profile, engines=dict))
    plan = Runtime.plan(cast(Any, runtime), offered(asked))
    assert plan.agent.speculation is planned
    assert set(Agent.objects.values_list("speculation", flat=True)) == {agents_own}


def test_an_ordinary_call_leaves_it_to_the_agent() -> None:
    assert offered(None).speculation is None
