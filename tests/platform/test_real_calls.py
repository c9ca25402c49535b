"""Whole calls on real models through a running platform: what the first user does."""

from __future__ import annotations

import asyncio
import json
import re
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.console.conftest import CHROMIUM_ARGS, chromium_path
from tests.platform.running import Run
from voiceops.core.budget import Deadline
from voiceops.inference.client import InferenceClient

pytestmark = [pytest.mark.platform, pytest.mark.models, pytest.mark.timeout(600)]

QUESTION = "What is the price of a three bedroom flat in Whitefield?"
TELEMETRY = {
    "session_id", "latency_ms", "stt_ms", "retrieval_ms", "llm_ms", "tts_ms", "language", "intent",
    "crm_sync",
}  # fmt: skip
SPOKEN_PRICE = re.compile(r"(1\.2|one|1)\W*(crore|core|kror|krore|cr)", re.IGNORECASE)
"""₹1.2 crore as Whisper writes what it hears."""
ANSWER_MS = 60_000
REPLIES = (
    (r"your name", "Ravi Kumar"),
    (r"phone|number", "98765 43210"),
    (r"shall i", "yes"),
    (r"which", "the first one"),
)
"""What the caller answers to each question of the booking."""
QUESTION_OR_DONE = re.compile("|".join(["is booked", *(asked for asked, _ in REPLIES)]), re.IGNORECASE)


def address(run: Run, name: str) -> str:
    lines = (run.data / "run" / "runtime.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)[name]


def site(run: Run) -> str:
    return f"http://127.0.0.1:{run.port}"


@pytest.fixture(scope="session")
def api(platform: Run) -> Iterator[httpx.Client]:
    """The REST interface, as a developer with a token sees it."""
    token = platform.manage("create_api_token", "demo").strip()
    with httpx.Client(base_url=site(platform), headers={"Authorization": f"Token {token}"}) as client:
        yield client


def transcribed(run: Run, pcm: np.ndarray, rate_hz: int) -> str:
    """What Whisper understands of int16 mono audio."""
    heard = np.clip(soxr.resample(pcm.astype(np.float32), rate_hz, 16_000), -32768, 32767)

    async def ask() -> str:
        client = InferenceClient(address(run, "VOICEOPS_SPEECH_TARGET"))
        try:
            answer = await client.transcribe(
                heard.astype("<i2").tobytes(),
                engine="whisper",
                language="en",
                hints=("Whitefield", "Lakeview Residency", "crore", "lakh"),
                deadline=Deadline.after_ms(60_000),
            )
        finally:
            await client.aclose()
        return str(answer.text)

    return asyncio.run(ask())


def eventually(check: Any, what: str, timeout_s: float = 60) -> Any:
    deadline = time.monotonic() + timeout_s
    while not (found := check()):
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.5)
    return found


def test_a_caller_asks_for_a_price_and_hears_it(platform: Run, api: httpx.Client, tmp_path: Path) -> None:
    saved = tmp_path / "answer.wav"
    report = json.loads(
        platform.manage("place_test_call", "--text", QUESTION, "--json", "--save", str(saved))
    )
    turn = next(turn for turn in report["turns"] if turn["intent"] == "price_enquiry")
    assert turn.keys() >= TELEMETRY
    assert "₹1.2 crore" in turn["said"] and "Whitefield" in turn["said"]
    assert turn["citations"][0]["chunk"] == "listing:lakeview-residency-3bhk"
    assert turn["latency_ms"] > 0 and turn["language"] == "English" and turn["crm_sync"] == "none"
    with wave.open(str(saved)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        heard = transcribed(platform, pcm[-file.getframerate() * 14 :], file.getframerate())
    assert SPOKEN_PRICE.search(heard), heard

    stored = api.get(f"/api/v1/calls/{report['session_id']}/").json()
    kept = next(turn for turn in stored["turns"] if turn["intent"] == "price_enquiry")
    assert kept["telemetry"].keys() == TELEMETRY
    assert {span["name"] for span in kept["spans"]} >= {"endpointing", "stt", "intent", "retrieval", "tts"}
    assert any(row["chunk"] == "listing:lakeview-residency-3bhk" for row in kept["retrievals"])
    audio = api.get(f"/api/v1/calls/{report['session_id']}/audio/")
    assert audio.headers["content-type"] == "audio/wav"
    (tmp_path / "call.wav").write_bytes(audio.content)
    with wave.open(str(tmp_path / "call.wav")) as file:
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        rate_hz = file.getframerate()
    assert "price" in transcribed(platform, both[:, 0], rate_hz).lower()
    assert SPOKEN_PRICE.search(transcribed(platform, both[-rate_hz * 14 :, 1], rate_hz))


def sign_in(page: Page, run: Run) -> None:
    page.goto(f"{site(run)}/login/?next=/call/")
    page.get_by_label("User name").fill("demo")
    page.get_by_label("Password").fill("demo-voiceops")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/call/")


@pytest.fixture(scope="module")
def microphone(platform: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthesised caller: the greeting's time in silence, the question, a long silence."""

    async def speak() -> np.ndarray:
        client = InferenceClient(address(platform, "VOICEOPS_PIPER_TARGET"))
        try:
            chunks = [
                (chunk.pcm, chunk.sample_rate_hz)
                async for chunk in client.synthesize(
                    QUESTION, engine="piper", language="en", deadline=Deadline.after_ms(60_000)
                )
            ]
        finally:
            await client.aclose()
        pcm = np.frombuffer(b"".join(pcm for pcm, _ in chunks), "<i2").astype(np.float32)
        return np.asarray(soxr.resample(pcm, chunks[0][1], 48_000))

    said = asyncio.run(speak())
    quiet = np.zeros(48_000 * 12, np.float32)
    whole = np.clip(np.concatenate([quiet, said, np.tile(quiet, 5)]), -32768, 32767).astype("<i2")
    file = tmp_path_factory.mktemp("caller") / "caller.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(whole.tobytes())
    return file


@pytest.fixture(scope="module")
def chromium(microphone: Path) -> Iterator[Browser]:
    executable = chromium_path()
    if executable is None:
        pytest.skip("Chromium is not installed: apt-get install chromium, or name one in VOICEOPS_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[*CHROMIUM_ARGS, f"--use-file-for-fake-audio-capture={microphone}"],
        )
        yield browser
        browser.close()


@pytest.mark.browser
def test_a_person_speaks_into_the_page_and_reads_the_trace(platform: Run, chromium: Browser) -> None:
    page = chromium.new_page()
    sign_in(page, platform)
    page.get_by_role("button", name="Call", exact=True).click()
    expect(page.locator("#state")).to_have_text("In call", timeout=ANSWER_MS)
    expect(page.locator(".bubble.caller").last).to_contain_text("Whitefield", timeout=ANSWER_MS)
    expect(page.locator(".bubble.agent").last).to_contain_text("₹1.2 crore", timeout=ANSWER_MS)
    expect(page.locator("#intent")).to_contain_text("Price enquiry")
    page.get_by_role("button", name="Hang up").click()
    page.locator("[data-trace-link]").click()
    page.wait_for_url("**/calls/*/")
    expect(page.get_by_text("₹1.2 crore").first).to_be_visible(timeout=ANSWER_MS)
    page.close()


@pytest.mark.browser
def test_a_person_types_a_booking_and_the_crm_gets_it_once(
    platform: Run, chromium: Browser, api: httpx.Client
) -> None:
    crm = address(platform, "VOICEOPS_CRM_URL")
    httpx.post(f"{crm}/faults", json={"mode": "down"}).raise_for_status()
    page = chromium.new_page()
    # Without a microphone the call goes on in writing.
    page.add_init_script(
        'navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("no", "NotFoundError"));'
    )
    try:
        sign_in(page, platform)
        page.get_by_role("button", name="Call", exact=True).click()
        expect(page.locator(".bubble.agent").filter(has_text="Hello")).to_be_visible(timeout=ANSWER_MS)
        line = "I want to book a site visit at Lakeview Residency tomorrow"
        for _ in range(8):
            page.get_by_label("Type to the agent").fill(line)
            page.keyboard.press("Enter")
            item = page.locator("li.turn").filter(has=page.locator(".bubble.caller", has_text=line)).last
            answer = item.locator(".bubble.agent:not(.filler)")
            expect(answer).to_contain_text(QUESTION_OR_DONE, timeout=ANSWER_MS)
            said = answer.text_content() or ""
            if "is booked" in said:
                break
            replies = [reply for asked, reply in REPLIES if re.search(asked, said, re.IGNORECASE)]
            assert replies, f"the agent asked nothing that a booking asks: {said!r} to {line!r}"
            line = replies[0]
        assert "Lakeview Residency is booked for" in said
        page.get_by_role("button", name="Hang up").click()
        link = page.locator("[data-trace-link]").get_attribute("href") or ""
    finally:
        page.close()
    session_id = link.strip("/").split("/")[-1]

    def crm_states() -> set[str]:
        answer = api.get(f"/api/v1/calls/{session_id}/")
        return {turn["crm_sync"] for turn in answer.json()["turns"]} if answer.status_code == 200 else set()

    # The CRM is down: the call went on, and the promise waits.
    eventually(lambda: "queued" in crm_states(), "the booking waits for the CRM")
    httpx.post(f"{crm}/faults", json={"mode": "ok"}).raise_for_status()
    eventually(lambda: "success" in crm_states(), "the booking reached the CRM", timeout_s=120)
    stored = api.get(f"/api/v1/calls/{session_id}/").json()
    assert stored["outcome"] == "booked"
    (fact_id,) = [fact for turn in stored["turns"] for fact in turn["fact_ids"]]
    written = httpx.get(f"{crm}/api/activities", params={"key": fact_id}).json()
    assert len(written["activities"]) == 1
