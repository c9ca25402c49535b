"""Ten scripted calls as they went, event by event, in files a person can read.

A changed sequence shows as a difference of text. To accept it: VOICEOPS_SNAPSHOTS=write pytest …
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.ports import FakeStt, stt_error
from tests.pipeline.conftest import Desk
from voiceops.core.events import CallEvent, WireDtmf

FOLDER = Path(__file__).parent / "snapshots"
PRICE = "The 3BHK at Lakeview Residency in Whitefield is priced at ₹1.2 crore."
QUESTION = "What is the price of a 3BHK in Whitefield?"
SHOWN = {
    "call.answered": ("channel",),
    "call.ended": ("reason", "outcome"),
    "speech.started": (),
    "speech.stopped": (),
    "transcript.final": ("text",),
    "endpoint": ("reason", "model"),
    "turn.started": ("purpose",),
    "turn.closed": ("interrupted", "said", "void"),
    "agent.speaking": ("text", "purpose"),
    "agent.silent": (),
    "barge_in": ("heard_text",),
    "backchannel": ("text",),
    "resumed": ("text",),
    "dtmf": ("digit",),
    "error": ("stage", "code"),
    "escalation": ("code",),
}
"""Kinds that tell who had the floor, and what is shown of each. Speculation and timings are left
out: they may change without anything changing for the caller."""


def line(event: CallEvent) -> str:
    shown = [
        f"{key}={event.data[key]!r}" for key in SHOWN[event.kind] if event.data.get(key) not in (None, "")
    ]
    turn = "" if event.turn is None else f"turn {event.turn}"
    return f"{event.kind:<17} {turn:<7} {' '.join(shown)}".rstrip()


async def question_and_answer(desk: Desk) -> None:
    await desk.say(QUESTION)


async def _over_the_answer(desk: Desk, words: str, speech_ms: float, turns: int) -> None:
    desk.stt.texts = [QUESTION, words]
    await desk.mic.speak(1200)
    await desk.until(lambda: desk.spoken()[-1] == PRICE)
    await asyncio.sleep(1.2)
    await desk.mic.speak(speech_ms)
    await desk.until(lambda: len(desk.turns()) == turns)


async def barge_in(desk: Desk) -> None:
    await _over_the_answer(desk, "and the two bedroom?", 900, 3)


async def cough(desk: Desk) -> None:
    await _over_the_answer(desk, "", 200, 2)


async def murmur(desk: Desk) -> None:
    await _over_the_answer(desk, "mhm", 300, 2)


async def goes_on_before_the_answer(desk: Desk) -> None:
    desk.retriever.delay_ms = 700
    desk.stt.texts = ["I want to know the price in Whitefield", "of the two bedroom please"]
    await desk.mic.speak(1200)
    await asyncio.sleep(0.6)
    await desk.mic.speak(1000)
    await desk.until(lambda: len(desk.turns()) == 2)


async def books_with_the_keypad(desk: Desk) -> None:
    for text in ("I want to visit Lakeview Residency tomorrow at 11", "yes", "Asha Rao"):
        await desk.type(text)
    for key in "9880012345":
        desk.inbound.put(WireDtmf(key))
        await asyncio.sleep(0.2)
    await desk.until(lambda: len(desk.turns()) == 5)


async def presses_zero(desk: Desk) -> None:
    desk.inbound.put(WireDtmf("0"))
    await desk.until(lambda: len(desk.turns()) == 2)


async def says_nothing(desk: Desk) -> None:
    await desk.until(lambda: desk.line.hung_up)


async def noise_only(desk: Desk) -> None:
    desk.stt.texts = [""]
    await desk.mic.speak(150)
    await asyncio.sleep(4)


async def recogniser_fails(desk: Desk) -> None:
    desk.stt.error = stt_error()
    await desk.mic.speak(1500)
    await desk.until(lambda: len(desk.turns()) == 2)


CALLS: tuple[Callable[[Desk], Awaitable[None]], ...] = (
    question_and_answer, barge_in, cough, murmur, goes_on_before_the_answer, books_with_the_keypad,
    presses_zero, says_nothing, noise_only, recogniser_fails,
)  # fmt: skip


@pytest.mark.parametrize("script", CALLS, ids=lambda script: script.__name__)
async def test_a_scripted_call_goes_as_it_went(desk: Desk, script: Callable[[Desk], Awaitable[None]]) -> None:
    desk.llm.reply = PRICE
    desk.plan = replace(desk.plan, agent=replace(desk.plan.agent, speculation=False))
    if script is recogniser_fails:
        desk.spare_stt = FakeStt(texts=[QUESTION], name="spare")
    async with desk.on_call():
        await script(desk)
    went = "\n".join(line(event) for event in desk.events if event.kind in SHOWN) + "\n"
    file = FOLDER / f"{script.__name__}.txt"
    if os.environ.get("VOICEOPS_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        file.write_text(went, encoding="utf-8")
    assert went == file.read_text(encoding="utf-8")
