"""What an alert can be built on: each number, from one process and from many."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from tests.apps.metrics_data import offer, plan
from voiceops.console import metrics
from voiceops.core.events import CallEvent

ROOT = Path(__file__).parents[2]


def _value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def _samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_call_is_live_from_its_answer_to_its_end_and_no_longer() -> None:
    call = metrics.CallMetrics(plan(channel="test-live"))
    call(CallEvent("call.answered", 0.0))
    assert _value("voiceops_live_calls", channel="test-live") == 1
    call(CallEvent("call.ended", 9.0, data={"outcome": "booked"}))
    call.close()
    assert _value("voiceops_live_calls", channel="test-live") == 0
    assert _value("voiceops_calls_total", agent="desk", channel="test-live", outcome="booked") == 1


def test_a_call_whose_socket_died_without_a_word_is_not_live_for_ever() -> None:
    call = metrics.CallMetrics(plan(channel="test-cut"))
    call(CallEvent("call.answered", 0.0))
    call.close()
    assert _value("voiceops_live_calls", channel="test-cut") == 0


def test_a_turn_counts_in_seconds_and_a_stage_that_did_not_run_is_not_a_zero() -> None:
    call = metrics.CallMetrics(plan("stage-desk"))
    call(
        CallEvent(
            "turn.closed", 4000.0, 1,
            {"latency_ms": 812.0, "stt_ms": 120.0, "retrieval_ms": 12.0, "llm_ms": None, "tts_ms": 90.0,
             "intent": "price_enquiry", "language": "en"},
        )
    )  # fmt: skip
    assert _value("voiceops_turn_latency_seconds_sum", agent="stage-desk") == pytest.approx(0.812)
    assert _value("voiceops_stage_latency_seconds_sum", stage="stt", agent="stage-desk") == pytest.approx(
        0.12
    )
    assert _value("voiceops_stage_latency_seconds_count", stage="llm", agent="stage-desk") == 0
    assert _value("voiceops_turns_total", agent="stage-desk", intent="price_enquiry", language="en") == 1


def test_degrades_are_counted_by_code_and_a_sentence_never_becomes_a_series() -> None:
    call = metrics.CallMetrics(plan())
    before = _value("voiceops_degrades_total", code="other")
    call(CallEvent("degrade", 1.0, 1, {"code": "tts_failover", "reason": "Piper took 2 s."}))
    call(CallEvent("degrade", 1.0, 1, {"code": "Asha said: call me on +91…"}))
    assert _value("voiceops_degrades_total", code="tts_failover") >= 1
    assert _value("voiceops_degrades_total", code="other") == before + 1


def test_the_edge_counts_dropped_frames_and_refusals_and_still_keeps_its_journal() -> None:
    noted: list[Any] = []

    class Journal:
        def started(self, offer: Any) -> None:
            noted.append(offer)

        def ended(self, offer: Any, *, dropped_frames: int, refusals: Any) -> None:
            noted.append((dropped_frames, dict(refusals)))

    journal = metrics.CountingCallLog(Journal())
    journal.started(offer("test-edge"))
    journal.ended(offer("test-edge"), dropped_frames=3, refusals={"bad_json": 2})
    assert _value("voiceops_dropped_frames_total", channel="test-edge") == 3
    assert _value("voiceops_refusals_total", code="bad_json", channel="test-edge") == 2
    assert noted[1] == (3, {"bad_json": 2})


# The page -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_page_tells_how_much_work_waits() -> None:
    from voiceops.celery import app

    with app.connection_for_write() as connection:
        queue = connection.SimpleQueue(app.conf.task_default_queue)
        queue.put({"any": "task"})
        try:
            page = Client().get("/metrics")
            samples = _samples(page.content.decode())
            assert samples["voiceops_queue_depth", (("queue", "celery"),)] == 1
            assert samples["voiceops_queue_depth", (("queue", "outbox"),)] == 0
        finally:
            queue.clear()
            queue.close()
    assert page["Content-Type"].startswith("text/plain")
    samples = _samples(Client().get("/metrics").content.decode())
    assert samples["voiceops_queue_depth", (("queue", "celery"),)] == 0


@pytest.mark.django_db
def test_a_silent_broker_is_told_and_hides_no_other_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> int:
        raise ConnectionError("broker gone")

    monkeypatch.setattr(metrics, "celery_depth", silent)
    samples = _samples(Client().get("/metrics").content.decode())
    assert samples["voiceops_queue_up", (("queue", "celery"),)] == 0
    assert samples["voiceops_queue_up", (("queue", "outbox"),)] == 1
    assert ("voiceops_queue_depth", (("queue", "celery"),)) not in samples


def _run(code: str, folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", "import django; django.setup()\n" + textwrap.dedent(code)],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


_MEDIA = """
    from tests.apps.metrics_data import plan
    from voiceops.console.metrics import CallMetrics, observe_loop_lag
    from voiceops.core.events import CallEvent
    call = CallMetrics(plan(channel="twilio"))
    call(CallEvent("call.answered", 0.0))
    call(CallEvent("turn.closed", 1.0, 1, {"latency_ms": 900.0, "intent": "x", "language": "en"}))
    observe_loop_lag(0.004)
"""
_SCRAPE = """
    from voiceops.console.metrics import exposition
    print(exposition().decode())
"""


def test_processes_add_up_and_the_calls_of_a_killed_one_are_not_live(tmp_path: Path) -> None:
    # Both media processes are gone when the page is read, as after a crash: they left their files.
    _run(_MEDIA, tmp_path)
    _run(_MEDIA, tmp_path)
    assert len(list(tmp_path.glob("gauge_livesum_*.db"))) == 2
    samples = _samples(_run(_SCRAPE, tmp_path))
    assert samples["voiceops_turn_latency_seconds_count", (("agent", "desk"),)] == 2
    assert samples["voiceops_event_loop_lag_seconds_count", ()] == 2
    assert samples.get(("voiceops_live_calls", (("channel", "twilio"),)), 0) == 0
    assert not list(tmp_path.glob("gauge_livesum_*.db"))


def test_the_calls_of_a_running_process_are_seen_from_another(tmp_path: Path) -> None:
    text = _run(
        _MEDIA
        + """
    import subprocess, sys
    reader = "import django; django.setup(); from voiceops.console.metrics import exposition; "
    print(subprocess.run([sys.executable, "-c", reader + "print(exposition().decode())"],
                         check=True, capture_output=True, text=True).stdout)
    """,
        tmp_path,
    )
    assert _samples(text)["voiceops_live_calls", (("channel", "twilio"),)] == 1
