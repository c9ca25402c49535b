"""Calling the agent from a browser: without this page a person without a phone hears nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.console import rows
from tests.e2e.console.agent import GREETING, LOUD, FakeAgent, Heard
from tests.e2e.console.conftest import OpenPage, Site, until

pytestmark = pytest.mark.browser

ANSWER = "A 3BHK in Whitefield is ₹1.2 crore."
NO_MICROPHONE = """
navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "%s"));
"""
LEVEL = "id => Number(getComputedStyle(document.getElementById(id)).getPropertyValue('--level') || 0)"


@pytest.fixture(autouse=True)
def _desk(site: Site) -> None:
    rows.desk()


def the_call(agent: FakeAgent, page: Page) -> Heard:
    until(lambda: agent.calls, page, "a call reached the platform")
    return agent.calls[-1]


def deny(page: Page, error: str) -> None:
    page.add_init_script(NO_MICROPHONE % error)
    page.reload()


def test_a_spoken_question_is_heard_shown_and_answered(site: Site, open_page: OpenPage) -> None:
    page = open_page("/call/")
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#state")).to_have_text("In call")
    expect(page.locator(".bubble.caller.growing:visible")).to_contain_text("What is")
    expect(page.locator(".bubble.caller:visible")).to_have_text("What is the price of a 3BHK in Whitefield?")
    expect(page.locator(".bubble.agent:visible")).to_have_text([GREETING, ANSWER])
    # The turn that was dropped because the caller went on left nothing behind.
    expect(page.locator(".bubble.caller:visible")).to_have_count(1)
    expect(page.locator("#intent")).to_contain_text("Price enquiry")
    expect(page.locator("#intent")).to_contain_text("0.92")
    expect(page.locator("#facts")).to_contain_text("listings")
    expect(page.locator("#decisions")).to_contain_text("piper spoke")
    expect(page.locator(".meter.s-llm .meter-value")).to_have_class("num meter-value over")
    expect(page.locator(".meter.s-total .meter-value")).to_contain_text("712")
    call = the_call(site.agent, page)
    # 20 ms of int16 at 16 kHz, and the microphone's own sound in it.
    assert call.frame_bytes == {640}
    assert call.peak > LOUD
    until(lambda: call.marks == ["greeting", "turn-2"], page, "both marks were answered in order")
    page.get_by_role("button", name="Hang up").click()
    expect(page.locator("#state")).to_have_text("Call ended")
    until(lambda: call.stopped == "hangup", page, "the platform heard the hang-up")
    link = page.locator("[data-trace-link]")
    expect(link).to_have_attribute("href", f"/calls/{call.offer.session_id}/")
    expect(page.locator(".bubble.agent:visible").last).to_have_text(ANSWER)


def test_the_wire_carries_the_callers_pitch_not_an_alias(site: Site, open_page: OpenPage) -> None:
    import numpy as np

    page = open_page("/call/")
    page.click("#dial")
    call = the_call(site.agent, page)
    until(lambda: len(call.audio) > 3 * 32_000, page, "three seconds of audio arrived")
    samples = np.frombuffer(bytes(call.audio[: 3 * 32_000]), dtype="<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    loudest_hz = np.fft.rfftfreq(len(samples), 1 / 16_000)[spectrum.argmax()]
    assert abs(loudest_hz - 300) < 15


def test_a_mark_is_answered_only_after_its_audio_was_played(site: Site, open_page: OpenPage) -> None:
    site.agent.answer_seconds = 2.0
    page = open_page("/call/")
    deny(page, "NotFoundError")
    page.click("#dial")
    call = the_call(site.agent, page)
    until(lambda: call.marks == ["greeting"], page, "the greeting was played")
    page.fill("#text", "price?")
    page.press("#text", "Enter")
    expect(page.locator(".bubble.agent:visible").last).to_have_text(ANSWER)
    page.wait_for_timeout(500)
    assert call.marks == ["greeting"]
    until(lambda: call.marks == ["greeting", "turn-1"], page, "the answer's mark")


def test_clear_stops_the_sound_at_once_and_drops_its_marks(site: Site, open_page: OpenPage) -> None:
    site.agent.answer_seconds = 8.0
    page = open_page("/call/")
    deny(page, "NotFoundError")
    page.click("#dial")
    call = the_call(site.agent, page)
    page.fill("#text", "long answer")
    page.press("#text", "Enter")
    until(lambda: page.evaluate(LEVEL, "level-agent") > 0.3, page, "the answer sounds")
    page.fill("#text", "interrupt yourself")
    page.press("#text", "Enter")
    until(lambda: page.evaluate(LEVEL, "level-agent") == 0, page, "silence", timeout_s=2)
    expect(page.locator(".bubble.agent.cut-off")).to_have_text("A 3BHK")
    page.wait_for_timeout(300)
    assert call.marks == ["greeting"]


@pytest.mark.parametrize(
    ("error", "told"),
    [("NotAllowedError", "blocked for this page"), ("NotFoundError", "No microphone was found")],
)
def test_without_a_microphone_the_reason_is_told_and_typing_works(
    site: Site, open_page: OpenPage, error: str, told: str
) -> None:
    page = open_page("/call/")
    deny(page, error)
    page.fill("#text", "What is the price?")
    page.press("#text", "Enter")
    expect(page.locator("#notices")).to_contain_text(told)
    expect(page.locator(".bubble.caller:visible")).to_have_text("What is the price?")
    expect(page.locator(".bubble.agent:visible").last).to_have_text(ANSWER)
    expect(page.locator("#mute")).to_be_disabled()
    call = the_call(site.agent, page)
    assert call.texts == ["What is the price?"]
    assert not call.audio


def test_mute_sends_silence_and_the_keyboard_does_everything(site: Site, open_page: OpenPage) -> None:
    page = open_page("/call/")
    page.locator("#dial").focus()
    page.keyboard.press("Enter")
    call = the_call(site.agent, page)
    until(lambda: call.peak > LOUD, page, "the microphone was heard")
    page.keyboard.press("m")
    expect(page.locator("#mute")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(300)
    call.audio.clear()
    until(lambda: len(call.audio) > 32_000, page, "frames go on while muted")
    assert call.peak == 0
    page.click("#keys")
    page.get_by_role("button", name="5", exact=True).click()
    until(lambda: call.digits == ["5"], page, "the digit")
    page.keyboard.press("Escape")
    expect(page.locator("#state")).to_have_text("Call ended")
    until(lambda: call.stopped == "hangup", page, "Esc hung up")


def test_leaving_the_page_ends_the_call(site: Site, open_page: OpenPage) -> None:
    page = open_page("/call/")
    page.click("#dial")
    expect(page.locator("#state")).to_have_text("In call")
    call = the_call(site.agent, page)
    page.goto("/calls/")
    until(lambda: call.stopped, page, "the platform noticed")


def test_the_agent_may_hang_up(site: Site, open_page: OpenPage) -> None:
    page = open_page("/call/")
    page.fill("#text", "hang up")
    page.press("#text", "Enter")
    expect(page.locator("#state")).to_have_text("Call ended")
    expect(page.get_by_role("button", name="Call again")).to_be_visible()


def test_a_full_platform_says_so(site: Site, open_page: OpenPage) -> None:
    site.agent.is_full = True
    page = open_page("/call/")
    page.click("#dial")
    expect(page.locator("#state")).to_have_text("All lines are busy")
    site.agent.is_full = False
    page.get_by_role("button", name="Call again").click()
    expect(page.locator("#state")).to_have_text("In call")


def test_a_cut_line_is_told_and_keeps_what_was_said(site: Site, open_page: OpenPage) -> None:
    page = open_page("/call/")
    lines: list[WebSocketRoute] = []

    def through(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket("**/telephony/browser/", through)
    page.fill("#text", "price?")
    page.press("#text", "Enter")
    expect(page.locator(".bubble.agent:visible").last).to_have_text(ANSWER)
    lines[0].close(code=3001)
    expect(page.locator("#state")).to_have_text("Connection lost")
    expect(page.locator(".bubble.agent:visible").last).to_have_text(ANSWER)
    expect(page.locator("[data-trace-link]")).to_be_visible()


def test_an_unreachable_platform_is_tried_again_then_told(site: Site, open_page: OpenPage) -> None:
    page = open_page("/call/")
    tries: list[WebSocketRoute] = []

    def refuse(line: WebSocketRoute) -> None:
        tries.append(line)
        line.close(code=3000)

    page.route_web_socket("**/telephony/browser/", refuse)
    page.click("#dial")
    expect(page.locator("#state")).to_have_text("Connecting again…")
    expect(page.locator("#state")).to_have_text("No connection")
    assert len(tries) == 3


RESAMPLED = """async ([from, to, hz]) => {
  const { Resampler } = await import('/static/console/js/worklets/resampler.js');
  const resampler = new Resampler(from, to);
  const out = [];
  for (let start = 0; start < from; start += 128) {
    const block = Float32Array.from({length: 128}, (_, i) => Math.sin(2 * Math.PI * hz * (start + i) / from));
    out.push(...resampler.push(block));
  }
  const steady = out.slice(400, -400);
  return [out.length, Math.sqrt(steady.reduce((sum, value) => sum + value * value, 0) / steady.length)];
}"""


def test_resampling_keeps_speech_and_lets_no_alias_in(site: Site, open_page: OpenPage) -> None:
    page = open_page("/login/", signed_in=False)
    for source_hz, target_hz, tone_hz, passes in (
        (48_000, 16_000, 1_000, True), (48_000, 16_000, 6_000, True), (48_000, 16_000, 9_000, False),
        (48_000, 16_000, 15_000, False), (44_100, 16_000, 1_000, True), (44_100, 16_000, 12_000, False),
        (16_000, 48_000, 3_000, True), (16_000, 44_100, 3_000, True), (96_000, 16_000, 20_000, False),
        (16_000, 16_000, 1_000, True),
    ):  # fmt: skip
        count, loudness = page.evaluate(RESAMPLED, [source_hz, target_hz, tone_hz])
        assert abs(count - target_hz) < target_hz * 0.02
        wanted = pytest.approx(0.7071, rel=0.02) if passes else pytest.approx(0, abs=0.001)
        assert loudness == wanted, (source_hz, target_hz, tone_hz)
