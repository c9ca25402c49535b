"""A call whose turns tell everything: budget, guesses, end of turn, language and memory; written
through the app's own services as the media process does."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.e2e.console import rows
from voiceops.core.events import (
    BudgetLine,
    Decision,
    Endpoint,
    LanguageReading,
    LanguageSign,
    Partial,
    RetrievalEntry,
    Span,
    Speculation,
    TurnRecord,
)

SESSION = "told-everything"
CRORE_TWENTY = {"value": 12_000_000, "turn": 1, "confidence": 0.94, "said": "one crore twenty lakh"}
BEDROOMS = {"value": "3BHK", "turn": 1, "confidence": 0.97, "said": "three bedroom"}


def lines(
    *actual: float | None, total: float, degraded: dict[str, str] | None = None
) -> tuple[BudgetLine, ...]:
    """Endpoint, stt, retrieval, llm and tts as measured, then the whole."""
    named = zip(
        ("endpoint", "stt", "retrieval", "llm", "tts"),
        (350.0, 150.0, 80.0, 400.0, 200.0),
        actual,
        strict=True,
    )
    cheaper = degraded or {}
    return (
        *(BudgetLine(stage, budget, value, cheaper.get(stage, "")) for stage, budget, value in named),
        BudgetLine("total", 900.0, total),
    )


def _turn(index: int, stopped: float, heard: str, said: str, **fields: Any) -> TurnRecord:
    values: dict[str, Any] = {
        "index": index, "latency_ms": 402.0, "stt_ms": 96.0, "retrieval_ms": 0.0, "llm_ms": 12.0,
        "tts_ms": 8.0, "language": "en", "intent": "price_enquiry", "crm_sync": "none", "heard": heard,
        "said": said, "planned": said, "answer_source": "llm", "started_ms": stopped - 2600.0,
        "ended_ms": stopped + 4200.0,
    }  # fmt: skip
    return TurnRecord(**{**values, **fields})


def price() -> TurnRecord:
    """Everything guessed right: the facts, the answer and its voice were ready in time."""
    stopped = 7200.0
    heard = "my budget is one crore twenty lakh is there a three bedroom flat in Whitefield"
    words = heard.split()
    return _turn(
        1, stopped, heard, "Yes: a 3BHK at Lakeview Residency in Whitefield is ₹1.2 crore.",
        heard_normalised="my budget is ₹12000000 is there a 3 bedroom flat in Whitefield",
        endpoint=Endpoint(284.0, 280.0, 0.93, "complete", "adaptive"),
        language_reading=LanguageReading(
            (LanguageSign("acoustic", "en", 0.88, "0.88 en, 0.09 hi"), LanguageSign("script", "en", 1.0),
             LanguageSign("words", "en", 0.8, "is, there, a, in")), "en", "en", 0.0,
        ),
        partials=(
            Partial(stopped - 2300, " ".join(words[:3])),
            Partial(stopped - 2000, "my budget is one pro"),
            Partial(stopped - 1990, " ".join(words[:3]), "stable"),
            Partial(stopped - 1700, " ".join(words[:6])),
            Partial(stopped - 1400, " ".join(words[:9])),
            Partial(stopped - 1390, " ".join(words[:7]), "stable"),
            Partial(stopped - 800, " ".join(words[:12])),
            Partial(stopped - 500, " ".join(words[:14])),
            Partial(stopped - 490, " ".join(words[:12]), "stable"),
            Partial(stopped + 130, heard, "final"),
        ),
        speculations=(
            Speculation("prefetch", " ".join(words[:7]), stopped - 1380, "aborted", 31.0, 0, 0.0,
                        "the intent changed"),
            Speculation("prefetch", " ".join(words[:12]), stopped - 480, "hit", 46.0, 0, 52.0),
            Speculation("generation", " ".join(words[:12]), stopped - 430, "waste", 260.0, 21, 0.0,
                        "the place was not known yet"),
            Speculation("generation", heard, stopped + 140, "hit", 118.0, 24, 236.0),
            Speculation("first_clause", heard, stopped + 262, "hit", 41.0, 0, 88.0),
        ),
        spans=(
            Span("endpointing", stopped, 284.0, 350.0),
            Span("stt", stopped + 20, 112.0, 150.0, {"engine": "faster_whisper"}),
            Span("intent", stopped + 285, 2.0),
            Span("retrieval", stopped + 287, 0.4, 80.0, {"cached": True}),
            Span("llm", stopped + 288, 60.0, 400.0, {"tokens": 24}),
            Span("grounding", stopped + 348, 2.0),
            Span("tts", stopped + 350, 8.0, 200.0, {"provider": "hibari", "cached": True}),
            Span("playout", stopped + 402, 3600.0),
        ),
        retrievals=(
            RetrievalEntry("3 bedroom whitefield", "listings", "ok", 46.0, "listing:lakeview-3bhk", "7", 0.97,
                           3600.0, "Lakeview Residency, Whitefield: 3BHK, ₹1.2 crore, 3 units"),
        ),
        budget=lines(284.0, 0.0, 0.0, 60.0, 0.0, total=402.0),
        memory={
            "facts": {
                "budget": CRORE_TWENTY,
                "property_type": BEDROOMS,
                "preferred_location": {
                    "value": "Whitefield", "turn": 1, "confidence": 0.99, "said": "Whitefield",
                },
            },
            "changes": [
                {"name": "budget", "change": "new", "before": None, "after": 12_000_000},
                {"name": "property_type", "change": "new", "before": None, "after": "3BHK"},
                {"name": "preferred_location", "change": "new", "before": None, "after": "Whitefield"},
            ],
        },
        context={
            "messages": [{"role": "system", "content": "You are the property desk of Lakeview Homes."},
                         {"role": "user", "content": "Question: What is the price of the 3BHK at Lakeview?\n"
                                                     "Facts: home: 3BHK, price: ₹1.2 crore"}],
            "prompt_tokens": 118, "completion_tokens": 24, "model": "smollm2-135m-instruct", "seed": 7,
            "versions": {"prompt": "3f9a1c", "knowledge": "2026-11-22T09:10"},
            "memory": {"working": ["greeting"], "session": {"budget": 12_000_000}, "long_term": []},
        },
    )  # fmt: skip


def hinglish() -> TurnRecord:
    """A mixed sentence, a language model predicted to be late, guesses in vain."""
    stopped = 18_400.0
    heard = "EMI kitna hoga if I take the loan for twenty years"
    return _turn(
        2, stopped, heard, "EMI ₹91,450 प्रति माह होगी।",
        language="hi", intent="emi_history", latency_ms=1042.0, stt_ms=168.0, retrieval_ms=74.0, llm_ms=431.0,
        tts_ms=96.0, answer_source="template",
        heard_normalised="EMI kitna hoga if I take the loan for 20 years",
        endpoint=Endpoint(395.0, 250.0, 0.58, "incomplete", "adaptive"),
        language_reading=LanguageReading(
            (LanguageSign("acoustic", "en", 0.47, "0.47 en, 0.44 hi"), LanguageSign("script", "en", 0.6),
             LanguageSign("words", "hi", 0.35, "kitna, hoga"),
             LanguageSign("words", "en", 0.5, "if, the, for")),
            "hi", "hi", 0.45, True, "the sound says English for the second time in a row",
        ),
        partials=(Partial(stopped - 900, "EMI kitna"), Partial(stopped - 600, "EMI kitna", "stable"),
                  Partial(stopped - 590, "EMI kitna hoga if I take")),
        speculations=(
            Speculation("prefetch", "EMI kitna hoga", stopped - 560, "hit", 71.0, 0, 41.0),
            Speculation("generation", "EMI kitna hoga if I take", stopped - 400, "aborted", 190.0, 14, 0.0,
                        "the caller went on"),
            Speculation("first_clause", "EMI kitna hoga if I take", stopped - 180, "waste", 120.0, 0, 0.0,
                        "other words were said"),
        ),
        decisions=(
            Decision("degrade", "llm_predicted_late", "1.3 s expected, 310 ms were left", stopped + 700.0),
        ),
        spans=(
            Span("endpointing", stopped, 395.0, 350.0), Span("stt", stopped + 30, 168.0, 150.0),
            Span("intent", stopped + 398, 5.0), Span("retrieval", stopped + 404, 74.0, 80.0),
            Span("llm", stopped + 480, 431.0, 400.0), Span("tts", stopped + 915, 96.0, 200.0),
            Span("playout", stopped + 1042, 3000.0),
        ),
        budget=lines(395.0, 12.0, 33.0, 431.0, 96.0, total=1042.0, degraded={"llm": "llm_predicted_late"}),
        memory={
            "facts": {
                "budget": CRORE_TWENTY,
                "loan_years": {"value": 20, "turn": 2, "confidence": 0.8, "said": "twenty years"},
            },
            "changes": [{"name": "loan_years", "change": "new", "before": None, "after": 20}],
        },
    )  # fmt: skip


def corrected() -> TurnRecord:
    """A number dictated slowly, a correction, a contradiction, and a switch to Hindi."""
    stopped = 31_000.0
    heard = "नहीं बजट एक करोड़ पचास लाख है और हेब्बल में"
    return _turn(
        3, stopped, heard, "ठीक है, एक करोड़ पचास लाख।",
        language="hi", intent="budget_change", latency_ms=655.0, stt_ms=110.0, retrieval_ms=None, llm_ms=None,
        tts_ms=40.0, answer_source="fixed", interrupted=True, filler="एक क्षण…", filler_ms=700.0,
        heard_normalised="नहीं बजट ₹15000000 है और हेब्बल में",
        endpoint=Endpoint(560.0, 560.0, 0.31, "dictation", "adaptive"),
        language_reading=LanguageReading(
            (LanguageSign("acoustic", "hi", 0.93), LanguageSign("script", "hi", 1.0, "Devanagari"),
             LanguageSign("words", "hi", 0.9)), "en", "hi", 0.1,
        ),
        spans=(Span("endpointing", stopped, 560.0, 350.0), Span("stt", stopped + 20, 110.0, 150.0),
               Span("tts", stopped + 600, 40.0, 200.0), Span("playout", stopped + 655, 2000.0)),
        budget=lines(560.0, 0.0, None, None, 40.0, total=655.0),
        memory={
            "facts": {
                "budget": {"value": 15_000_000, "turn": 3, "confidence": 0.91, "said": "एक करोड़ पचास लाख"},
                "preferred_location": {
                    "value": "Whitefield", "turn": 1, "confidence": 0.5, "said": "Whitefield",
                },
                "property_type": BEDROOMS,
            },
            "changes": [
                {"name": "budget", "change": "corrected", "before": 12_000_000, "after": 15_000_000},
                {"name": "preferred_location", "change": "contradicted", "before": "Whitefield",
                 "after": "Hebbal"},
            ],
        },
    )  # fmt: skip


def typed() -> TurnRecord:
    """Words that were typed, kept by a version that told nothing of these matters."""
    return _turn(
        4, 40_000.0, "thank you", "You are welcome. Goodbye.", intent="goodbye", answer_source="fixed",
        latency_ms=31.0, stt_ms=None, retrieval_ms=None, llm_ms=None, tts_ms=9.0,
        endpoint=Endpoint(0.0, 0.0, 1.0, "typed", "adaptive"),
        spans=(Span("tts", 40_010.0, 9.0, 200.0), Span("playout", 40_031.0, 1400.0)),
    )  # fmt: skip


def call(session_id: str = SESSION, **options: Any) -> str:
    """Four turns; the recording is silent but for two lanes of sound."""
    recording = rows.write_recording(
        f"{session_id}.wav",
        48.0,
        [
            ("caller", 4.4, 2.8), ("agent", 7.6, 3.6), ("caller", 16.0, 2.4), ("agent", 19.4, 3.0),
            ("caller", 27.5, 3.5), ("agent", 31.7, 2.0), ("agent", 40.1, 1.4),
        ],
    )  # fmt: skip
    return rows.store(
        [asdict(turn) for turn in (price(), hinglish(), corrected(), typed())],
        session_id=session_id,
        started_at=timezone.now() - timedelta(minutes=3),
        ended={"recording": recording, "recording_ms": 48_000, "is_degraded": True},
        **options,
    )
