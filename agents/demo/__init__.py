"""The demo property desk in plain data: what the agent says and what callers ask it."""

from agents.demo.intents import INTENTS
from agents.demo.profile import PROFILE

__all__ = ["INTENTS", "PROFILE"]
