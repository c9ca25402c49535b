"""One turn on the trace page and on the live page: what a newcomer could no longer understand."""

from __future__ import annotations

import re

import pytest
import redis
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.e2e.console import rows, told
from tests.e2e.console.conftest import OpenPage, Site
from tests.e2e.console.test_console_softphone import NO_MICROPHONE
from voiceops.console import live

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844, "has_touch": True}


@pytest.fixture(autouse=True)
def _desk(site: Site) -> None:
    rows.desk()


def fits(page: Page) -> None:
    """Nothing sticks out to the right of a phone."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter((e) => {
          const box = e.getBoundingClientRect();
          const scrolls = e.closest('[role=tablist], pre, .wave, svg, .replay code');
          return box.width > 0 && box.right > 391 && !scrolls && !e.closest('.sr');
        }).map((e) => e.className || e.tagName)"""
    )
    assert wide == []


# Trace ---------------------------------------------------------------------------------------


def test_the_trace_tells_why_a_turn_was_fast(open_page: OpenPage) -> None:
    told.call()
    page = open_page(f"/calls/{told.SESSION}/#turn-1")
    panel = page.locator("#turn-panel")
    expect(panel.locator(".verdict.ok")).to_contain_text("inside its 900")
    expect(panel.locator(".spent-cell")).to_have_count(6)
    expect(panel.locator(".spent-cell.is-tts")).to_contain_text("done ahead")
    story = panel.locator(".story")
    expect(story).to_contain_text("The sentence was complete, waited 284")
    expect(story).to_contain_text("my budget is ₹12000000")
    expect(story).to_contain_text("Prepared the facts, the answer and the voice ahead: saved 376")
    expect(story.locator(".fact-chip").first).to_contain_text("₹1.2 crore")
    # What was guessed stands left of the moment the caller stopped, and is hatched.
    stopped = float((panel.locator("line.stopped").get_attribute("x1") or "").rstrip("%"))
    hit = panel.locator(".ahead-row.s-retrieval .guess.hit")
    assert float((hit.get_attribute("x") or "").rstrip("%")) < stopped
    assert "hatch-retrieval" in hit.evaluate("(e) => getComputedStyle(e).fill")
    panel.get_by_role("tab", name="Partials").click()
    expect(panel.locator(".growing li").nth(3).locator("strong")).to_have_text("my budget is")
    expect(panel.locator(".growing li").nth(3).locator(".soft")).to_have_text(" one crore twenty")
    panel.get_by_role("tab", name="Ahead").click()
    expect(panel.locator("#pane-ahead .entry")).to_have_count(5)
    expect(panel.locator("#pane-ahead")).to_contain_text("the place was not known yet")
    panel.get_by_role("tab", name="Context").click()
    expect(panel.locator("#pane-context")).to_contain_text("118 prompt tokens")
    expect(panel.locator("#pane-context")).to_contain_text("smollm2-135m-instruct")


def test_the_trace_tells_why_a_turn_was_late_and_what_is_doubted(open_page: OpenPage) -> None:
    told.call()
    page = open_page(f"/calls/{told.SESSION}/")
    panel = page.locator("#turn-panel")
    page.locator("#turn-2").click()
    expect(panel.locator(".verdict.bad")).to_contain_text("over their share: End of turn by 45")
    expect(panel.locator(".verdict.warn")).to_contain_text("built from the record")
    expect(panel.locator(".verdict.warn")).to_contain_text("1.3 s expected, 310 ms were left")
    expect(panel.locator(".spent-cell.is-llm")).to_contain_text("cheaper way")
    expect(panel.locator(".sign")).to_have_count(4)
    expect(panel.locator(".story")).to_contain_text("both languages in one sentence are no switch")
    expect(panel.locator(".suspicion")).to_contain_text("second time in a row")
    page.keyboard.press("j")
    expect(panel.locator(".story")).to_contain_text("Switched from English to Hindi")
    expect(panel.locator(".story")).to_contain_text("dictating")
    panel.get_by_role("tab", name="Memory").click()
    expect(panel.locator(".memory li").first).to_contain_text("₹1.5 crore was ₹1.2 crore")
    expect(panel.locator(".memory li").nth(1)).to_contain_text("or Hebbal? The caller is asked.")


def test_a_turn_is_replayed_by_copying_its_command(open_page: OpenPage) -> None:
    told.call()
    page = open_page(f"/calls/{told.SESSION}/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"manage.py replay {told.SESSION} 1"


def test_how_to_read_a_turn_opens_from_the_keyboard_and_stays_open(open_page: OpenPage) -> None:
    told.call()
    page = open_page(f"/calls/{told.SESSION}/")
    page.locator("#how-to-read summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#how-to-read")).to_contain_text("A wrong guess is never spoken")
    page.locator("#turn-3").click()
    expect(page.locator("#turn-panel h2")).to_have_text("Turn 3")
    expect(page.locator("#how-to-read .how-body")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_of_a_turn_fits_a_phone(open_page: OpenPage, scheme: str) -> None:
    told.call()
    page = open_page(f"/calls/{told.SESSION}/", scheme=scheme, **PHONE)
    page.locator("#how-to-read summary").click()
    for turn in (1, 2, 3, 4):
        page.locator(f"#turn-{turn}").click()
        expect(page.locator("#turn-panel h2")).to_have_text(f"Turn {turn}")
        for tab in page.locator("#turn-panel [role=tab]").all():
            tab.click()
            fits(page)


def test_a_trace_on_its_way_is_waited_for(open_page: OpenPage) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as store:
        store.set(f"{live.STORING_KEY}just-now", 1, ex=60)
        page = open_page("/calls/just-now/")
        expect(page.get_by_text("This call is being stored")).to_be_visible()
        told.call("just-now")
        expect(page.locator("#turn-panel h2")).to_have_text("Turn 1")
        store.delete(f"{live.STORING_KEY}just-now")


# Live page -----------------------------------------------------------------------------------


def ask(page: Page, text: str) -> None:
    """Type it on a line that hears nothing, so that no other turn comes after it."""
    page.add_init_script(NO_MICROPHONE % "NotFoundError")
    page.reload()
    page.fill("#text", text)
    page.press("#text", "Enter")


def test_the_live_page_shows_firm_words_and_why_the_turn_ended(open_page: OpenPage) -> None:
    page = open_page("/call/")
    page.get_by_role("button", name="Call", exact=True).click()
    firm = page.wait_for_selector(".bubble.caller.growing .firm:has(+ .soft)")
    assert firm is not None
    expect(page.locator("#story")).to_contain_text("The sentence was complete, waited 284")
    expect(page.locator(".meter.is-endpoint")).to_contain_text("284")


def test_the_live_page_tells_language_memory_guesses_and_budget(open_page: OpenPage) -> None:
    page = open_page("/call/")
    ask(page, "tell everything")
    expect(page.locator(".bubble.agent:visible").last).to_contain_text("1.2 crore")
    story = page.locator("#story")
    expect(story).to_contain_text("both languages in one sentence are no switch")
    expect(story.locator(".sign")).to_have_count(4)
    expect(story).to_contain_text("May be misjudged")
    expect(story).to_contain_text("Whitefield or Hebbal?")
    expect(story).to_contain_text("₹1.5 crore")
    expect(story).to_contain_text("In digits")
    expect(story).to_contain_text("3 of 5 guesses used, saved 376")
    expect(story.locator(".guess-line")).to_have_count(5)
    # The turn's own lines: what the caller waited for, against its budget.
    expect(page.locator(".meter.is-retrieval .meter-value")).to_have_text(re.compile("^0"))
    expect(page.locator(".meter.is-llm .meter-value")).to_contain_text("60")
    expect(page.locator("#decisions")).to_contain_text("piper spoke")
    page.locator("#how-to-read summary").click()
    expect(page.locator("#how-to-read")).to_contain_text("Cheaper way")


def test_a_murmur_is_no_interruption(open_page: OpenPage) -> None:
    page = open_page("/call/")
    ask(page, "murmur along")
    expect(page.locator("#story")).to_contain_text("“hmm” not taken for an interruption")
    expect(page.locator("#story")).to_contain_text("taken up where it was heard last")
    expect(page.locator(".turn-strip").last).to_contain_text("went on")
    expect(page.locator(".bubble.cut-off")).to_have_count(0)
    expect(page.locator(".bubble.caller:visible")).to_have_count(1)


def test_the_live_page_fits_a_phone_while_it_tells_everything(open_page: OpenPage) -> None:
    page = open_page("/call/", **PHONE)
    ask(page, "tell everything")
    expect(page.locator("#story .guess-line")).to_have_count(5)
    page.locator("#how-to-read summary").click()
    fits(page)


# Home ----------------------------------------------------------------------------------------


def test_home_sums_up_guesses_overspending_and_cheaper_ways(open_page: OpenPage) -> None:
    told.call()
    page = open_page("/")
    today = page.locator(".quality")
    expect(today).to_contain_text("50\u202f% 4 of 8 guesses")
    expect(today).to_contain_text("1 of 3 answers late")
    expect(today.locator(".tile").nth(1)).to_contain_text("Language model")
    expect(today.locator(".tile").nth(2)).to_contain_text("25\u202f% 1 of 4 turns")
    today.get_by_role("link", name="Calls that ran degraded today").click()
    expect(page.locator("#results h2")).to_have_text("1 call")
    page.get_by_role("link", name=re.compile("Asha Rao")).click()
    expect(page.locator("#turn-panel h2")).to_have_text("Turn 1")


def test_home_fits_a_phone(open_page: OpenPage) -> None:
    told.call()
    fits(open_page("/", scheme="dark", **PHONE))
