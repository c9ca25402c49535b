"""The last good answers of this process, for when a source does not answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import replace

from voiceops.core.clock import Clock
from voiceops.core.facts import Envelope, Query

TTL_S = 600.0
"""An older answer is worse than an honest sentence."""
ENTRIES = 1024


class LastGood:
    """Envelopes with status `ok`, by source and by what was asked, of the same customer only."""

    def __init__(self, clock: Clock, *, ttl_s: float = TTL_S, entries: int = ENTRIES) -> None:
        self._clock = clock
        self._ttl_s = ttl_s
        self._entries = entries
        self._kept: OrderedDict[Hashable, tuple[float, Envelope]] = OrderedDict()

    def keep(self, query: Query, envelope: Envelope) -> None:
        key = _key(query, envelope.source)
        self._kept[key] = (self._clock.now_ms(), envelope)
        self._kept.move_to_end(key)
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)

    def forget(self, query: Query, source: str) -> None:
        self._kept.pop(_key(query, source), None)

    def instead_of(self, query: Query, failed: Envelope) -> Envelope | None:
        """The last good answer as `stale`, its age and the failure named; None when there is none."""
        key = _key(query, failed.source)
        at_ms, envelope = self._kept.get(key, (0.0, None))
        if envelope is None:
            return None
        age_s = (self._clock.now_ms() - at_ms) / 1000
        if age_s > self._ttl_s:
            del self._kept[key]
            return None
        return replace(
            envelope,
            status="stale",
            age_s=age_s,
            latency_ms=failed.latency_ms,
            detail=f"{failed.status}: {failed.detail}"[:200],
            evidence=tuple(replace(item, age_s=item.age_s + age_s) for item in envelope.evidence),
        )


def _key(query: Query, source: str) -> Hashable:
    slots = tuple(sorted((k, str(v).casefold()) for k, v in query.slots.items() if v is not None))
    day = query.now.date().isoformat() if query.now else ""
    text = " ".join(query.text.casefold().split())
    return source, text, query.language, slots, query.customer_id, query.limit, day
