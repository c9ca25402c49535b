"""A call for the metrics tests, also imported by the processes that they start."""

from __future__ import annotations

from voiceops.core.plan import AgentProfile, CallOffer, CallPlan


def plan(agent: str = "desk", *, channel: str = "twilio") -> CallPlan:
    profile = AgentProfile(
        slug=agent, name="Desk", persona="", languages=("en",), default_language="en", voices={}, lines={}
    )
    return CallPlan(session_id="s1", agent=profile, intents=(), channel=channel)


def offer(channel: str) -> CallOffer:
    return CallOffer(session_id="s1", channel=channel, agent_slug="", sample_rate_hz=8000)
