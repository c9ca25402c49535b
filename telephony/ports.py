"""What the edge is given by the composition root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from voiceops.core.events import WireEvent
from voiceops.core.plan import CallOffer
from voiceops.core.ports import Listener, Outbound
from voiceops.core.streams import DropOldest


class Answer(Protocol):
    async def __call__(
        self,
        offer: CallOffer,
        inbound: DropOldest[WireEvent],
        outbound: Outbound,
        listeners: Sequence[Listener],
    ) -> None:
        """Run the whole call; return when it is over. `inbound` starts with `WireStarted`.

        Raises: AtCapacity before any work was done; TransportError when the offer cannot be
        answered (`agent_unknown`).
        """


class AgentKnown(Protocol):
    def __call__(self, slug: str) -> bool:
        """Whether an agent of that name answers calls; the empty slug is the default agent."""


class CallLog(Protocol):
    """Where the beginning and the end of a call are noted. Must not block or raise."""

    def started(self, offer: CallOffer) -> None: ...

    def ended(self, offer: CallOffer, *, dropped_frames: int, refusals: Mapping[str, int]) -> None: ...
