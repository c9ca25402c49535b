"""Writes of this app. Each service takes keyword arguments and owns its transaction."""

from agents.services.alarms import AlarmRefused, acknowledge_alarm, reopen_alarm, resolve_alarm
from agents.services.demo import SeededAgent, demo_call_count, forget_demo_calls, mark_demo, seed_demo
from agents.services.examples import embed_missing_examples, forget_embeddings
from agents.services.recordings import expire_recordings
from agents.services.traces import record, set_crm_sync

__all__ = [
    "AlarmRefused",
    "SeededAgent",
    "acknowledge_alarm",
    "demo_call_count",
    "embed_missing_examples",
    "expire_recordings",
    "forget_demo_calls",
    "forget_embeddings",
    "mark_demo",
    "record",
    "reopen_alarm",
    "resolve_alarm",
    "seed_demo",
    "set_crm_sync",
]
