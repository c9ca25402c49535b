"""Flats as records: project, kind, price, area and how many are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from knowledge.sources import SourcePorts
from knowledge.sources.names import flat_types, named
from voiceops.core.budget import Deadline
from voiceops.core.facts import Envelope, Evidence, Query
from voiceops.core.rupees import grouped, in_words
from voiceops.postgres import Pool, Row, bounded

NEAR = 0.5
"""Score of a flat that is offered instead of what was asked."""

_PLACES = "SELECT slug, name, name_hi, locality, locality_hi FROM knowledge_project"
_FLATS = """
SELECT p.slug, p.name, p.name_hi, p.locality, p.locality_hi, p.city, p.possession,
       l.property_type, l.price_inr, l.area_sqft, l.units_available,
       greatest(l.updated_at, p.updated_at) AS updated_at
FROM knowledge_listing l JOIN knowledge_project p ON p.id = l.project_id
WHERE (%(projects)s::text[] IS NULL OR p.slug = ANY(%(projects)s))
  AND (%(types)s::text[] IS NULL OR upper(l.property_type) = ANY(%(types)s))
  AND (%(max_price_inr)s::bigint IS NULL OR l.price_inr <= %(max_price_inr)s)
ORDER BY coalesce(array_position(%(projects)s::text[], p.slug::text), 0), l.price_inr, p.slug
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller asked for. None: anything; an empty tuple: something we do not have."""

    projects: tuple[str, ...] | None
    types: tuple[str, ...] | None
    max_price_inr: int | None


class Listings:
    name = "listings"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def search(self, query: Query, *, deadline: Deadline) -> Envelope:
        """Flats that match exactly (score 1), else near ones (score 0.5), cheapest first.

        Reads the slots `project_slug`, `project`, `locality`, `property_type` and
        `max_price_inr`; what is missing is looked for in the query's text.
        """
        async with bounded(self._pool, deadline) as cursor:
            await cursor.execute(_PLACES)
            wanted = read_wanted(query, await cursor.fetchall())
            if wanted.projects == ():
                return Envelope(self.name, "empty", detail="no such project or locality")
            score = 1.0
            for attempt in nearer(wanted):
                await cursor.execute(
                    _FLATS,
                    {
                        "projects": _array(attempt.projects),
                        "types": _array(attempt.types),
                        "max_price_inr": attempt.max_price_inr,
                        "limit": query.limit,
                    },
                )
                rows = await cursor.fetchall()
                if rows:
                    break
                score = NEAR
        if not rows:
            return Envelope(self.name, "empty", detail="no flat matches")
        now = datetime.now(UTC)
        evidence = tuple(_evidence(row, query.language, score, now) for row in rows)
        return Envelope(self.name, "ok", evidence, detail="" if score == 1.0 else "no exact match")


def build(ports: SourcePorts) -> Listings:
    return Listings(ports.pool)


def read_wanted(query: Query, places: Sequence[Mapping[str, Any]]) -> Wanted:
    """What `query` asks for, given every project's names."""
    slots = query.slots
    asked_type = str(slots.get("property_type") or "")
    types = (flat_types(asked_type) or (asked_type.upper().replace(" ", ""),)) if asked_type else None
    projects = {p["slug"]: (p["name"], p["name_hi"]) for p in places}
    localities = {p["slug"]: (p["locality"], p["locality_hi"]) for p in places}
    found: tuple[str, ...] | None
    if slug := slots.get("project_slug"):
        found = (str(slug),) if slug in projects else ()
    elif project := slots.get("project"):
        found = named(str(project), projects)
    elif locality := slots.get("locality"):
        found = named(str(locality), localities)
    else:
        found = named(query.text, projects) or named(query.text, localities) or None
    limit = slots.get("max_price_inr")
    return Wanted(found, types or flat_types(query.text) or None, int(limit) if limit else None)


def nearer(wanted: Wanted) -> list[Wanted]:
    """The exact wish first, then what may be offered instead."""
    attempts = [wanted]
    if wanted.types is not None:
        attempts.append(Wanted(wanted.projects, None, wanted.max_price_inr))
    if wanted.projects is not None:
        attempts.append(Wanted(None, wanted.types, wanted.max_price_inr))
    if wanted.max_price_inr is not None:
        attempts.append(Wanted(wanted.projects, wanted.types, None))
    return attempts


def _array(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _evidence(row: Row, language: str, score: float, now: datetime) -> Evidence:
    updated_at: datetime = row["updated_at"]
    return Evidence(
        source="listings",
        chunk=f"listing:{row['slug']}-{row['property_type'].lower()}",
        version=updated_at.isoformat(timespec="seconds"),
        title=f"{row['property_type']}, {row['name']}",
        text=_text(row, language),
        values={
            "project_slug": row["slug"],
            "project": row["name"],
            "project_hi": row["name_hi"],
            "locality": row["locality"],
            "locality_hi": row["locality_hi"],
            "city": row["city"],
            "property_type": row["property_type"],
            "price_inr": row["price_inr"],
            "area_sqft": row["area_sqft"],
            "units_available": row["units_available"],
            "possession": row["possession"],
        },
        score=score,
        age_s=max(0.0, (now - updated_at).total_seconds()),
        language="hi" if language == "hi" else "en",
    )


def _text(row: Row, language: str) -> str:
    price, area, units = (
        in_words(row["price_inr"], language),
        grouped(row["area_sqft"]),
        row["units_available"],
    )
    kind = row["property_type"]
    if language == "hi":
        name, locality = row["name_hi"] or row["name"], row["locality_hi"] or row["locality"]
        left = f"{units} फ़्लैट उपलब्ध हैं" if units else "अभी कोई फ़्लैट उपलब्ध नहीं है"
        return f"{locality} के {name} में {kind} की कीमत {price} है। क्षेत्रफल {area} वर्ग फ़ुट है और {left}।"
    left = "none is left" if not units else f"{units} {'flat is' if units == 1 else 'flats are'} available"
    possession = f" Possession: {row['possession']}." if row["possession"] else ""
    return (
        f"The {kind} in {row['name']}, {row['locality']} costs {price}. "
        f"It has {area} square feet and {left}.{possession}"
    )
