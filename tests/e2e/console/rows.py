"""Stored calls for the pages, written through the app's own services as the media process does."""

from __future__ import annotations

import uuid
import wave
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.utils import timezone

from agents.api import record
from agents.models import Agent, Intent
from crm.models import Customer, FactLog, HandoverRequest, OutboxEntry
from tests.apps.agents_data import make_agent

RATE_HZ = 8000
PRICE = "What is the price of a 3BHK in Whitefield?"
ANSWER = "A 3BHK at Lakeview Residency in Whitefield is ₹1.2 crore. Three units are available."


def desk(**fields: Any) -> Agent:
    agent = make_agent("property-desk", name="Property desk", languages=["en", "hi"], **fields)
    for slug in ("price_enquiry", "site_visit_booking", "emi_history", "policy_question", "handover_request"):
        Intent.objects.create(agent=agent, slug=slug, label=slug, kind="answer")
    return agent


def _speech(seconds: float, pitch_hz: float, seed: int) -> np.ndarray:
    """Something whose envelope looks like talk: syllables of a few pitches."""
    noise = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    envelope = np.clip(np.sin(2 * np.pi * 2.3 * t + noise.uniform(0, 6)), 0, 1) * np.interp(
        t, np.linspace(0, seconds, 9), noise.uniform(0.25, 1.0, 9)
    )
    return envelope * (np.sin(2 * np.pi * pitch_hz * t) + 0.4 * noise.standard_normal(len(t))) * 0.45


def write_recording(name: str, length_s: float, talk: list[tuple[str, float, float]]) -> str:
    """Two channels, caller left; `talk` is (side, start, length) in seconds. The relative path."""
    lanes = np.zeros((int(length_s * RATE_HZ), 2))
    for number, (side, start_s, seconds) in enumerate(talk):
        speech = _speech(seconds, 140 if side == "caller" else 210, number)
        at = int(start_s * RATE_HZ)
        part = speech[: max(0, len(lanes) - at)]
        lanes[at : at + len(part), 0 if side == "caller" else 1] += part
    folder = Path(settings.VOICEOPS["RECORDINGS_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / name), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(lanes, -1, 1) * 32000).astype("<i2").tobytes())
    return name


def span(
    name: str, start: float, length: float, budget: float | None = None, **attributes: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "start_ms": start,
        "duration_ms": length,
        "budget_ms": budget,
        "attributes": attributes,
    }


def turn(index: int, at: float, heard: str, said: str, intent: str, **fields: Any) -> dict[str, Any]:
    """One turn whose caller stopped speaking at `at` ms; stages overridable by `stt`, `llm`, ….

    Unknown keywords go into the stored record as they are.
    """
    stt, retrieval = fields.pop("stt", 118.0), fields.pop("retrieval", 34.0)
    llm, tts = fields.pop("llm", 342.0), fields.pop("tts", 61.0)
    endpoint = 200.0
    t1 = at + endpoint
    latency = endpoint + stt + retrieval + llm + tts + 14
    spoken = 60.0 * len(said)
    spans = [
        span("endpointing", at, endpoint, 250.0, silence_ms=200),
        span("stt", t1, stt, 150.0, engine="faster_whisper"),
        span("intent", t1 + stt, 6.0, None, score=0.91),
        span("retrieval", t1 + stt + 6, retrieval, 80.0, sources="listings"),
        span("llm", t1 + stt + 6 + retrieval, llm, 400.0, tokens=28),
        span("grounding", t1 + stt + 6 + retrieval + llm, 3.0),
        span("tts", t1 + stt + 9 + retrieval + llm, tts, 200.0, engine="hibari"),
        span("playout", at + latency, spoken, None),
    ]
    words = heard.split()
    return {
        "index": index,
        "latency_ms": latency,
        "stt_ms": stt,
        "retrieval_ms": retrieval,
        "llm_ms": llm,
        "tts_ms": tts,
        "language": "en",
        "intent": intent,
        "crm_sync": "none",
        "heard": heard,
        "said": said,
        "planned": said,
        "answer_source": "llm",
        "started_ms": at - 300.0 * len(words) ** 0.9,
        "ended_ms": at + latency + spoken,
        "filler": "",
        "filler_ms": 0.0,
        "interrupted": False,
        "citations": [
            {
                "source": "listings",
                "chunk": "listing:lakeview-3bhk",
                "version": "7",
                "title": "Lakeview Residency 3BHK",
                "text": "3BHK, 1,650 sq ft, Whitefield, ₹1.2 crore, 3 units",
            }
        ],
        "fact_ids": [],
        "spans": spans,
        "partials": [
            {"at_ms": at - 900 + 300 * n, "text": " ".join(words[: 3 * (n + 1)]), "kind": "partial"}
            for n in range(max(1, len(words) // 3))
        ],
        "retrievals": [
            {
                "query": heard,
                "source": "listings",
                "outcome": "ok",
                "latency_ms": retrieval,
                "version": "7",
                "chunk": "listing:lakeview-3bhk",
                "score": 0.94,
                "age_s": 3600.0,
                "text": "Lakeview Residency, Whitefield: 3BHK, 1,650 sq ft, ₹1.2 crore, 3 units available",
            },
            {
                "query": heard,
                "source": "documents",
                "outcome": "timed_out",
                "latency_ms": 800.0,
                "version": "",
                "chunk": "",
                "score": None,
                "age_s": None,
                "text": "",
            },
        ],
        "tools": [],
        "decisions": [],
        "context": {
            "messages": [
                {"role": "system", "content": "You are the property desk of Lakeview Homes."},
                {"role": "user", "content": heard},
            ],
            "facts": ["3BHK in Whitefield: ₹1.2 crore"],
            "prompt_tokens": 312,
            "completion_tokens": 28,
        },
        **fields,
    }


def store(
    turns: list[dict[str, Any]],
    *,
    session_id: str = "",
    started_at: datetime | None = None,
    length_s: float | None = 42.0,
    started: dict[str, Any] | None = None,
    ended: dict[str, Any] | None = None,
) -> str:
    """One call; `length_s=None` leaves it live. Its session id."""
    session_id = session_id or uuid.uuid4().hex
    at = started_at or timezone.now() - timedelta(minutes=4)
    record(
        "call.started",
        {
            "session_id": session_id,
            "agent_slug": "property-desk",
            "channel": "twilio",
            "direction": "inbound",
            "pii_caller": "+919800000001",
            "customer_id": None,
            "customer_name": "Asha Rao",
            "language": "en",
            "started_at": at.isoformat(),
            "is_demo": False,
            "engines": {
                "stt": "faster-whisper base (CTranslate2 int8)",
                "llm": "SmolLM2-135M-Instruct (llama.cpp)",
                "tts": "Hibari heart",
                "vad": "Silero",
                "embedder": "multilingual-e5-small",
            },
            **(started or {}),
        },
    )
    for item in turns:
        record("turn", {"session_id": session_id, "at": at.isoformat(), "turn": item})
    if length_s is not None:
        record(
            "call.ended",
            {
                "session_id": session_id,
                "ended_at": (at + timedelta(seconds=length_s)).isoformat(),
                "language": "en",
                "outcome": "answered",
                "ended_reason": "hangup",
                "is_degraded": False,
                "dropped_frames": 0,
                "dropped_traces": 0,
                "recording": "",
                "recording_consent": True,
                "recording_ms": 0,
                "retain_until": (timezone.localdate() + timedelta(days=90)).isoformat(),
                **(ended or {}),
            },
        )
    return session_id


def recorded_call() -> str:
    """The call that the trace tests read: four turns, a filler, a barge-in, a rebuilt answer, a booking."""
    fact = "5f2c1c0e-0000-4000-8000-000000000001"
    turns = [
        turn(1, 5200, PRICE, ANSWER, "price_enquiry"),
        turn(
            2,
            15_600,
            "And what was the EMI you quoted me yesterday?",
            "You were quoted an EMI of",
            "emi_history",
            llm=612.0,
            interrupted=True,
            filler="One moment, let me look.",
            filler_ms=1100.0,
            planned="You were quoted an EMI of ₹91,450 a month over 240 months.",
            answer_source="template",
            decisions=[
                {
                    "kind": "grounding",
                    "code": "answer_rebuilt",
                    "at_ms": 16_500.0,
                    "reason": "The model said ₹91,500, which stands in no retrieved record.",
                }
            ],
        ),
        turn(
            3,
            22_800,
            "Book a site visit tomorrow at eleven.",
            "Your visit to Lakeview Residency is booked for tomorrow at 11.",
            "site_visit_booking",
            answer_source="flow",
            crm_sync="queued",
            fact_ids=[fact],
            retrieval=96.0,
            tools=[
                {
                    "name": "reserve_slot",
                    "arguments": {"slot_id": 12, "project": "Lakeview Residency"},
                    "outcome": "ok",
                    "latency_ms": 21.0,
                    "result": {"visit_id": 5, "starts_at": "tomorrow 11:00"},
                    "fact_id": fact,
                }
            ],
        ),
        turn(
            4,
            33_000,
            "Thank you, bye.",
            "Thank you for calling. Goodbye.",
            "goodbye",
            llm=0.0,
            tts=240.0,
            answer_source="fixed",
            retrievals=[],
            citations=[],
        ),
    ]
    turns[1]["spans"].append(span("filler", 15_900, 1100, None))
    recording = write_recording(
        "trace.wav",
        42.0,
        [
            ("agent", 0.4, 2.2),
            ("caller", 3.0, 2.2),
            ("agent", 6.0, 5.6),
            ("caller", 13.1, 2.5),
            ("agent", 15.9, 1.1),
            ("agent", 17.0, 1.4),
            ("caller", 18.2, 0.5),
            ("caller", 20.4, 2.4),
            ("agent", 23.7, 4.6),
            ("caller", 31.6, 1.4),
            ("agent", 33.7, 2.4),
        ],
    )
    return store(
        turns,
        session_id="trace-me",
        started_at=timezone.now() - timedelta(minutes=9),
        ended={"recording": recording, "recording_ms": 42_000, "outcome": "booked", "is_degraded": True},
    )


def history(count: int = 12) -> None:
    """Calls of every outcome over the last hours."""
    kinds: list[dict[str, Any]] = [
        {
            "outcome": "answered",
            "name": "Asha Rao",
            "phone": "+919800000001",
            "heard": PRICE,
            "intent": "price_enquiry",
        },
        {
            "outcome": "booked",
            "name": "Vikram Shetty",
            "phone": "+919811100002",
            "heard": "I would like to see a flat in Hebbal on Saturday",
            "intent": "site_visit_booking",
            "sync": "success",
        },
        {
            "outcome": "handover",
            "name": "",
            "phone": "+919811100004",
            "heard": "Can I speak to a real person please?",
            "intent": "handover_request",
        },
        {
            "outcome": "no_answer_found",
            "name": "Meera Iyer",
            "phone": "+919811100006",
            "heard": "Who won the cricket match last night?",
            "intent": "unknown",
        },
        {"outcome": "abandoned", "name": "", "phone": "", "heard": "", "intent": ""},
        {
            "outcome": "failed",
            "name": "Farhan Khan",
            "phone": "+919811100009",
            "heard": "Is there a swimming pool?",
            "intent": "project_info",
            "degraded": True,
            "sync": "failed",
            "llm": 1830.0,
        },
        {
            "outcome": "answered",
            "name": "Deepa Nair",
            "phone": "+919811100010",
            "heard": "What was the EMI amount you quoted me yesterday?",
            "intent": "emi_history",
            "language": "hi",
            "demo": True,
        },
    ]
    now = timezone.now()
    for number in range(count):
        kind = kinds[number % len(kinds)]
        turns = []
        if kind["heard"]:
            turns.append(
                turn(
                    1,
                    4000,
                    kind["heard"],
                    ANSWER,
                    kind["intent"],
                    language=kind.get("language", "en"),
                    crm_sync=kind.get("sync", "none"),
                    llm=kind.get("llm", 300.0 + 23 * number),
                    stt=96.0 + 11 * number,
                    tts=48.0 + 5 * number,
                )
            )
        store(
            turns,
            session_id=f"past-{number:03d}",
            started_at=now - timedelta(minutes=1 + 3 * number),
            length_s=24.0 + 7 * number,
            started={
                "customer_name": kind["name"],
                "pii_caller": kind["phone"],
                "is_demo": kind.get("demo", False),
                "channel": "browser" if number % 3 == 2 else "twilio",
            },
            ended={
                "outcome": kind["outcome"],
                "is_degraded": kind.get("degraded", False),
                "language": kind.get("language", "en"),
            },
        )


def waiting() -> None:
    """A caller who waits for a call back, one failed and two queued CRM writes."""
    customer = Customer.objects.create(pii_name="Meera Iyer", pii_phone="+919811100006")
    for number, (kind, state) in enumerate(
        (
            ("handover_requested", "failed"),
            ("site_visit_booked", "queued"),
            ("site_visit_booked", "delivering"),
        )
    ):
        fact = FactLog.objects.create(
            fact_id=f"fact-{number}", kind=kind, session_id="past-002", turn_index=1, payload={}
        )
        OutboxEntry.objects.create(
            fact=fact,
            connector="http",
            idempotency_key=fact.fact_id,
            payload={},
            state=state,
            next_attempt_at=timezone.now(),
        )
        if kind == "handover_requested":
            HandoverRequest.objects.create(fact=fact, customer=customer, reason="Asked for a person")
