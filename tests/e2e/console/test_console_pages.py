"""The operator's pages in a browser: what a person could no longer see, find or reach."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from agents.api import TELEMETRY_KEYS
from tests.e2e.console import rows
from tests.e2e.console.conftest import OpenPage, Site, until
from voiceops.console.live import DEMO_CALLS_KEY, LIVE_CALLS_KEY

pytestmark = pytest.mark.browser


@pytest.fixture
def store(site: Site) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(LIVE_CALLS_KEY, DEMO_CALLS_KEY)
        yield client
        client.delete(LIVE_CALLS_KEY, DEMO_CALLS_KEY)


# Signing in ----------------------------------------------------------------------------------


def test_a_visitor_signs_in_and_lands_where_they_wanted(site: Site, open_page: OpenPage) -> None:
    rows.desk()
    User.objects.create_user("asha", password="correct-horse")
    page = open_page("/calls/?outcome=booked", signed_in=False)
    expect(page).to_have_url(re.compile("/login/"))
    page.fill("#id_username", "asha")
    page.fill("#id_password", "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    page.fill("#id_password", "correct-horse")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/calls/\?outcome=booked"))
    page.get_by_role("button", name="Sign out asha").click()
    expect(page).to_have_url(re.compile("/login/"))


# Home ----------------------------------------------------------------------------------------


def test_an_empty_home_says_what_to_do(site: Site, store: redis.Redis, open_page: OpenPage) -> None:
    page = open_page("/")
    for words in ("No call is live", "Nothing waits", "No answer was measured today", "No call yet"):
        expect(page.get_by_text(words)).to_be_visible()
    page.get_by_role("link", name="Call the agent").last.click()
    expect(page.get_by_text("No agent answers calls yet")).to_be_visible()


def test_home_shows_numbers_and_what_waits(site: Site, store: redis.Redis, open_page: OpenPage) -> None:
    rows.desk()
    rows.history(7)
    rows.waiting()
    store.set(DEMO_CALLS_KEY, json.dumps({"made": 11, "total": 30, "running": True}))
    page = open_page("/")
    waits = page.locator(".waits")
    for line in (
        "caller waits for a call back",
        "CRM write failed",
        "CRM writes on the way",
        "call failed today",
    ):
        expect(waits).to_contain_text(line)
    expect(page.locator(".stages")).to_contain_text(re.compile(r"\d+ turns"))
    llm = page.locator(".stage-table tr.s-llm")
    expect(llm.locator(".over")).to_contain_text("1.48")
    expect(page.locator(".recent tbody tr")).to_have_count(7)
    expect(page.get_by_text("11 of 30")).to_be_visible()
    waits.get_by_role("link", name="failed today").click()
    expect(page.locator("#results tbody tr")).to_have_count(1)


def test_the_live_board_follows_calls(
    site: Site, store: redis.Redis, open_page: OpenPage, tell_live: Callable[..., None]
) -> None:
    entry = {"agent": "Property desk", "channel": "twilio", "caller": "+91…01", "turn": 2, "last": "Hello",
             "started_at": timezone.now().isoformat()}  # fmt: skip
    store.hset(LIVE_CALLS_KEY, "live-1", json.dumps(entry))
    store.hset(LIVE_CALLS_KEY, "broken", "not json")
    page = open_page("/")
    row = page.locator(".live-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("+91…01")
    tell_live("agent.speaking", "live-1", 3, text="A 3BHK is ₹1.2 crore.")
    expect(row).to_contain_text("A 3BHK is ₹1.2 crore.")
    expect(row).to_contain_text("turn 3")
    expect(row.get_by_role("link")).to_have_attribute("href", "/calls/live-1/")
    tell_live("call.answered", "live-2")
    expect(row).to_have_count(2)
    rows.desk()
    rows.history(1)
    tell_live("call.ended", "live-1")
    tell_live("call.ended", "live-2")
    expect(page.get_by_text("No call is live")).to_be_visible()
    # The board below learns of the finished call by itself.
    expect(page.locator(".recent tbody tr")).to_have_count(1)


# Calls ---------------------------------------------------------------------------------------


def test_filters_narrow_the_list_and_stand_in_the_address(site: Site, open_page: OpenPage) -> None:
    rows.desk()
    rows.history(30)
    page = open_page("/calls/")
    found = page.locator("#results h2")
    expect(found).to_have_text("30 calls")
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_text("26–30 of 30")).to_be_visible()
    page.get_by_label("Outcome").select_option("failed")
    expect(found).to_have_text("4 calls")
    expect(page).to_have_url(re.compile(r"/calls/\?outcome=failed$"))
    page.reload()
    expect(found).to_have_text("4 calls")
    expect(page.get_by_label("Outcome")).to_have_value("failed")
    page.keyboard.press("/")
    page.keyboard.type("no such words")
    expect(page.get_by_text("No call matches")).to_be_visible()
    page.get_by_role("link", name="Clear filters").click()
    expect(found).to_have_text("30 calls")
    page.fill("[name=latency]", "2000")
    page.keyboard.press("Tab")
    expect(found).to_have_text("4 calls")
    page.go_back()
    expect(found).to_have_text("30 calls")
    expect(page.locator(".filters")).to_be_visible()


def test_phone_numbers_are_masked(site: Site, open_page: OpenPage) -> None:
    rows.desk()
    rows.store([])
    page = open_page("/calls/")
    expect(page.locator("#results")).to_contain_text("+91••••••0001")
    assert "+919800000001" not in page.content()


# Trace ---------------------------------------------------------------------------------------


def test_a_turn_opens_seeks_and_tells_everything(site: Site, open_page: OpenPage) -> None:
    rows.desk()
    rows.recorded_call()
    page = open_page("/calls/trace-me/")
    expect(page.locator(".wave svg path")).to_have_count(4)
    expect(page.locator(".wave .mark-filler")).to_have_count(1)
    expect(page.locator(".wave .mark-barge")).to_have_count(1)
    panel = page.locator("#turn-panel")
    expect(panel).to_contain_text("Turn 1")
    page.get_by_role("link", name="EMI history").click()
    expect(panel).to_contain_text("Turn 2")
    expect(panel.locator(".verdict").first).to_contain_text("over their share: Language model by")
    expect(panel.locator(".nine dt")).to_have_text(list(TELEMETRY_KEYS))
    assert page.evaluate("document.getElementById('audio').currentTime") == pytest.approx(13.0, abs=2)
    panel.get_by_role("tab", name="Retrieval").focus()
    page.keyboard.press("ArrowRight")
    expect(panel).to_contain_text("which stands in no retrieved record")
    page.keyboard.press("End")
    expect(panel.locator("#pane-raw")).to_contain_text('"crm_sync": "none"')
    panel.get_by_role("tab", name="Context").click()
    expect(panel.locator("#pane-context")).to_contain_text("312 prompt tokens")
    expect(panel.locator("#pane-context")).to_contain_text("₹91,450")
    # The next turn keeps the chosen tab; its booking is one tab away.
    page.keyboard.press("j")
    expect(panel).to_contain_text("Turn 3")
    expect(panel.locator("#pane-context")).to_be_visible()
    panel.get_by_role("tab", name="Tools").click()
    expect(panel.locator("#pane-tools")).to_contain_text("reserve_slot")


def test_the_recording_plays_from_the_keyboard_and_the_transcript_follows(
    site: Site, open_page: OpenPage
) -> None:
    rows.desk()
    rows.recorded_call()
    page = open_page("/calls/trace-me/")
    page.wait_for_selector(".wave svg")
    until(lambda: page.evaluate("document.getElementById('audio').readyState"), page, "audio loaded")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_have_attribute("aria-label", "Pause")
    expect(page.locator(".script-turn.playing")).to_have_attribute("data-turn", "2")
    until(lambda: page.evaluate("document.getElementById('audio').currentTime") > 15.2, page, "it plays")
    page.keyboard.press("Space")
    expect(page.locator("#play")).to_have_attribute("aria-label", "Play")
    box = page.locator(".wave").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    assert page.evaluate("document.getElementById('audio').currentTime") == pytest.approx(21, abs=1)
    expect(page.locator("#at")).to_have_text(re.compile(r"0:2[01]"))


def test_a_typed_call_has_a_trace_without_sound(site: Site, open_page: OpenPage) -> None:
    rows.desk()
    rows.store([rows.turn(1, 900, rows.PRICE, rows.ANSWER, "price_enquiry", stt=0.0, partials=[])],
               session_id="typed", started={"channel": "browser"})  # fmt: skip
    page = open_page("/calls/typed/")
    expect(page.locator(".no-audio")).to_contain_text("not recorded")
    expect(page.locator("#turn-panel .fall-row")).not_to_have_count(0)
    page.get_by_role("tab", name="Partials").click()
    expect(page.locator("#pane-partials")).to_contain_text("typed")


def test_an_unknown_call_says_so(site: Site, open_page: OpenPage) -> None:
    page = open_page("/calls/nobody/")
    expect(page.get_by_text("There is no call nobody.")).to_be_visible()
    open_page.complaints.clear()  # type: ignore[attr-defined]  # The browser notes the 404 itself.


# Look and reach ------------------------------------------------------------------------------


def test_the_theme_is_kept_and_shortcuts_lead_everywhere(site: Site, open_page: OpenPage) -> None:
    rows.desk()
    page = open_page("/", scheme="light")
    light = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    page.keyboard.press("t")
    page.keyboard.press("g")
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("/calls/$"))
    dark = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    assert dark != light
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("address", ["/", "/call/", "/calls/", "/calls/trace-me/", "/login/"])
def test_every_page_fits_a_phone(site: Site, open_page: OpenPage, address: str) -> None:
    rows.desk()
    rows.recorded_call()
    rows.history(8)
    rows.waiting()
    page = open_page(address, width=390, height=844, signed_in=address != "/login/", has_touch=True)
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter((e) => {
          const box = e.getBoundingClientRect();
          const scrolls = e.closest('[role=tablist], pre, .wave, svg');
          return box.width > 0 && box.right > 391 && !scrolls && !e.closest('.sr');
        }).map((e) => e.className || e.tagName)"""
    )
    assert wide == []
    small = page.evaluate(
        """() => [...document.querySelectorAll('.btn, .nav a, .composer .input')].filter((e) => {
          const box = e.getBoundingClientRect();
          return box.width > 0 && box.height < 40;
        }).map((e) => e.textContent.trim())"""
    )
    assert small == []


def test_console_pages_forbid_foreign_and_inline_code(site: Site, open_page: OpenPage) -> None:
    page = open_page("/login/", signed_in=False)
    response = page.goto("/login/")
    assert response is not None
    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "unsafe" not in policy
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert loaded and all(name.startswith(site.url) for name in loaded)
