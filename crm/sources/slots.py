"""Free times at which a project can be visited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from crm.sources.words import day, time_of_day, zone_of
from voiceops.core.budget import Deadline
from voiceops.core.facts import Envelope, Evidence, Query
from voiceops.postgres import Pool, Row, bounded

NEAR = 0.5
"""Score of a slot that is offered instead of the wanted day or time."""
SAME_TIME = timedelta(minutes=30)

_FREE = """
SELECT s.id, s.project_slug, s.project_name, s.starts_at
FROM crm_visitslot s
WHERE s.starts_at > %(now)s
  AND (%(project_slug)s::text IS NULL OR s.project_slug = %(project_slug)s)
  AND (%(project)s::text IS NULL OR lower(s.project_name) = lower(%(project)s))
  AND NOT EXISTS (SELECT 1 FROM crm_sitevisit v WHERE v.slot_id = s.id AND v.status = 'booked')
"""
_ORDERS = {
    "moment": "ORDER BY abs(extract(epoch FROM s.starts_at - %(moment)s)), s.starts_at, s.id",
    "day": "ORDER BY s.starts_at < %(day_start)s, s.starts_at, s.id",
    "time": (
        "ORDER BY abs(extract(epoch FROM (s.starts_at AT TIME ZONE %(zone)s)::time - %(time)s::time))"
        " >= 1800, s.starts_at, s.id"
    ),
    "soonest": "ORDER BY s.starts_at, s.id",
}
_WINDOW = " AND (s.starts_at AT TIME ZONE %(zone)s)::time BETWEEN %(time_from)s AND %(time_to)s "


@dataclass(frozen=True, slots=True)
class Wish:
    """When the caller wants to come, in the caller's zone."""

    on: date | None
    at: time | None
    earliest: time | None
    latest: time | None


class FreeSlots:
    name = "slots"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def search(self, query: Query, *, deadline: Deadline) -> Envelope:
        """Free future slots, nearest to the wish first.

        Reads the slots `project_slug` or `project`, `date` (date or ISO), `time` (time or
        HH:MM), `time_from` and `time_to`. A slot on the wanted day and time has score 1;
        what is offered instead has 0.5.
        """
        now = query.now or datetime.now(UTC)
        zone = zone_of(query.now)
        try:
            wish = read_wish(query)
        except ValueError as error:
            return Envelope(self.name, "error", detail=f"not a date or time: {error}")
        sql, order = _FREE, "soonest"
        values: dict[str, Any] = {
            "now": now,
            "zone": str(zone),
            "project_slug": query.slots.get("project_slug") or None,
            "project": None if query.slots.get("project_slug") else query.slots.get("project") or None,
            "limit": query.limit,
        }
        if wish.earliest or wish.latest:
            sql += _WINDOW
            values |= {"time_from": wish.earliest or time.min, "time_to": wish.latest or time.max}
        if wish.on and wish.at:
            order = "moment"
            values["moment"] = datetime.combine(wish.on, wish.at, zone)
        elif wish.on:
            order = "day"
            values["day_start"] = datetime.combine(wish.on, time.min, zone)
        elif wish.at:
            order = "time"
            values["time"] = wish.at
        async with bounded(self._pool, deadline) as cursor:
            await cursor.execute(f"{sql} {_ORDERS[order]} LIMIT %(limit)s", values)
            rows = await cursor.fetchall()
        if not rows:
            return Envelope(self.name, "empty", detail="no free slot")
        evidence = tuple(self._evidence(row, query, wish) for row in rows)
        exact = any(item.score == 1.0 for item in evidence)
        return Envelope(self.name, "ok", evidence, detail="" if exact else "not at the wanted time")

    def _evidence(self, row: Row, query: Query, wish: Wish) -> Evidence:
        at: datetime = row["starts_at"].astimezone(zone_of(query.now))
        hindi = query.language == "hi"
        when, hour = day(at, query.language), time_of_day(at, query.language)
        project = row["project_name"]
        return Evidence(
            source=self.name,
            chunk=f"slot:{row['id']}",
            version=at.isoformat(timespec="minutes"),
            title=f"{project}, {day(at, 'en')}, {time_of_day(at, 'en')}",
            text=(
                f"{project} देखने के लिए {when} को {hour} का समय खाली है।"
                if hindi
                else f"A visit to {project} is free on {when} at {hour}."
            ),
            values={
                "slot_id": row["id"],
                "project_slug": row["project_slug"],
                "project": project,
                "starts_at": at,
            },
            score=1.0 if fits(at, wish) else NEAR,
            language="hi" if hindi else "en",
        )


def fits(at: datetime, wish: Wish) -> bool:
    """Whether a slot is on the wanted day and within half an hour of the wanted time."""
    if wish.on and at.date() != wish.on:
        return False
    if wish.at:
        wanted = datetime.combine(at.date(), wish.at, at.tzinfo)
        return abs(at - wanted) < SAME_TIME
    return True


def read_wish(query: Query) -> Wish:
    """Raises: ValueError on a slot that is no date or time."""
    slots = query.slots
    wanted_day = slots.get("date")
    if isinstance(wanted_day, str) and wanted_day:
        wanted_day = date.fromisoformat(wanted_day[:10])
    if isinstance(wanted_day, datetime):
        wanted_day = wanted_day.date()
    return Wish(
        wanted_day or None,
        _time(slots.get("time")),
        _time(slots.get("time_from")),
        _time(slots.get("time_to")),
    )


def _time(value: Any) -> time | None:
    if isinstance(value, str) and value:
        return time.fromisoformat(value)
    if isinstance(value, datetime):
        return value.timetz().replace(tzinfo=None)
    return value if isinstance(value, time) else None
