"""What a turn stood on, in values that JSON takes, so that it can be worked out again exactly."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from agents.pipeline import prompt
from agents.pipeline.intent import IntentMatch
from agents.pipeline.offers import Offer
from agents.pipeline.site_visit import SiteVisit
from agents.pipeline.when import When
from voiceops.core.facts import Envelope, Evidence, Query, Retrieved
from voiceops.core.plan import AgentProfile, CallPlan, IntentSpec
from voiceops.core.ports import LanguageModel, LlmRequest

HASH_CHARACTERS = 12
_KINDS = {kind.__name__: kind for kind in (SiteVisit, When, Offer)}


# Versions -----------------------------------------------------------------------------------


@cache
def _builder() -> bytes:
    return Path(prompt.__file__).read_bytes()


def prompt_version(profile: AgentProfile) -> str:
    """Changes with the persona and with the code that builds prompts."""
    return hashlib.sha256(profile.persona.encode() + b"\0" + _builder()).hexdigest()[:HASH_CHARACTERS]


def agent_version(profile: AgentProfile, intents: Sequence[IntentSpec]) -> str:
    """Changes with an agent's lines and with its intents' sources, templates and examples."""
    told = {
        "lines": {language: dict(lines) for language, lines in profile.lines.items()},
        "intents": [
            [
                i.slug,
                i.kind,
                list(i.sources),
                dict(i.templates),
                i.line,
                sorted((e[0], e[1]) for e in i.examples),
            ]
            for i in intents
        ],
    }
    text = json.dumps(told, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_CHARACTERS]


# What a turn was given ------------------------------------------------------------------------


def vectors_of(embeddings: Sequence[Sequence[float]] | None) -> list[str]:
    """Embeddings as base64 of float32, 2 KB each."""
    return [
        base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode() for vector in embeddings or ()
    ]


def embeddings_of(told: Sequence[str]) -> list[list[float]]:
    """The inverse of `vectors_of`."""
    return [np.frombuffer(base64.b64decode(text), dtype="<f4").tolist() for text in told]


def match_json(match: IntentMatch) -> dict[str, Any]:
    return asdict(match)


def request_json(request: LlmRequest, llm: LanguageModel) -> dict[str, Any]:
    """How the language model was asked, its messages aside."""
    return {
        "model": llm.capabilities.engine,
        "seed": request.seed,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "stop": list(request.stop),
    }


def request_of(told: Mapping[str, Any], messages: Sequence[Mapping[str, str]]) -> LlmRequest:
    """The inverse of `request_json`."""
    return LlmRequest(
        messages=[dict(message) for message in messages],
        max_tokens=int(told["max_tokens"]),
        temperature=float(told["temperature"]),
        seed=int(told["seed"]),
        stop=tuple(told["stop"]),
        priority="background",
    )


def search_json(query: Query, sources: Sequence[str], found: Retrieved) -> dict[str, Any]:
    """One question to the knowledge, and what it brought."""
    return {
        "text": query.text,
        "intent": query.intent,
        "slots": plain(dict(query.slots)),
        "limit": query.limit,
        "sources": list(sources),
        "envelopes": [
            {
                "source": envelope.source,
                "status": envelope.status,
                "age_s": envelope.age_s,
                "evidence": [plain(evidence_fields(item)) for item in envelope.evidence],
            }
            for envelope in found.envelopes
        ],
    }


def evidence_fields(item: Evidence) -> dict[str, Any]:
    return {entry.name: getattr(item, entry.name) for entry in fields(item)}


def retrieved_of(told: Mapping[str, Any]) -> Retrieved:
    """What `search_json` keeps of the answer."""
    return Retrieved(
        tuple(
            Envelope(
                row["source"],
                row["status"],
                tuple(Evidence(**restored(item)) for item in row["evidence"]),
                age_s=float(row["age_s"]),
            )
            for row in told["envelopes"]
        )
    )


def versions_of(searches: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Version by chunk, of everything that was retrieved."""
    return {
        item["chunk"]: item["version"]
        for search in searches
        for envelope in search["envelopes"]
        for item in envelope["evidence"]
    }


# Values ---------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """`value` as JSON takes it; moments and the state of a flow carry their type."""
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, time):
        return {"$time": value.isoformat()}
    if is_dataclass(value) and not isinstance(value, type):
        inner = {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
        return {"$kind": type(value).__name__, **inner}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def restored(value: Any) -> Any:
    """The inverse of `plain`; a list in a flow's state is a tuple there."""
    if isinstance(value, list):
        return [restored(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "$datetime" in value:
        return datetime.fromisoformat(value["$datetime"])
    if "$date" in value:
        return date.fromisoformat(value["$date"])
    if "$time" in value:
        return time.fromisoformat(value["$time"])
    if "$kind" in value:
        inner = {key: restored(item) for key, item in value.items() if key != "$kind"}
        inner = {key: tuple(item) if isinstance(item, list) else item for key, item in inner.items()}
        return _KINDS[value["$kind"]](**inner)
    return {key: restored(item) for key, item in value.items()}


def customer_json(plan: CallPlan) -> dict[str, Any]:
    """Who called, as far as an answer may stand on it."""
    customer = plan.customer
    told: dict[str, Any] = {"pii_caller": plan.pii_caller or ""}
    if customer is not None:
        told |= {
            "customer_id": customer.customer_id, "pii_name": customer.pii_name,
            "pii_phone": customer.pii_phone, "language": customer.language,
            "summary": list(customer.summary),
        }  # fmt: skip
    return told
