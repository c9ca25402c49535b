"""Free visit slots: read from evidence, filtered and ordered by what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from agents.pipeline.when import PART_HOURS, When
from voiceops.core.facts import Evidence

OFFERS = 3
"""As many as can be kept in mind by ear."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A free slot."""

    slot_id: int
    project: str
    starts_at: datetime
    """In the caller's time zone."""


def offer_of(item: Evidence, now: datetime) -> Offer | None:
    values = item.values
    if "slot_id" not in values or not isinstance(values.get("starts_at"), datetime):
        return None
    starts_at = values["starts_at"].astimezone(now.tzinfo)
    if starts_at <= now:
        return None
    return Offer(int(values["slot_id"]), str(values.get("project", item.title)), starts_at)


def fitting(free: Sequence[Offer], when: When) -> list[Offer]:
    """Offers of the day and part asked for; those nearest to the time first."""
    kept = [offer for offer in free if when.day is None or offer.starts_at.date() == when.day]
    if when.part:
        first, last = PART_HOURS[when.part]
        kept = [offer for offer in kept if first <= offer.starts_at.hour < last]
    return nearest(kept, when)


def nearest(free: Sequence[Offer], when: When) -> list[Offer]:
    """Up to three nearest to the time that was asked for, in order of time."""
    if when.day is None and when.at is None:
        return list(free)

    def distance(offer: Offer) -> tuple[int, int]:
        days = abs((offer.starts_at.date() - when.day).days) if when.day else 0
        minutes = offer.starts_at.hour * 60 + offer.starts_at.minute
        return days, abs(minutes - (when.at.hour * 60 + when.at.minute)) if when.at else minutes

    return sorted(sorted(free, key=distance)[:OFFERS], key=lambda offer: offer.starts_at)
