"""What was quoted to this customer, booked with them and talked about before."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo

from crm.sources.words import day, past_day, time_of_day, zone_of
from voiceops.core.budget import Deadline
from voiceops.core.facts import Envelope, Evidence, Query
from voiceops.core.rupees import in_words
from voiceops.postgres import Pool, Row, bounded

_QUOTES = """
SELECT id, project_slug, project_name, property_type, price_inr, emi_inr, tenure_months,
       annual_rate_percent, quoted_at
FROM crm_quote WHERE customer_id = %(customer_id)s
ORDER BY coalesce((quoted_at AT TIME ZONE %(zone)s)::date = %(day)s::date, false) DESC,
         coalesce(project_slug = %(project_slug)s, false) DESC,
         coalesce(upper(property_type) = upper(%(property_type)s), false) DESC,
         quoted_at DESC
LIMIT %(limit)s
"""
_VISITS = """
SELECT v.id, s.project_slug, s.project_name, s.starts_at, v.created_at
FROM crm_sitevisit v JOIN crm_visitslot s ON s.id = v.slot_id
WHERE v.customer_id = %(customer_id)s AND v.status = 'booked'
ORDER BY s.starts_at < now(), s.starts_at LIMIT %(limit)s
"""
_TALKS = """
SELECT id, kind, at, summary, summary_hi FROM crm_interaction
WHERE customer_id = %(customer_id)s ORDER BY at DESC LIMIT %(limit)s
"""


class History:
    name = "history"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def search(self, query: Query, *, deadline: Deadline) -> Envelope:
        """Quotes, then booked visits, then interactions; newest first, `query.limit` in all.

        Reads the slots `date`, `project_slug` and `property_type` to put the quote that is
        meant first. `denied` unless the customer is identified.
        """
        if query.customer_id is None:
            return Envelope(self.name, "denied", detail="the caller is not identified")
        zone = zone_of(query.now)
        now = query.now or datetime.now(UTC).astimezone(zone)
        wanted = query.slots.get("date")
        values = {
            "customer_id": query.customer_id,
            "zone": str(zone),
            "day": wanted.isoformat()[:10] if isinstance(wanted, date) else wanted or None,
            "project_slug": query.slots.get("project_slug") or None,
            "property_type": query.slots.get("property_type") or None,
            "limit": query.limit,
        }
        async with bounded(self._pool, deadline) as cursor:
            await cursor.execute(_QUOTES, values)
            evidence = [_quote(row, query.language, now) for row in await cursor.fetchall()]
            await cursor.execute(_VISITS, values)
            evidence += [_visit(row, query.language, zone, now) for row in await cursor.fetchall()]
            await cursor.execute(_TALKS, values)
            evidence += [_talk(row, query.language, now) for row in await cursor.fetchall()]
        if not evidence:
            return Envelope(self.name, "empty", detail="nothing is recorded of this customer")
        return Envelope(self.name, "ok", tuple(evidence[: query.limit]))


def _quote(row: Row, language: str, now: datetime) -> Evidence:
    at: datetime = row["quoted_at"].astimezone(now.tzinfo)
    when, emi, price = (
        past_day(at, now, language),
        in_words(row["emi_inr"], language),
        in_words(row["price_inr"], language),
    )
    kind, project, rate = row["property_type"], row["project_name"], float(row["annual_rate_percent"])
    years = f"{row['tenure_months'] / 12:g}"
    if language == "hi":
        text = (
            f"{when} आपको {project} के {kind} के लिए {emi} प्रति माह की ईएमआई बताई गई थी: "
            f"कीमत {price}, {years} साल, {rate:g} प्रतिशत ब्याज।"
        )
    else:
        text = (
            f"You were quoted an EMI of {emi} a month {when} for the {kind} in {project}: "
            f"price {price}, {years} years at {rate:g} percent."
        )
    return Evidence(
        source="history",
        chunk=f"quote:{row['id']}",
        version=at.isoformat(timespec="seconds"),
        title=f"Quote, {kind} in {project}",
        text=text,
        values={
            "emi_inr": row["emi_inr"],
            "price_inr": row["price_inr"],
            "project": project,
            "project_slug": row["project_slug"],
            "property_type": kind,
            "tenure_months": row["tenure_months"],
            "annual_rate_percent": rate,
            "quoted_at": at,
        },
        age_s=max(0.0, (now - at).total_seconds()),
        language="hi" if language == "hi" else "en",
    )


def _visit(row: Row, language: str, zone: tzinfo, now: datetime) -> Evidence:
    at: datetime = row["starts_at"].astimezone(zone)
    when, hour, project = day(at, language), time_of_day(at, language), row["project_name"]
    if language == "hi":
        text = f"{project} देखने का आपका समय {when} को {hour} का है।"
    else:
        text = f"Your visit to {project} is booked for {when} at {hour}."
    return Evidence(
        source="history",
        chunk=f"visit:{row['id']}",
        version=row["created_at"].isoformat(timespec="seconds"),
        title=f"Visit to {project}",
        text=text,
        values={
            "visit_id": row["id"],
            "project": project,
            "project_slug": row["project_slug"],
            "starts_at": at,
        },
        age_s=max(0.0, (now - row["created_at"]).total_seconds()),
        language="hi" if language == "hi" else "en",
    )


def _talk(row: Row, language: str, now: datetime) -> Evidence:
    at: datetime = row["at"].astimezone(now.tzinfo)
    hindi = language == "hi" and bool(row["summary_hi"])
    return Evidence(
        source="history",
        chunk=f"interaction:{row['id']}",
        version=at.isoformat(timespec="seconds"),
        title=f"{row['kind']}, {at.day} {at:%B}",
        text=row["summary_hi"] if hindi else row["summary"],
        values={"kind": row["kind"], "at": at},
        age_s=max(0.0, (now - at).total_seconds()),
        language="hi" if hindi else "en",
    )
