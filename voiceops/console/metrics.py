"""What Prometheus is told. Works with one process and, where PROMETHEUS_MULTIPROC_DIR names a
folder that all processes of this machine share, with many: `/metrics` then adds them up.

Seconds and base units everywhere, as Prometheus names them.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import prometheus_client
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from voiceops.core.events import CallEvent
from voiceops.core.plan import CallOffer, CallPlan

log = logging.getLogger(__name__)

_STAGE_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.9, 1.5, 3.0, 6.0)
_TURN_BUCKETS_S = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0)
_LAG_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

STAGE_LATENCY = Histogram(
    "voiceops_stage_latency_seconds", "Time a stage took in a turn.", ["stage", "agent"],
    buckets=_STAGE_BUCKETS_S,
)  # fmt: skip
TURN_LATENCY = Histogram(
    "voiceops_turn_latency_seconds", "Caller's last speech frame to first audible answer frame.",
    ["agent"], buckets=_TURN_BUCKETS_S,
)  # fmt: skip
TURNS = Counter("voiceops_turns", "Turns closed.", ["agent", "intent", "language"])
CALLS = Counter("voiceops_calls", "Calls ended.", ["agent", "channel", "outcome"])
LIVE_CALLS = Gauge("voiceops_live_calls", "Calls going on.", ["channel"], multiprocess_mode="livesum")
BARGE_INS = Counter("voiceops_barge_ins", "Answers that the caller interrupted.", ["agent"])
DEGRADES = Counter("voiceops_degrades", "Times a fallback stood in, by decision code.", ["code"])
ESCALATIONS = Counter("voiceops_escalations", "Hand-overs to a person, by decision code.", ["code"])
ERRORS = Counter("voiceops_stage_errors", "Failed stages.", ["stage", "code"])
LANGUAGE_SWITCHES = Counter(
    "voiceops_language_switches", "Calls that went over to another language.", ["agent", "language"]
)
LANGUAGE_DOUBTS = Counter(
    "voiceops_language_doubts",
    "Turns whose language may be misjudged: each is an alarm.",
    ["agent", "language"],
)
ALARM_VERDICTS = Counter(
    "voiceops_alarm_verdicts", "What operators made of alarms: the call was right or wrong.",
    ["kind", "verdict"],
)  # fmt: skip
REFUSALS = Counter("voiceops_refusals", "Wire messages and calls refused, by code.", ["code", "channel"])
DROPPED_FRAMES = Counter("voiceops_dropped_frames", "Inbound audio frames dropped as too old.", ["channel"])
DROPPED_TRACES = Counter("voiceops_dropped_traces", "Trace payloads dropped instead of waited for.")
SPECULATIONS = Counter(
    "voiceops_speculations", "Work begun before it was certain to be needed.", ["kind", "outcome"]
)
SPECULATION_COMPUTE = Counter(
    "voiceops_speculation_compute_seconds", "Time such work ran.", ["kind", "outcome"]
)
SPECULATION_TOKENS = Counter(
    "voiceops_speculation_tokens", "Tokens written by the language model in advance.", ["outcome"]
)
SPECULATION_SAVED = Counter(
    "voiceops_speculation_saved_seconds", "Waiting that callers were spared by it.", ["kind"]
)
OVERSPENT = Counter(
    "voiceops_budget_overspent", "Turns in which a stage took more than its budget.", ["stage", "agent"]
)
LOOP_LAG = Histogram(
    "voiceops_event_loop_lag_seconds", "How late the event loop woke up a timer.", buckets=_LAG_BUCKETS_S
)

_STAGES = ("stt", "retrieval", "llm", "tts")
_CODE = re.compile(r"[a-z0-9_.-]{1,40}")


class CallMetrics:
    """Counts one call; implements `core.ports.Listener`.

    `close` it when the call's socket is gone: a call that never said `call.ended` stops being
    live then.
    """

    def __init__(self, plan: CallPlan) -> None:
        self._agent = plan.agent.slug
        self._channel = plan.channel
        self._is_live = False

    def __call__(self, event: CallEvent) -> None:
        hear = _HEARD.get(event.kind)
        if hear is not None:
            hear(self, event.data)

    def close(self) -> None:
        if self._is_live:
            self._is_live = False
            LIVE_CALLS.labels(self._channel).dec()

    def _answered(self, data: Mapping[str, Any]) -> None:
        if not self._is_live:
            self._is_live = True
            LIVE_CALLS.labels(self._channel).inc()

    def _ended(self, data: Mapping[str, Any]) -> None:
        CALLS.labels(self._agent, self._channel, _code(data.get("outcome"))).inc()
        self.close()

    def _turn(self, data: Mapping[str, Any]) -> None:
        TURNS.labels(self._agent, _code(data.get("intent")), _code(data.get("language"))).inc()
        if (latency_ms := data.get("latency_ms")) is not None:
            TURN_LATENCY.labels(self._agent).observe(latency_ms / 1000)
        for stage in _STAGES:
            if (duration_ms := data.get(f"{stage}_ms")) is not None:
                STAGE_LATENCY.labels(stage, self._agent).observe(duration_ms / 1000)

        for line in data.get("budget") or ():
            if line["actual_ms"] is not None and line["actual_ms"] > line["budget_ms"]:
                OVERSPENT.labels(_code(line["stage"]), self._agent).inc()

    def _speculation(self, data: Mapping[str, Any]) -> None:
        kind, outcome = _code(data.get("kind")), _code(data.get("outcome"))
        SPECULATIONS.labels(kind, outcome).inc()
        SPECULATION_COMPUTE.labels(kind, outcome).inc(max(0.0, data.get("compute_ms", 0.0)) / 1000)
        SPECULATION_TOKENS.labels(outcome).inc(data.get("tokens", 0))
        SPECULATION_SAVED.labels(kind).inc(max(0.0, data.get("saved_ms", 0.0)) / 1000)

    def _barge_in(self, data: Mapping[str, Any]) -> None:
        BARGE_INS.labels(self._agent).inc()

    def _degrade(self, data: Mapping[str, Any]) -> None:
        DEGRADES.labels(_code(data.get("code"))).inc()

    def _escalation(self, data: Mapping[str, Any]) -> None:
        ESCALATIONS.labels(_code(data.get("code"))).inc()

    def _language(self, data: Mapping[str, Any]) -> None:
        after = _code(data.get("after"))
        if data.get("suspicion"):
            LANGUAGE_DOUBTS.labels(self._agent, after).inc()
        elif data.get("before") != data.get("after"):
            LANGUAGE_SWITCHES.labels(self._agent, after).inc()

    def _error(self, data: Mapping[str, Any]) -> None:
        ERRORS.labels(_code(data.get("stage")), _code(data.get("code"))).inc()


_HEARD: dict[str, Callable[[CallMetrics, Mapping[str, Any]], None]] = {
    "call.answered": CallMetrics._answered,
    "call.ended": CallMetrics._ended,
    "turn.closed": CallMetrics._turn,
    "speculation": CallMetrics._speculation,
    "barge_in": CallMetrics._barge_in,
    "degrade": CallMetrics._degrade,
    "escalation": CallMetrics._escalation,
    "error": CallMetrics._error,
    "language": CallMetrics._language,
}


class _CallLog(Protocol):
    def started(self, offer: CallOffer) -> None: ...

    def ended(self, offer: CallOffer, *, dropped_frames: int, refusals: Mapping[str, int]) -> None: ...


class CountingCallLog:
    """The edge's `CallLog`, with dropped frames and refusals counted on the way."""

    def __init__(self, inner: _CallLog) -> None:
        self._inner = inner

    def started(self, offer: CallOffer) -> None:
        self._inner.started(offer)

    def ended(self, offer: CallOffer, *, dropped_frames: int, refusals: Mapping[str, int]) -> None:
        DROPPED_FRAMES.labels(offer.channel).inc(dropped_frames)
        for code, count in refusals.items():
            count_refusal(code, channel=offer.channel, count=count)
        self._inner.ended(offer, dropped_frames=dropped_frames, refusals=refusals)


def count_refusal(code: str, *, channel: str = "", count: int = 1) -> None:
    REFUSALS.labels(_code(code), channel).inc(count)


def count_alarm_verdict(kind: str, *, right: bool) -> None:
    ALARM_VERDICTS.labels(_code(kind), "right" if right else "wrong").inc()


def count_dropped_traces(count: int) -> None:
    DROPPED_TRACES.inc(count)


def observe_loop_lag(seconds: float) -> None:
    LOOP_LAG.observe(max(0.0, seconds))


def _code(value: object) -> str:
    """A label from a small set of words; anything else would make a series a message."""
    text = str(value or "none")
    return text if _CODE.fullmatch(text) else "other"


# The page ------------------------------------------------------------------------------------


class QueueDepths(Collector):
    """What waits in Celery and in the CRM outbox, read when Prometheus asks."""

    def collect(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("voiceops_queue_depth", "What waits to be worked on.", labels=["queue"])
        answered = GaugeMetricFamily(
            "voiceops_queue_up", "1 if the queue's store answered this scrape.", labels=["queue"]
        )
        for queue, read in (("celery", celery_depth), ("outbox", _outbox_depth)):
            try:
                value = read()
            except Exception as error:
                # One silent store must not hide the other numbers; its own series says so.
                log.warning("queue depth unknown queue=%s error=%s", queue, error)
                answered.add_metric([queue], 0)
            else:
                depth.add_metric([queue], value)
                answered.add_metric([queue], 1)
        yield depth
        yield answered


def celery_depth() -> int:
    """Messages of the default Celery queue that no worker has taken."""
    from kombu.exceptions import ChannelError

    from voiceops.celery import app

    with app.connection_for_read() as connection, connection.channel() as channel:
        try:
            found = channel.queue_declare(app.conf.task_default_queue, passive=True)
        except ChannelError:  # an empty queue does not exist in Redis
            return 0
        return int(found.message_count)


def _outbox_depth() -> int:
    from crm.api import outbox_counts

    return outbox_counts().queued


def forget_dead_processes() -> int:
    """Drop the live gauges of processes that are gone; how many files there were."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return 0
    gone = 0
    for path in Path(folder).glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and not _runs(int(pid)):
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def exposition(extra: Iterable[Collector] = ()) -> bytes:
    """Everything, in Prometheus' text format."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        forget_dead_processes()
        multiprocess.MultiProcessCollector(registry)
    else:
        registry.register(prometheus_client.REGISTRY)
    for collector in extra:
        registry.register(collector)
    return prometheus_client.generate_latest(registry)


def metrics(request: HttpRequest) -> HttpResponse:
    """`/metrics`."""
    return HttpResponse(exposition([QueueDepths()]), content_type=prometheus_client.CONTENT_TYPE_LATEST)
