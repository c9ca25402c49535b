"""What is true (retrieved) and what was promised (durable)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Status = Literal["ok", "stale", "timed_out", "denied", "empty", "error"]


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    language: str
    intent: str = ""
    embedding: Sequence[float] | None = None
    """384 floats of `text` as a query; None: the source embeds it itself if it needs to."""
    slots: Mapping[str, Any] = field(default_factory=dict)
    """Typed values known so far: project, locality, property_type, date, time, …"""
    customer_id: int | None = None
    now: datetime | None = None
    """Caller's time zone aware; what "tomorrow" is measured from."""
    limit: int = 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """One retrieved fact: a record or a passage, with where it stands."""

    source: str
    chunk: str
    """Stable id, e.g. `listing:lakeview-3bhk`, `chunk:17`, `slot:12`."""
    version: str
    title: str
    text: str
    """The fact in words, in `language`."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Typed values of the record: price_inr, project, locality, starts_at, emi_inr…"""
    score: float = 1.0
    age_s: float = 0.0
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One source's answer. Silence is never success."""

    source: str
    status: Status
    evidence: tuple[Evidence, ...] = ()
    latency_ms: float = 0.0
    age_s: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Retrieved:
    envelopes: tuple[Envelope, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """All evidence, in order of the plan's sources."""
        return tuple(item for envelope in self.envelopes for item in envelope.evidence)

    @property
    def missing(self) -> tuple[str, ...]:
        """Sources that did not answer: timed out, denied or failed."""
        return tuple(e.source for e in self.envelopes if e.status in ("timed_out", "denied", "error"))

    @property
    def stale(self) -> tuple[str, ...]:
        return tuple(e.source for e in self.envelopes if e.status == "stale")


@dataclass(frozen=True, slots=True)
class Fact:
    """A promise to keep: appended durably before the agent may speak of it."""

    fact_id: str
    """UUID made by the call; the idempotency key all the way to the CRM."""
    kind: Literal["site_visit_booked", "handover_requested"]
    session_id: str
    turn_index: int
    payload: Mapping[str, Any]
    """site_visit_booked: slot_id, pii_name, pii_phone, customer_id.
    handover_requested: reason, pii_phone, customer_id."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a fact is durable."""

    fact_id: str
    crm_sync: Literal["none", "queued", "success"]
    details: Mapping[str, Any] = field(default_factory=dict)
    """site_visit_booked: visit_id, project, starts_at (ISO 8601)."""
    replayed: bool = False
    """True when this fact had been appended before."""
