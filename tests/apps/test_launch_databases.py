"""A database that does not come back after a crash, or only for some users of the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.platform.running import ROOT, clean_environment
from voiceops.launch import child, postgres, runtime, schema, supervisor
from voiceops.launch.errors import LaunchError
from voiceops.launch.postgres import Account

pytestmark = pytest.mark.timeout(180)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


class Server:
    """The embedded PostgreSQL without a supervisor."""

    def __init__(self, data: Path, account: Account, sockets: Path) -> None:
        self.data, self.sockets = data, sockets
        postgres.prepare(data, account)
        self.process = subprocess.Popen(
            postgres.command(data, sockets, account),
            cwd=ROOT,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while not postgres.answers(sockets):
            assert self.process.poll() is None, "PostgreSQL ended"
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(host=str(self.sockets), user="postgres", autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Path]:
    """A folder for sockets, and one that the database's account may not enter by itself."""
    folder = Path("/tmp") / f"vt-{os.getpid()}-{tmp_path.name[-12:]}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def serve(data: Path, folders: runtime.Folders) -> Server:
    account = postgres.choose_account(data)
    owner = os.geteuid()
    if account.user:
        import pwd

        owner = pwd.getpwnam(account.user).pw_uid
    return Server(data, account, folders.sockets("pg", owner))


def test_a_killed_database_comes_back_with_its_rows(short: Path) -> None:
    folders = runtime.Folders(short)
    data = short / "postgres"
    server = serve(data, folders)
    try:
        server.sql("CREATE EXTENSION vector")
        server.sql("CREATE TABLE kept AS SELECT 42 AS answer")
        server.kill()
        # The pid file now names a process that lives and is not PostgreSQL: this one.
        pid_file = data / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        server = serve(data, folders)
        assert server.sql("SELECT answer FROM kept") == [(42,)]
    finally:
        server.stop()


def test_a_database_in_use_is_not_started_twice(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = runtime.Folders(short)
    data = short / "postgres"
    server = serve(data, folders)
    try:
        monkeypatch.setattr(postgres, "STALE_S", 0.2)
        with pytest.raises(LaunchError, match=rf"another PostgreSQL .* uses {data}"):
            postgres.prepare(data, postgres.choose_account(data))
        assert server.sql("SELECT 1") == [(1,)]
    finally:
        server.stop()


def test_nobody_else_reaches_the_socket(short: Path) -> None:
    folders = runtime.Folders(short)
    server = serve(short / "postgres", folders)
    try:
        assert server.sockets.stat().st_mode & 0o077 == 0
        assert server.sql("SHOW listen_addresses") == [("",)]
    finally:
        server.stop()


def test_an_interrupted_first_start_is_done_again(short: Path) -> None:
    folders = runtime.Folders(short)
    data = short / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("18\n")
    (short / "postgres.unfinished").touch()
    server = serve(data, folders)
    try:
        assert server.sql("SELECT 1") == [(1,)]
    finally:
        server.stop()


def test_data_of_another_version_is_told(short: Path) -> None:
    data = short / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(LaunchError, match="was made by PostgreSQL 16: use 18"):
        postgres.prepare(data, Account())


@needs_root
def test_root_gives_the_database_an_account_that_may_read_below_a_closed_folder(short: Path) -> None:
    """`short` is closed to everyone but root, as /root is."""
    account = postgres.choose_account(short / "postgres")
    assert account.user and account.capable
    server = serve(short / "postgres", runtime.Folders(short))
    try:
        uid = Path(f"/proc/{server.process.pid}").stat().st_uid
        assert uid != 0
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        (effective,) = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff")]
        assert int(effective, 16) in {1 << 1, 1 << 2}, "more rights than to enter folders"
    finally:
        server.stop()


@needs_root
def test_root_without_that_right_is_told(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "reading_capability", lambda: None)
    with pytest.raises(LaunchError, match=r"start \./run as a normal user, or move the project"):
        postgres.choose_account(short / "postgres")


def test_somebody_who_is_not_root_runs_it_as_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert postgres.choose_account(Path("/anywhere")) == Account()


def test_long_paths_get_a_short_private_socket_folder(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5)
    folder = runtime.Folders(deep).sockets("pg", os.geteuid())
    try:
        assert len(f"{folder}/.s.PGSQL.5432") <= 107
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        folder.rmdir()


# Children -------------------------------------------------------------------------------------


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-m', 'voiceops.launch.child', '--', 'sleep', '600'])\n"
        "print(p.pid, flush=True)\np.wait()"
    )
    parent = subprocess.Popen(
        [str(ROOT / ".venv/bin/python"), "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    deadline = time.monotonic() + 20
    while b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes()[:6]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline, "it outlived its parent"
        time.sleep(0.05)


def test_a_program_that_is_not_there_is_told() -> None:
    done = subprocess.run(
        [str(ROOT / ".venv/bin/python"), "-m", "voiceops.launch.child", "--", "/no/such/program"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "cannot start /no/such/program: No such file or directory"


def test_the_supervisor_reads_commands_with_percent_signs_and_paths_with_spaces(tmp_path: Path) -> None:
    from supervisor.options import ServerOptions

    folder = tmp_path / "all my data"
    folder.mkdir()
    one = supervisor.Child("web", ("/bin/echo", "50%", "two words"), {"X": "5%"}, "TERM", 5, "app")
    text = supervisor.configuration(
        [one], run=folder, logs=folder, socket=folder / "s", folder=folder, root=os.geteuid() == 0
    )
    (folder / "c.conf").write_text(text)
    options = ServerOptions()
    options.realize(["-c", str(folder / "c.conf"), "-n"])
    (group,) = options.process_group_configs
    (program,) = group.process_configs
    assert program.command == "/bin/echo 50% 'two words'"
    assert program.environment["X"] == "5%"
    assert program.stdout_logfile == str(folder / "web.log")
    assert program.killasgroup


def test_a_data_folder_that_the_supervisor_cannot_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="has a % in its name"):
        runtime.Folders(tmp_path / "100%")


def test_applications_stop_before_their_databases() -> None:
    from voiceops.launch.programs import PROGRAMS

    slowest = {
        phase: max(program.stop_s for program in PROGRAMS if (program.phase == "data") == phase)
        for phase in (True, False)
    }
    assert slowest[True] + slowest[False] < 10


def test_a_start_migrates_again_after_new_code_or_a_new_database(short: Path) -> None:
    root = short / "code"
    migration = root / "crm" / "migrations" / "0001_first.py"
    migration.parent.mkdir(parents=True)
    migration.write_text("first")
    server = serve(short / "postgres", runtime.Folders(short))
    try:
        postgres.ensure_database(server.sockets)
        url = postgres.url(server.sockets)
        assert not schema.is_current(url, data=short, root=root), "never migrated"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE django_migrations (id serial)")
            connection.execute("INSERT INTO django_migrations DEFAULT VALUES")
            schema.remember(url, data=short, root=root)
            assert schema.is_current(url, data=short, root=root)
            migration.write_text("changed")
            assert not schema.is_current(url, data=short, root=root), "the code has changed"
            migration.write_text("first")
            connection.execute("DROP TABLE django_migrations")
        assert not schema.is_current(url, data=short, root=root), "the database is another one"
    finally:
        server.stop()
