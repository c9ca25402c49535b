"""Every program of the platform, in one table. `./run` starts them under supervisord; the compose
file starts the same commands in containers, and a test holds the two together."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["data", "models", "app", "demo"]

MODULE = ("-m", "voiceops.launch.child", "--")


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised program."""

    name: str
    title: str
    """For people."""
    phase: Phase
    """Databases start first and stop last; models load while the database migrates."""
    arguments: tuple[str, ...]
    """What follows `python`, with `{placeholders}` of the run's values."""
    component: str
    """The /healthz component that says whether it is warm; empty: none waits for it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    stop_s: int = 5
    """Until it is killed. The longest of the applications and the longest of the databases
    together stay below the 10 s that a stop may take."""
    once: bool = False
    """Ends by itself when its work is done."""
    service: str = ""
    """Its compose service; empty: not there, or another image does this."""


_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_TWO_THREADS = {
    "OMP_NUM_THREADS": "2",
    "OPENBLAS_NUM_THREADS": "1",
    # Waiting threads sleep instead of spinning on cores that the language model needs next.
    "OMP_WAIT_POLICY": "PASSIVE",
}

PROGRAMS: tuple[Program, ...] = (
    Program("postgres", "PostgreSQL with pgvector", "data", (), "database", stop_signal="INT", stop_s=3),
    Program("valkey", "Valkey (Redis protocol)", "data", (), "redis", stop_s=3),
    Program(
        "llm",
        "language model server",
        "models",
        ("-m", "voiceops.launch.llm_server", "--host", "{llm_host}", "--port", "{llm_port}"),
        "llm",
        _TWO_THREADS,
        service="llm",
    ),
    Program(
        "inference-speech",
        "speech recognition and embeddings",
        "models",
        ("-m", "voiceops.inference.serve", "--engines", "{speech_engines}", "--listen", "{speech_listen}"),
        "speech",
        _TWO_THREADS,
        service="inference-speech",
    ),
    Program(
        "inference-voice",
        "neural voice",
        "models",
        ("-m", "voiceops.inference.serve", "--engines", "{voice_engines}", "--listen", "{voice_listen}"),
        "voice",
        _ONE_THREAD,
        service="inference-voice",
    ),
    Program(
        "inference-piper",
        "Piper voice",
        "models",
        ("-m", "voiceops.inference.serve", "--engines", "piper", "--listen", "{piper_listen}"),
        "piper",
        _ONE_THREAD,
        service="inference-piper",
    ),
    Program(
        "demo-crm",
        "demo CRM",
        "app",
        ("-m", "crm.demo_server", "--host", "{crm_host}", "--port", "{crm_port}"),
        "crm",
        _ONE_THREAD,
        service="demo-crm",
    ),
    Program(
        "media",
        "calls",
        "app",
        (
            "manage.py",
            "media",
            "--host",
            "{media_host}",
            "--port",
            "{media_port}",
            "--workers",
            "{media_workers}",
        ),
        "media",
        _ONE_THREAD,
        stop_s=6,
        service="media",
    ),
    Program(
        "web",
        "web pages and API",
        "app",
        (
            "-m",
            "daphne",
            "-b",
            "{web_host}",
            "-p",
            "{web_port}",
            "-v",
            "0",
            "--no-server-name",
            "voiceops.asgi:application",
        ),
        "database",
        _ONE_THREAD,
        service="web",
    ),
    Program(
        "worker",
        "background work",
        "app",
        ("-m", "celery", "-A", "voiceops", "worker", "--concurrency", "{worker_processes}", "-l", "WARNING"),
        "worker",
        # SIGTERM waits a few seconds for running tasks, then hands them back to the queue.
        {**_ONE_THREAD, "REMAP_SIGTERM": "SIGQUIT"},
        stop_s=6,
        service="worker",
    ),
    Program(
        "beat",
        "clock of the background work",
        "app",
        (
            "-m",
            "celery",
            "-A",
            "voiceops",
            "beat",
            "-l",
            "WARNING",
            "--schedule",
            "{beat_file}",
            "--pidfile=",
        ),
        "beat",
        _ONE_THREAD,
        service="beat",
    ),
    Program(
        "demo-calls",
        "demo calls, made by the platform itself",
        "demo",
        ("manage.py", "make_demo_calls"),
        "",
        _ONE_THREAD,
        once=True,
    ),
)

BY_NAME: Mapping[str, Program] = {program.name: program for program in PROGRAMS}


def command(program: Program, values: Mapping[str, str]) -> tuple[str, ...]:
    """The full command line of a Python program, unable to outlive its parent."""
    arguments = (argument.format_map(dict(values)) for argument in program.arguments)
    return (sys.executable, *MODULE, sys.executable, *arguments)
