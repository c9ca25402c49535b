"""Containers that start other commands than ./run are a second platform that nobody tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.platform.running import ROOT, clean_environment
from voiceops.launch.programs import BY_NAME, PROGRAMS

BIN = ROOT / ".venv" / "bin"
COMPOSE = ROOT / "docker" / "docker-compose.yml"

VALUES = {
    "web_host": "0.0.0.0",
    "web_port": "8000",
    "media_host": "0.0.0.0",
    "media_port": "8001",
    "media_workers": "2",
    "worker_processes": "2",
    "beat_file": "/tmp/beat-schedule",
    "llm_host": "0.0.0.0",
    "llm_port": "8012",
    "speech_engines": "whisper,pocketsphinx,e5",
    "speech_listen": "0.0.0.0:8013",
    "voice_engines": "hibari,espeak",
    "voice_listen": "0.0.0.0:8014",
    "piper_listen": "0.0.0.0:8015",
    "crm_host": "0.0.0.0",
    "crm_port": "8016",
}
"""What the compose file puts where ./run puts its own ports."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return document


@pytest.mark.parametrize("name", [program.name for program in PROGRAMS if program.service])
def test_a_container_starts_what_run_starts(compose: dict[str, Any], name: str) -> None:
    program = BY_NAME[name]
    service = compose["services"][program.service]
    expected = ["python", *(argument.format_map(VALUES) for argument in program.arguments)]
    assert service["command"] == expected
    for variable, value in program.environment.items():
        if variable != "OPENBLAS_NUM_THREADS":
            assert service["environment"][variable] == value, f"{name}: {variable}"


def test_every_program_is_in_the_compose_file(compose: dict[str, Any]) -> None:
    services = set(compose["services"])
    assert {program.service for program in PROGRAMS if program.service} <= services
    # ./run starts these itself; containers have images for them, or no demo.
    assert {program.name for program in PROGRAMS if not program.service} == {
        "postgres",
        "valkey",
        "demo-calls",
    }
    assert {"postgres", "redis", "migrate"} <= services


def test_containers_find_each_other(compose: dict[str, Any]) -> None:
    """Every address in the environment names a service, and the port that it listens on."""
    services = compose["services"]
    environment = compose["x-platform"]["environment"]
    for value in environment.values():
        for host, port in re.findall(r"(?:@|//|^|-)([a-z][a-z-]*):(\d+)", str(value)):
            assert host in services, value
            command = services[host].get("command") or []
            listens = " ".join(command)
            assert port in listens or (host, port) in {("postgres", "5432"), ("redis", "6379")}, value


def test_the_gpu_profile_serves_with_priorities(compose: dict[str, Any]) -> None:
    vllm = compose["services"]["vllm"]
    assert vllm["profiles"] == ["gpu"]
    command = vllm["command"]
    assert command[command.index("--scheduling-policy") + 1] == "priority"
    assert "--enable-prefix-caching" in command


def test_every_variable_of_the_compose_file_is_in_the_example(compose: dict[str, Any]) -> None:
    wanted = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text()))
    example = (ROOT / "docker" / "example.env").read_text()
    assert wanted <= set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_the_compose_file_keeps_the_specification() -> None:
    done = subprocess.run(
        [str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_is_linted() -> None:
    done = subprocess.run(
        [str(BIN / "hadolint"), "--format", "json", str(ROOT / "docker" / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout) == []


def test_the_image_runs_what_web_runs_and_not_as_root() -> None:
    text = (ROOT / "docker" / "Dockerfile").read_text()
    (last,) = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    web = ["python", *(argument.format_map(VALUES) for argument in BY_NAME["web"].arguments)]
    assert json.loads(last) == web
    users = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert users and users[-1] not in {"root", "0"}


def deploy_check(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "python"), "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=clean_environment(
            DJANGO_SETTINGS_MODULE="voiceops.settings.prod", VOICEOPS_DATA_DIR=str(tmp_path), **environment
        ),
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_settings_pass_the_deployment_check(tmp_path: Path) -> None:
    done = deploy_check(tmp_path, VOICEOPS_SECRET_KEY=os.urandom(48).hex())
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_production_without_a_secret_is_refused(tmp_path: Path) -> None:
    done = deploy_check(tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == "manage.py: VOICEOPS_SECRET_KEY is not set: set it in the environment"
