"""Whether planning ahead pays, and which stage spends too much, as an alert would read it."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from prometheus_client import REGISTRY

from tests.apps.metrics_data import plan
from voiceops.console import metrics
from voiceops.core.events import BudgetLine, CallEvent, Speculation


def _value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_guesses_are_counted_by_what_became_of_them() -> None:
    """Waste is computing power that somebody pays for; it must be visible beside what it saved."""
    call = metrics.CallMetrics(plan())
    waste = _value("voiceops_speculation_tokens_total", outcome="waste")
    saved = _value("voiceops_speculation_saved_seconds_total", kind="generation")
    ran = _value("voiceops_speculation_compute_seconds_total", kind="generation", outcome="waste")
    hits = _value("voiceops_speculations_total", kind="generation", outcome="hit")
    for told in (
        Speculation("generation", "price of", 10.0, "hit", 400.0, 20, 350.0),
        Speculation("generation", "price", 5.0, "waste", 250.0, 12),
    ):
        call(CallEvent("speculation", 20.0, None, asdict(told)))
    assert _value("voiceops_speculations_total", kind="generation", outcome="hit") == hits + 1
    assert _value("voiceops_speculation_tokens_total", outcome="waste") == waste + 12
    assert _value(
        "voiceops_speculation_compute_seconds_total", kind="generation", outcome="waste"
    ) == pytest.approx(ran + 0.25)
    assert _value("voiceops_speculation_saved_seconds_total", kind="generation") == pytest.approx(
        saved + 0.35
    )


def test_only_the_stage_that_took_too_long_has_overspent() -> None:
    call = metrics.CallMetrics(plan("spender"))
    lines = (
        BudgetLine("stt", 150, 90.0), BudgetLine("retrieval", 80, None), BudgetLine("llm", 400, 640.0),
        BudgetLine("total", 900, 1100.0, "filler"),
    )  # fmt: skip
    turn = {"intent": "price_enquiry", "language": "en", "budget": [asdict(line) for line in lines]}
    call(CallEvent("turn.closed", 4000.0, 1, turn))
    spent = {
        stage: _value("voiceops_budget_overspent_total", stage=stage, agent="spender")
        for stage in ("stt", "retrieval", "llm", "total")
    }
    assert spent == {"stt": 0, "retrieval": 0, "llm": 1, "total": 1}
