"""Embeddings from an inference server: async for calls, sync for workers and commands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

import grpc

from voiceops.core.budget import Deadline
from voiceops.core.errors import AtCapacity, SourceError
from voiceops.core.ports import Capabilities, Priority
from voiceops.inference import wire
from voiceops.inference.client import (
    CHANNEL_OPTIONS,
    InferenceClient,
    embed_request,
    raise_from,
    vectors_of,
)

ENGINE = "e5"
DIMENSIONS = 384
BATCH = 64
"""Texts a request of `embed_sync`, so that a reindex lets live queries in between."""
WARM_TIMEOUT_MS = 10_000


class RemoteEmbedder:
    """`voiceops.core.ports.Embedder` over gRPC."""

    def __init__(self, target: str) -> None:
        self._client = InferenceClient(target)
        self.capabilities = Capabilities(
            name=ENGINE, engine="multilingual-e5-small", languages=frozenset({"en", "hi"})
        )

    async def embed(
        self,
        texts: Sequence[str],
        *,
        kind: Literal["query", "passage"],
        deadline: Deadline,
        priority: Priority = "final",
    ) -> list[list[float]]:
        """Unit-length vectors, shape (len(texts), 384).

        Raises: SourceError with code timeout, unavailable, at_capacity, invalid, failed, bad_output.
        """
        if not texts:
            return []
        try:
            return await self._client.embed(
                texts, engine=ENGINE, kind=kind, priority=priority, deadline=deadline
            )
        except AtCapacity as error:
            raise SourceError(str(error), code="at_capacity") from error

    async def warm(self) -> None:
        deadline = Deadline.after_ms(WARM_TIMEOUT_MS)
        await self.embed(["ready"], kind="query", deadline=deadline)
        health = await self._client.health(deadline=deadline)
        self.capabilities = replace(self.capabilities, engine=health["engines"][ENGINE]["engine"])

    async def aclose(self) -> None:
        await self._client.aclose()


def embed_sync(
    texts: Sequence[str],
    *,
    kind: Literal["query", "passage"],
    target: str,
    timeout_s: float = 60.0,
    priority: Priority = "background",
) -> list[list[float]]:
    """The same vectors for code without an event loop; `timeout_s` bounds each batch of 64.

    Waits for a server that is still starting. Raises: SourceError.
    """
    rows: list[list[float]] = []
    call = _channel(target, os.getpid()).unary_unary(
        wire.path("Embed"), request_serializer=wire.pack, response_deserializer=wire.unpack
    )
    for start in range(0, len(texts), BATCH):
        batch = texts[start : start + BATCH]
        request = embed_request(batch, engine=ENGINE, kind=kind, priority=priority)
        try:
            answer = call(request, timeout=timeout_s, wait_for_ready=True)
        except grpc.RpcError as error:
            try:
                raise_from(error, SourceError, target)
            except AtCapacity as full:
                raise SourceError(str(full), code="at_capacity") from error
        rows.extend(vectors_of(answer, len(batch), target))
    return rows


@lru_cache(maxsize=8)
def _channel(target: str, pid: int) -> grpc.Channel:
    """One channel a process: a channel does not survive a fork."""
    return grpc.insecure_channel(target, options=CHANNEL_OPTIONS)
