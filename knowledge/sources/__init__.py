"""Knowledge sources by name. Each is `build(SourcePorts) -> KnowledgeSource` in a file of its own."""

from __future__ import annotations

from dataclasses import dataclass

from voiceops.core.ports import Embedder
from voiceops.core.registry import Registry
from voiceops.postgres import Pool

SOURCES = Registry(
    "knowledge source",
    {
        "listings": "knowledge.sources.listings:build",
        "documents": "knowledge.sources.documents:build",
        "policies": "knowledge.sources.policies:build",
    },
)


@dataclass(frozen=True, slots=True)
class SourcePorts:
    """What a source may use."""

    pool: Pool
    embedder: Embedder
