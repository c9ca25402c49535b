"""Published articles, searched by meaning."""

from __future__ import annotations

from knowledge.sources import SourcePorts
from knowledge.sources.passages import Passages


def build(ports: SourcePorts) -> Passages:
    return Passages("documents", "article", ports.pool, ports.embedder)
