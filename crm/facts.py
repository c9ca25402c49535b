"""The durable append: a promise, its business row and its outbox entry in one transaction."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import AsyncCursor, errors
from psycopg.types.json import Jsonb

from voiceops.core.budget import Deadline
from voiceops.core.errors import FactRejected, SourceError
from voiceops.core.facts import Fact, Receipt
from voiceops.postgres import Pool, Row, bounded

log = logging.getLogger(__name__)

E164 = re.compile(r"\+[1-9]\d{6,14}")
ONE_VISIT = "one_booked_visit_per_slot"
Cursor = AsyncCursor[Row]


class Facts:
    """A `FactSink` on PostgreSQL."""

    def __init__(self, pool: Pool, *, connector: str, on_append: Callable[[str], None] | None = None) -> None:
        self._pool = pool
        self._connector = connector
        self._on_append = on_append
        self._leaving: set[asyncio.Task[Receipt]] = set()

    async def append(self, fact: Fact, *, deadline: Deadline) -> Receipt:
        """Durable when this returns. The same `fact_id` again returns the same receipt with
        `replayed`, so trying again after any error is safe.

        Raises: FactRejected(code="slot_taken" | "slot_unknown" | "invalid"), nothing written;
        SourceError(code="timeout"), the outcome is unknown; SourceError(code="unavailable").
        """
        writing = asyncio.create_task(self._write(fact, deadline))
        self._leaving.add(writing)
        writing.add_done_callback(self._leaving.discard)
        try:
            done, _ = await asyncio.wait({writing}, timeout=deadline.remaining_ms() / 1000)
        except asyncio.CancelledError:
            writing.cancel()
            writing.add_done_callback(_read_late)
            raise
        if not done:
            writing.cancel()
            writing.add_done_callback(_read_late)
            raise _unknown(fact)
        receipt = writing.result()
        self._nudge(fact.fact_id)
        return receipt

    async def aclose(self) -> None:
        """Wait for writes that were given up and are still on their way out."""
        if self._leaving:
            await asyncio.wait(set(self._leaving))

    async def _write(self, fact: Fact, deadline: Deadline) -> Receipt:
        try:
            async with bounded(self._pool, deadline) as cursor:
                return await self._append(cursor, fact)
        except TimeoutError as error:
            raise _unknown(fact) from error
        except errors.UniqueViolation as error:
            if error.diag.constraint_name == ONE_VISIT:
                raise FactRejected("this slot has just been taken", code="slot_taken") from error
            raise FactRejected(f"already written: {error.diag.constraint_name}", code="invalid") from error
        except psycopg.OperationalError as error:
            raise SourceError(f"the store cannot be reached: {error}", code="unavailable") from error

    async def _append(self, cursor: Cursor, fact: Fact) -> Receipt:
        _validate(fact)
        await cursor.execute(
            "INSERT INTO crm_factlog (fact_id, kind, session_id, turn_index, payload, created_at)"
            " VALUES (%s, %s, %s, %s, %s, now()) ON CONFLICT (fact_id) DO NOTHING RETURNING fact_id",
            [fact.fact_id, fact.kind, fact.session_id, fact.turn_index, _json(fact.payload)],
        )
        if await cursor.fetchone() is None:
            return await _replay(cursor, fact)
        customer_id = await _customer(cursor, fact.payload)
        if fact.kind == "site_visit_booked":
            details = await _book(cursor, fact, customer_id)
        else:
            details = await _hand_over(cursor, fact, customer_id)
        await cursor.execute(
            "INSERT INTO crm_outboxentry (fact_id, connector, idempotency_key, payload, state, attempts,"
            " next_attempt_at, external_ref, last_error)"
            " VALUES (%s, %s, %s, %s, 'queued', 0, now(), '', '')",
            [fact.fact_id, self._connector, fact.fact_id, _json(_for_crm(fact, customer_id, details))],
        )
        return Receipt(fact.fact_id, "queued", details)

    def _nudge(self, fact_id: str) -> None:
        if self._on_append is None:
            return
        try:
            self._on_append(fact_id)
        except Exception:
            log.warning("the nudge after a fact failed; the beat delivers it", exc_info=True)


def _validate(fact: Fact) -> None:
    payload = fact.payload
    phone = payload.get("pii_phone")
    if phone and not E164.fullmatch(str(phone)):
        raise FactRejected("the phone number is not in E.164 form, like +919800000001", code="invalid")
    if fact.kind == "site_visit_booked":
        slot_id = payload.get("slot_id")
        if not isinstance(slot_id, int) or isinstance(slot_id, bool):
            raise FactRejected("slot_id must be the number of a visit slot", code="invalid")
    elif fact.kind != "handover_requested":
        raise FactRejected(f"unknown kind of fact {fact.kind!r}", code="invalid")


async def _book(cursor: Cursor, fact: Fact, customer_id: int | None) -> dict[str, Any]:
    payload = fact.payload
    await cursor.execute(
        "SELECT id, project_slug, project_name, starts_at, starts_at <= now() AS is_past"
        " FROM crm_visitslot WHERE id = %s FOR SHARE",
        [payload["slot_id"]],
    )
    slot = await cursor.fetchone()
    if slot is None:
        raise FactRejected(f"there is no visit slot {payload['slot_id']}", code="slot_unknown")
    if slot["is_past"]:
        raise FactRejected("this slot is in the past", code="invalid")
    await cursor.execute(
        "INSERT INTO crm_sitevisit (fact_id, slot_id, customer_id, pii_name, pii_phone, status, created_at)"
        " VALUES (%s, %s, %s, %s, %s, 'booked', now()) RETURNING id",
        [
            fact.fact_id,
            slot["id"],
            customer_id,
            str(payload.get("pii_name") or "")[:120],
            str(payload.get("pii_phone") or ""),
        ],
    )
    visit = await _one(cursor)
    return _visit_details(visit["id"], slot)


async def _hand_over(cursor: Cursor, fact: Fact, customer_id: int | None) -> dict[str, Any]:
    await cursor.execute(
        "INSERT INTO crm_handoverrequest (fact_id, customer_id, pii_phone, reason, is_done, created_at)"
        " VALUES (%s, %s, %s, %s, false, now()) RETURNING id",
        [
            fact.fact_id,
            customer_id,
            str(fact.payload.get("pii_phone") or ""),
            str(fact.payload.get("reason") or "asked for")[:200],
        ],
    )
    return {"handover_id": (await _one(cursor))["id"]}


async def _customer(cursor: Cursor, payload: Mapping[str, Any]) -> int | None:
    """The known customer, or the one with this phone, made when it is new; None without both."""
    if payload.get("customer_id"):
        await cursor.execute("SELECT id FROM crm_customer WHERE id = %s", [payload["customer_id"]])
        if row := await cursor.fetchone():
            return int(row["id"])
    phone = payload.get("pii_phone")
    if not phone:
        return None
    await cursor.execute(
        "INSERT INTO crm_customer (pii_name, pii_phone, pii_email, language, created_at)"
        " VALUES (%s, %s, '', %s, now()) ON CONFLICT (pii_phone) DO NOTHING",
        [str(payload.get("pii_name") or "")[:120], phone, str(payload.get("language") or "en")[:8]],
    )
    await cursor.execute("SELECT id FROM crm_customer WHERE pii_phone = %s", [phone])
    return int((await _one(cursor))["id"])


async def _replay(cursor: Cursor, fact: Fact) -> Receipt:
    """The receipt of a fact that was appended before."""
    await cursor.execute(
        "SELECT f.kind, f.session_id, o.state, v.id AS visit_id, h.id AS handover_id,"
        " s.project_slug, s.project_name, s.starts_at FROM crm_factlog f"
        " LEFT JOIN crm_outboxentry o ON o.fact_id = f.fact_id"
        " LEFT JOIN crm_sitevisit v ON v.fact_id = f.fact_id"
        " LEFT JOIN crm_visitslot s ON s.id = v.slot_id"
        " LEFT JOIN crm_handoverrequest h ON h.fact_id = f.fact_id WHERE f.fact_id = %s",
        [fact.fact_id],
    )
    row = await _one(cursor)
    if (row["kind"], row["session_id"]) != (fact.kind, fact.session_id):
        raise FactRejected("this fact_id belongs to another fact", code="invalid")
    details = _visit_details(row["visit_id"], row) if row["visit_id"] else {"handover_id": row["handover_id"]}
    return Receipt(fact.fact_id, "success" if row["state"] == "success" else "queued", details, replayed=True)


def _visit_details(visit_id: int, slot: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "visit_id": visit_id,
        "project": slot["project_name"],
        "project_slug": slot["project_slug"],
        "starts_at": slot["starts_at"].astimezone(UTC).isoformat(),
    }


def _for_crm(fact: Fact, customer_id: int | None, details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **fact.payload,
        **details,
        "kind": fact.kind,
        "fact_id": fact.fact_id,
        "session_id": fact.session_id,
        "turn_index": fact.turn_index,
        "customer_id": customer_id,
        "promised_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


async def _one(cursor: Cursor) -> Row:
    row = await cursor.fetchone()
    assert row is not None, "the statement returns exactly one row"
    return row


def _json(value: Mapping[str, Any]) -> Jsonb:
    return Jsonb(dict(value), dumps=lambda data: json.dumps(data, default=str, ensure_ascii=False))


def _unknown(fact: Fact) -> SourceError:
    return SourceError(
        f"fact {fact.fact_id}: no answer in time, so the outcome is unknown;"
        " append it again with the same fact_id",
        code="timeout",
    )


def _read_late(task: asyncio.Task[Receipt]) -> None:
    """Read the result of a write that nobody waits for."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.info("a fact given up ended with %s", type(error).__name__)
