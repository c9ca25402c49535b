"""Starting the platform in order, watching over it, and taking it down."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from voiceops.launch import postgres, runtime, schema, waiting, weights
from voiceops.launch.banner import banner
from voiceops.launch.errors import LaunchError
from voiceops.launch.layout import Layout, decide, fresh_metrics
from voiceops.launch.options import Options, check_disk, check_port, check_settings
from voiceops.launch.supervisor import Supervisord, configuration

DATABASES_S = 30.0
MODELS_S = 180.0
SEED_S = 600.0
READY_S = 240.0
STOP_S = 9.5
LEFTOVER_GRACE_S = 8.0
"""How long programs of a killed run get to stop by themselves; each was told by the kernel."""
REVIVE_AFTER_S = 10.0
STUCK_S = 60.0
"""A worker that consumed nothing for this long is started again."""

Say = Callable[[str], None]


class Platform:
    """One run. `up` returns when everything is warm; `watch` returns never; `down` always works."""

    def __init__(self, options: Options, *, root: Path, say: Say) -> None:
        self.options = options
        self.root = root
        self.say = say
        self.folders = runtime.Folders(options.data_dir)
        self.lock = runtime.take_lock(self.folders.run)
        self.supervisord: Supervisord | None = None
        self.layout: Layout | None = None
        self._watch: waiting.Watch | None = None
        self._started: set[str] = set()

    # Up ---------------------------------------------------------------------------------------

    def up(self) -> None:
        """Raises: LaunchError, ConfigurationError, OSError (a full disk)."""
        runtime.drop_env(self.folders.run)
        left = runtime.end_leftovers(self.folders.data, grace_s=LEFTOVER_GRACE_S)
        if left:
            self.say(f"Stopped {left} processes that an earlier run had left behind")
        check_port(self.options.host, self.options.port)
        check_disk(self.options.data_dir)
        os.environ["VOICEOPS_DATA_DIR"] = str(self.folders.data)
        platform = check_settings()
        self._check_outside(platform)
        self.say("Verifying the model files")
        weights.prepare(self.folders.data, say=self.say)
        layout = self.layout = decide(self.options, self.folders, platform, os.environ)
        if "postgres" in self._names():
            postgres.prepare(self.folders.data / "postgres", layout.account)
        fresh_metrics(self.folders)
        runtime.write_env(self.folders.run, layout.shared)
        self._start_supervisord(layout)

        self.say("Starting the databases")
        self._start("data")
        if "postgres" in self._names():
            self._await_database(layout)
        if redis := layout.shared.get("REDIS_URL", ""):
            self._await_redis(redis)
        self._start("models")
        self._migrate(layout)
        self._start("app")
        if self.options.demo:
            self._await_embeddings()
            self._manage(
                "Seeding the demo",
                "seed_demo",
                "--skip-checks",
                *(["--reset"] if self.options.reset_demo else []),
                timeout_s=SEED_S,
            )
        body = self._await_health()
        self.say(banner(self.options, layout, self.folders, body, self.supervisord_pid()))
        if self.options.demo:
            self._start("demo")

    def supervisord_pid(self) -> int:
        assert self.supervisord is not None
        return self.supervisord.process.pid

    def _names(self) -> set[str]:
        assert self.layout is not None
        return {program.name for program in self.layout.programs}

    def _check_outside(self, platform: Mapping[str, Any]) -> None:
        """Everything the environment names must answer before anything starts."""
        if url := os.environ.get("DATABASE_URL"):
            waiting.check_database(url)
        if url := os.environ.get("REDIS_URL"):
            waiting.check_redis(url)
        if (url := os.environ.get("VOICEOPS_LLM_URL")) and platform["LLM"] != "simulated":
            waiting.check_llm(url, str(platform["LLM_API_KEY"]))
        for variable in ("VOICEOPS_SPEECH_TARGET", "VOICEOPS_VOICE_TARGET", "VOICEOPS_PIPER_TARGET"):
            if target := os.environ.get(variable):
                waiting.check_target(variable, target)

    def _start_supervisord(self, layout: Layout) -> None:
        sockets = self.folders.sockets("sv", os.geteuid())
        file = self.folders.run / "supervisord.conf"
        file.write_text(
            configuration(
                layout.children(self.folders),
                run=self.folders.run,
                logs=self.folders.logs,
                socket=sockets / "s",
                folder=self.root,
                root=os.geteuid() == 0,
            )
        )
        self.supervisord = Supervisord(
            file, sockets / "s", layout.environment, self.folders.logs / "supervisord.out"
        )
        self.supervisord.wait_ready()
        self._watch = waiting.Watch(self.supervisord, self.folders.logs)

    def _start(self, phase: str) -> None:
        assert self.layout is not None and self.supervisord is not None
        for program in self.layout.programs:
            if program.phase == phase:
                name = f"{'data' if phase == 'data' else 'app'}:{program.name}"
                self.supervisord.start(name)
                if not program.once:
                    self._started.add(name)

    def _check(self) -> None:
        assert self._watch is not None
        self._watch.check(self._started)

    def _await_database(self, layout: Layout) -> None:
        waiting.until(
            lambda: postgres.answers(layout.sockets),
            check=self._check,
            timeout_s=DATABASES_S,
            what=f"PostgreSQL (its log: {self.folders.logs / 'postgres.log'})",
        )
        postgres.ensure_database(layout.sockets)

    def _await_redis(self, url: str) -> None:
        def answers() -> bool:
            try:
                waiting.check_redis(url)
            except LaunchError:
                return False
            return True

        waiting.until(
            answers,
            check=self._check,
            timeout_s=DATABASES_S,
            what=f"Valkey (its log: {self.folders.logs / 'valkey.log'})",
        )

    def _await_embeddings(self) -> None:
        assert self.layout is not None
        target = self.layout.shared["VOICEOPS_SPEECH_TARGET"]
        self.say("Loading the models")
        waiting.until(
            lambda: waiting.engine_ready(target, "e5"),
            check=self._check,
            timeout_s=MODELS_S,
            what=f"the embeddings (their log: {self.folders.logs / 'inference-speech.log'})",
        )

    def _migrate(self, layout: Layout) -> None:
        where = {"data": self.folders.data, "root": self.root}
        embedded = "postgres" in self._names()
        if embedded and schema.is_current(postgres.url(layout.sockets), **where):
            return
        # System checks are for developers; here they would cost two seconds a command.
        self._manage("Preparing the database", "migrate", "--skip-checks", "--noinput", "-v", "1")
        if embedded:
            schema.remember(postgres.url(layout.sockets), **where)

    def _manage(self, what: str, *arguments: str, timeout_s: float = 300.0) -> None:
        """Run a management command to its end. Raises: LaunchError with its last line."""
        assert self.layout is not None
        self.say(what)
        log = self.folders.logs / f"{arguments[0]}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "voiceops.launch.child",
                    "--",
                    sys.executable,
                    "manage.py",
                    *arguments,
                ],
                cwd=self.root,
                env=dict(self.layout.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                waiting.until(
                    lambda: process.poll() is not None, check=self._check, timeout_s=timeout_s, what=what
                )
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        if process.returncode != 0:
            raise LaunchError(f"{what} failed: {waiting.last_line(log)} (its log: {log})")

    def _await_health(self) -> dict[str, Any]:
        """The body of the first 200. Says every few seconds what is missing."""
        assert self.layout is not None
        url = self.layout.shared["VOICEOPS_WEB_URL"]
        self.say("Starting web, media and workers")
        said_at = time.monotonic()
        body: dict[str, Any] = {}
        missing: list[str] = []

        def ready() -> bool:
            nonlocal said_at, body, missing
            status, body = waiting.health(url)
            missing = not_ready(body) or ["web"]
            if status != 200 and time.monotonic() - said_at > 5:
                said_at = time.monotonic()
                self.say(f"Waiting for {', '.join(missing)}")
            return status == 200

        try:
            waiting.until(ready, check=self._check, timeout_s=READY_S, what="the platform", pause_s=0.3)
        except LaunchError as error:
            if "did not come up" not in str(error):
                raise
            reasons = (body.get("components") or {}).items()
            said = "; ".join(f"{name}: {part.get('detail')}" for name, part in reasons if name in missing)
            raise LaunchError(
                f"{', '.join(missing)} did not get ready in {READY_S:.0f} s: {said or 'no answer'} "
                f"(logs: {self.folders.logs})"
            ) from None
        return body

    # Watching ---------------------------------------------------------------------------------

    def watch(self) -> None:
        """Say what restarts, revive what gave up. Raises: LaunchError when supervisord is killed."""
        assert self.supervisord is not None
        pids: dict[str, int] = {}
        dead_since: dict[str, float] = {}
        stuck_since: float | None = None
        looked_at = time.monotonic()
        while True:
            time.sleep(1)
            try:
                states = self.supervisord.states()
            except OSError:
                if self.supervisord.process.poll() is None:
                    continue
                raise LaunchError(
                    "supervisord was killed: everything is stopped, start ./run again"
                ) from None
            for state in states:
                if state.name not in self._started:
                    continue
                name = state.name.split(":")[1]
                log = self.folders.logs / f"{name}.log"
                if state.state == "RUNNING" and state.pid != pids.get(state.name):
                    if state.name in pids:
                        self.say(f"{name} was started again (its log: {log})")
                    pids[state.name] = state.pid
                    dead_since.pop(state.name, None)
                elif state.state in {"FATAL", "EXITED"}:
                    since = dead_since.setdefault(state.name, time.monotonic())
                    if since == dead_since[state.name] and time.monotonic() - since > REVIVE_AFTER_S:
                        self.say(f"{name} does not stay up, trying again: {waiting.last_line(log)}")
                        dead_since[state.name] = time.monotonic()
                        self.supervisord.start(state.name)
            if time.monotonic() - looked_at > 10:
                looked_at = time.monotonic()
                stuck_since = self._restart_stuck_worker(stuck_since)

    def _restart_stuck_worker(self, stuck_since: float | None) -> float | None:
        """Celery can stop consuming after its broker was away; nothing in it notices."""
        assert self.layout is not None and self.supervisord is not None
        _status, body = waiting.health(self.layout.shared["VOICEOPS_WEB_URL"])
        if "worker" not in not_ready(body):
            return None
        if stuck_since is None:
            return time.monotonic()
        if time.monotonic() - stuck_since > STUCK_S:
            self.say("worker has stopped taking work: starting it again")
            self.supervisord.restart("app:worker")
            return None
        return stuck_since

    # Down -------------------------------------------------------------------------------------

    def down(self) -> None:
        """Stop everything: applications first, databases last; nothing stays behind."""
        runtime.drop_env(self.folders.run)
        if self.supervisord is not None:
            killed = self.supervisord.process.poll() is not None
            self.supervisord.stop(timeout_s=STOP_S)
            runtime.end_leftovers(self.folders.data, grace_s=LEFTOVER_GRACE_S if killed else 1.0)
        self.lock.close()


def not_ready(body: Mapping[str, Any]) -> list[str]:
    """Names of the components that a /healthz body does not call ok."""
    components: Mapping[str, Mapping[str, Any]] = body.get("components") or {}
    return [name for name, part in components.items() if part.get("status") != "ok"]


def run(options: Options, *, root: Path, say: Say) -> None:
    """The whole life of one ./run. Raises what `Platform.up` and `watch` raise, after stopping."""
    platform = Platform(options, root=root, say=say)
    try:
        platform.up()
        platform.watch()
    finally:
        platform.down()
