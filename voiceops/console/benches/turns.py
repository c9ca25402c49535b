"""Turn latency on real models: one spoken call at a time over the carrier socket."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import agents.api
import telephony.api as telephony
from voiceops.console import trial

STAGES = ("stt_ms", "retrieval_ms", "llm_ms", "tts_ms")

CALLS: tuple[tuple[str, ...], ...] = (
    (
        "What is the price of a three bedroom flat in Whitefield?",
        "And how much is the two bedroom?",
        "How many of them are available?",
        "When is possession?",
        "Thank you very much.",
    ),
    (
        "What was the EMI amount you quoted me yesterday?",
        "Do you help with home loans?",
        "How much is the stamp duty and registration?",
        "What is your cancellation policy?",
        "Is the token amount refundable?",
    ),
    (
        "What amenities are there at Lakeview Residency?",
        "Is car parking included?",
        "Are pets allowed?",
        "What is the price of a two bedroom flat in Hebbal?",
        "What about a three bedroom flat there?",
    ),
    (
        "Hello, good morning.",
        "I am looking for a flat in Sarjapur.",
        "What is the price of the three bedroom?",
        "Can a non resident Indian buy a flat?",
        "What happens if possession is delayed?",
    ),
    (
        "I would like to book a site visit at Lakeview Residency.",
        "Tomorrow morning please.",
        "The first one.",
        "Yes please.",
        "Do you arrange transport for the visit?",
    ),
    (
        "How much is the monthly maintenance?",
        "Is the project registered with RERA?",
        "What is the price of a three bedroom flat in Indiranagar?",
        "How many are still available?",
        "Thank you, goodbye.",
    ),
    (
        "Tell me the price of a two bedroom flat in Whitefield.",
        "What documents do I need for a home loan?",
        "How long is the booking amount valid?",
        "Which is the cheapest three bedroom flat?",
        "Okay, thank you.",
    ),
)
CALLER = "+919800000001"
CALLED = "+918040000000"


def run(*, turns: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Hear at least `turns` answers; `say` is told of the progress.

    Returns: turns, latency_{p50,p95}_ms, each stage's p50 and p95, the same latency as the
    carrier heard it, and how answers were made.
    """
    kept: list[agents.api.TurnDetail] = []
    heard_ms: list[float] = []
    calls = 0
    while len(kept) < turns:
        lines = CALLS[calls % len(CALLS)]
        calls += 1
        said = asyncio.run(trial.utterances([("text", line) for line in lines]))
        agent = telephony.agent_for_number(CALLED) or ""
        address = trial.open_directly(agent=agent, pii_from=CALLER, called=CALLED)
        call = asyncio.run(
            telephony.place_call(
                address.url,
                carrier_ref=address.carrier_ref,
                utterances=said,
                parameters=address.parameters,
            )
        )
        session_id = telephony.twilio_session_id(address.carrier_ref)
        detail = trial.wait_for_trace(session_id, timeout_s=30)
        answered = [turn for turn in detail.turns if turn.latency_ms is not None]
        if not answered:
            raise trial.TrialFailed(f"the call {session_id} has no answered turn: look at its trace")
        kept += answered
        heard_ms += [exchange.heard_latency_ms for exchange in call.exchanges if exchange.heard_latency_ms]
        say(f"call {calls}: {len(answered)} turns, {len(kept)} of {turns}")
    sources = [turn.answer_source for turn in kept]
    return {
        "turns": len(kept),
        "calls": calls,
        **_percentiles("latency", (turn.latency_ms for turn in kept)),
        **{
            key: value
            for stage in STAGES
            for key, value in _percentiles(stage[:-3], (getattr(turn, stage) for turn in kept)).items()
        },
        **_percentiles("heard_at_carrier", heard_ms),
        "with_filler": sum(bool(turn.filler) for turn in kept),
        "answer_sources": {source: sources.count(source) for source in sorted(set(sources))},
    }


def _percentiles(name: str, values: Iterable[float | None]) -> dict[str, float | None]:
    known = sorted(value for value in values if value is not None)
    return {f"{name}_p50_ms": _percentile(known, 50), f"{name}_p95_ms": _percentile(known, 95)}


def _percentile(known: Sequence[float], percent: int) -> float | None:
    """Linear interpolation between ranks; None of nothing."""
    if len(known) < 2:
        return round(known[0], 1) if known else None
    return round(statistics.quantiles(known, n=100, method="inclusive")[percent - 1], 1)
