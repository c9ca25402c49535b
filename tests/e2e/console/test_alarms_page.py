"""The page of alarms in a browser: hear the doubted words, decide, see what was decided."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from agents.api import record
from agents.models import Alarm
from tests.apps.agents_data import ended, started, turn
from tests.e2e.console import rows
from tests.e2e.console.conftest import OpenPage, Site

pytestmark = pytest.mark.browser
WHY = "It sounds like Hindi (0.96), but the recogniser was told English and wrote English words."
NOTE = "2.1 s, told English; decoded again in Hindi in vain (0.31 against 0.62 in English)"


def _reading(suspicion: str, *signs: dict[str, Any]) -> dict[str, Any]:
    told = {"before": "en", "after": "en", "doubt": 0.0, "mixed": False}
    return {"signs": list(signs), **told, "suspicion": suspicion}


def _stt(start_ms: float, end_ms: float) -> list[dict[str, Any]]:
    told = {"speech_started_ms": start_ms, "speech_ended_ms": end_ms}
    return [{"name": "stt", "start_ms": end_ms, "duration_ms": 90.0, "budget_ms": 150.0, "attributes": told}]


@pytest.fixture
def alarms(site: Site, settings: Any, tmp_path: Path) -> None:
    settings.VOICEOPS = {**settings.VOICEOPS, "RECORDINGS_DIR": tmp_path}
    rows.desk()
    now = timezone.now().replace(microsecond=0)
    name = rows.write_recording("odd.wav", 20, [("caller", 3, 2.1), ("agent", 6, 3), ("caller", 11, 1.6)])
    sound = {"source": "acoustic", "language": "hi", "strength": 0.96, "detail": NOTE}
    words = {"source": "words", "language": "en", "strength": 0.9, "detail": "what is the of"}
    record("call.started", started("odd", started_at=now.isoformat()))
    record("turn", turn("odd", 1, language_reading=_reading(WHY, sound, words), spans=_stt(3000, 5100),
                        heard="What is the price of the flat key mat"))  # fmt: skip
    missed = _reading("2 turns in a row were not understood in English.")
    record("turn", turn("odd", 2, language_reading=missed, spans=_stt(11_000, 12_600), heard=""))
    over = (now + timedelta(seconds=20)).isoformat()
    record("call.ended", ended("odd", ended_at=over, recording=name, recording_ms=20_000))
    record("call.started", started("typed", started_at=now.isoformat(), customer_name="", pii_caller=""))
    record("turn", turn("typed", 1, language_reading=missed, spans=[], heard="zxcv qwerty"))


def _look(page: Page, name: str) -> None:
    """A picture for whoever wants one: VOICEOPS_SCREENSHOTS names the folder."""
    if folder := os.environ.get("VOICEOPS_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_an_operator_hears_and_decides(alarms: None, open_page: OpenPage, width: int, scheme: str) -> None:
    page = open_page("/", width=width, scheme=scheme)
    page.get_by_role("link", name="turns may be in the wrong language").click()
    expect(page.get_by_role("article")).to_have_count(3)
    card = page.get_by_role("article").filter(has_text="key mat")
    expect(card).to_contain_text(WHY)
    expect(card).to_contain_text("decoded again in Hindi in vain")
    seconds = card.locator("audio").evaluate(
        "async (a) => { if (!a.duration) await new Promise((ok) => a.addEventListener('loadedmetadata', ok));"
        " return a.duration; }"
    )  # fmt: skip
    assert seconds == pytest.approx(2.7, abs=0.01), "the words and 0.3 s on either side"
    expect(page.get_by_role("article").filter(has_text="zxcv").locator("audio")).to_have_count(0)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"the page scrolls sideways by {overflow} px"
    _look(page, f"alarms-{width}")
    card.get_by_role("button", name="Hindi").click()
    expect(card.get_by_role("status")).to_contain_text("The call was wrong: it was Hindi, not English.")
    expect(card).to_contain_text("operator")
    other = page.get_by_role("article").filter(has_text="zxcv")
    other.get_by_role("button", name="I'll look at it").click()
    expect(other).to_contain_text("Acknowledged")
    _look(page, f"alarms-decided-{width}")
    page.reload()
    expect(page.get_by_role("article")).to_have_count(2)
    page.get_by_role("link", name="Decided").click()
    page.get_by_role("button", name="Decide again").click()
    expect(page.get_by_role("button", name="English")).to_be_visible()
    assert set(Alarm.objects.values_list("state", flat=True)) == {"open", "acknowledged"}
    page.get_by_role("link", name="See turn 1 of the call").click()
    expect(page.locator("#turn-1")).to_be_visible()
