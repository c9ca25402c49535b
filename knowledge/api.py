"""What the composition root uses of this app."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.retrieval.orchestrator import Orchestrator
from knowledge.selectors import places, vocabulary
from knowledge.services import seed_demo
from knowledge.sources import SOURCES, SourcePorts
from voiceops.core.errors import ConfigurationError
from voiceops.core.ports import Embedder, KnowledgeSource
from voiceops.postgres import Pool

__all__ = ["SOURCES", "Orchestrator", "build_retriever", "places", "seed_demo", "vocabulary"]


def build_retriever(
    pool: Pool, embedder: Embedder, extra_sources: Mapping[str, KnowledgeSource]
) -> Orchestrator:
    """A `Retriever` over this app's registered sources and `extra_sources` of other apps."""
    ports = SourcePorts(pool, embedder)
    own: dict[str, KnowledgeSource] = {name: SOURCES.load(name)(ports) for name in SOURCES}
    if twice := own.keys() & extra_sources.keys():
        raise ConfigurationError(f"two knowledge sources are named {', '.join(sorted(twice))}")
    return Orchestrator({**own, **extra_sources})
