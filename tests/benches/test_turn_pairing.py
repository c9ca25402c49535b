"""Each answer must be counted for the question it was given to, whatever went wrong between them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agents.api import SpanDetail, TurnDetail
from telephony.api import CarrierCall, Exchange
from voiceops.console.benches.pairing import Words, pair, pair_words
from voiceops.console.benches.questions import Conversation, Line
from voiceops.console.benches.turn_report import compared, of_peer, of_platform
from voiceops.console.benches.turns import _Arm
from voiceops.console.trial import TrialFailed
from voiceops.core.events import Speculation

PRICE = Line("What is the price?", ("85 lakh",))
LEFT = Line("How many are left?", (r"\b9\b",))
EMPTY: dict[str, Any] = {
    "session_id": "s", "index": 0, "latency_ms": None, "stt_ms": 100.0, "retrieval_ms": 5.0, "llm_ms": 50.0,
    "tts_ms": 20.0, "language": "English", "language_tag": "en", "intent": "price_enquiry",
    "crm_sync": "none", "heard": "", "said": "", "planned": "", "answer_source": "template",
    "started_ms": 0.0, "ended_ms": 0.0, "filler": "", "filler_ms": 0.0, "interrupted": False,
    "citations": (), "fact_ids": (), "partials": (), "spans": (), "retrievals": (), "tools": (),
    "decisions": (), "context": {}, "heard_normalised": "", "endpoint": None, "language_reading": None,
    "speculations": (), "budget": (), "memory": {},
}  # fmt: skip


def turn(**told: Any) -> TurnDetail:
    return TurnDetail(**{**EMPTY, **told})


def span(name: str, start_ms: float) -> SpanDetail:
    return SpanDetail(name=name, start_ms=start_ms, duration_ms=100.0, budget_ms=None, attributes={})


def call(*exchanges: Exchange) -> CarrierCall:
    return CarrierCall("CA0", opened_s=50.0, exchanges=list(exchanges))


def exchange(said_from_ms: float, said_to_ms: float, *pieces_ms: float, over: bool = False) -> Exchange:
    answered = pieces_ms[0] if pieces_ms else None
    return Exchange("", said_from_ms, said_to_ms, answered, answered, tuple(pieces_ms), over)


GREETING = turn(said="Hello", started_ms=0.0)
FIRST = turn(index=1, heard="price", said="₹85 lakh", started_ms=5100.0, latency_ms=400.0,
             spans=(span("playout", 7400.0),))  # fmt: skip
SECOND = turn(index=2, heard="left", said="9 are left", started_ms=10_050.0, latency_ms=500.0,
              spans=(span("playout", 12_500.0),))  # fmt: skip
BOTH = (exchange(5200.0, 7000.0, 7410.0), exchange(10_200.0, 12_000.0, 12_520.0))


def test_turns_stand_with_the_lines_that_they_answer() -> None:
    price, left = pair([PRICE, LEFT], call(*BOTH), [GREETING, FIRST, SECOND])
    assert (price.said, price.carrier_ms, price.right) == ("₹85 lakh", 410.0, True)
    assert (left.said, left.carrier_ms, left.right) == ("9 are left", 520.0, True)


def test_an_answer_to_the_question_before_is_wrong_however_fast() -> None:
    late = replace(SECOND, said="₹85 lakh")
    _, left = pair([PRICE, LEFT], call(*BOTH), [GREETING, FIRST, late])
    assert left.carrier_ms == 520.0 and not left.right


def test_a_line_that_nobody_answered_is_told_and_not_left_out() -> None:
    silent = (BOTH[0], exchange(10_200.0, 12_000.0))
    answers = pair([PRICE, LEFT], call(*silent), [GREETING, FIRST])
    report = of_platform(answers)
    assert report["asked"] == 2 and report["turns"] == 1 and report["unanswered"] == 1
    assert report["right_share"] == 0.5


def test_a_pause_taken_for_the_end_makes_two_turns_of_one_line() -> None:
    half = turn(index=1, heard="what is", started_ms=5100.0)
    rest = replace(FIRST, index=2, started_ms=6000.0)
    (price,) = pair([PRICE], call(BOTH[0]), [GREETING, half, rest])
    assert price.heard == "what is price" and price.turn == rest
    assert of_platform([price])["split_turns"] == 1


def test_the_carrier_waits_behind_a_filler() -> None:
    filled = replace(
        FIRST, filler="One moment, please.", spans=(span("filler", 8700.0), span("playout", 9800.0))
    )
    heard = exchange(5200.0, 7000.0, 8710.0, 9810.0)
    (price,) = pair([PRICE], call(heard), [GREETING, filled])
    assert price.carrier_ms == 2810.0
    only_filler = replace(filled, spans=(span("filler", 8700.0),))
    (price,) = pair([PRICE], call(exchange(5200.0, 7000.0, 8710.0)), [GREETING, only_filler])
    assert price.carrier_ms is None and not price.right


def test_a_peer_is_paired_by_the_clock_that_both_processes_share() -> None:
    words = [
        Words(57.2, "What is the price", "caller"),
        Words(57.9, "It is ₹85 lakh.", "agent"),
        Words(62.9, "There are 9.", "agent"),
    ]
    price, left = pair_words([PRICE, LEFT], call(*BOTH), words)
    assert (price.heard, price.said, price.right) == ("What is the price", "It is ₹85 lakh.", True)
    assert left.right
    assert of_peer([price, left])["heard_at_carrier_p50_ms"] == 410.0


def test_hits_and_waste_are_counted_from_what_the_trace_says() -> None:
    told = (
        Speculation("generation", "what is", 1.0, "hit", compute_ms=80.0, tokens=12, saved_ms=300.0),
        Speculation("generation", "what", 0.5, "aborted", compute_ms=40.0, tokens=5),
        Speculation("prefetch", "what", 0.4, "waste", compute_ms=6.0),
    )
    (price,) = pair([PRICE], call(BOTH[0]), [GREETING, replace(FIRST, speculations=told)])
    report = of_platform([price])
    assert report["speculation_hits"] == 1 and report["turns_with_hit"] == 1
    generation = report["speculations"]["generation"]
    assert (generation["hit"], generation["aborted"], generation["waste"]) == (1, 1, 0)
    assert generation["saved_p50_ms"] == 300.0
    assert (generation["wasted_compute_ms"], generation["wasted_tokens"]) == (40, 5)


def test_what_speculation_saves_is_compared_line_by_line() -> None:
    slow = pair(
        [PRICE, LEFT], call(*BOTH), [replace(FIRST, latency_ms=900.0), replace(SECOND, latency_ms=450.0)]
    )
    fast = pair([PRICE, LEFT], call(*BOTH), [FIRST, SECOND])
    saves = compared(slow, fast)
    assert saves["saved_n"] == 2 and saves["saved_p50_ms"] == -50.0 and saves["saved_p95_ms"] == 500.0
    assert saves["sooner"] == 0.5


def test_a_call_that_fails_counts_as_unanswered_and_two_in_a_row_end_the_bench() -> None:
    def broken(conversation: Any, said: Any) -> Any:
        raise TrialFailed("the platform ended the call with code 1011")

    conversation, told = Conversation("+911", (PRICE, LEFT)), list[str]()
    ours, peer = _Arm("on", broken), _Arm("pipecat", broken, is_peer=True)
    first = ours.call(conversation, [], told.append)
    assert [answer.carrier_ms for answer in first] == [None, None] and ours.failed_calls == 1
    assert "1011" in told[0]
    with pytest.raises(TrialFailed, match=r"2 calls in a row failed.*1011"):
        ours.call(conversation, [], told.append)
    # A peer that fails must not cost the platform's figures.
    for _ in range(2):
        peer.call(conversation, [], told.append)
    assert "2 calls in a row" in peer.gave_up
