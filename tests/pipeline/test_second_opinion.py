"""A Hindi sentence that a recogniser was told to write in English is not answered as nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agents.pipeline.second_opinion import SecondOpinion
from tests.fakes.ports import FakeStt, FakeSttStream
from tests.pipeline.conftest import ASHA, Desk, plan
from voiceops.core.budget import Deadline
from voiceops.core.events import Transcript
from voiceops.core.ports import Capabilities

HINDI = "व्हाइटफील्ड में तीन बीएचके की कीमत क्या है?"
ENGLISH = "White filled me teen bitch kick he might go."


@dataclass
class Bilingual(FakeStt):
    """Writes what it is told: one text and confidence by language, and what it sounds like."""

    writes: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    sounds: Mapping[str, float] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    broken: str = ""

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        return Capabilities(self.name, "fake stt", languages=frozenset({"en", "hi"}))

    def open(self, *, language: str, hints: Any = ()) -> Any:
        self.opened += 1
        self.pushed_ms.append(0.0)
        return _Stream(self, self.writes[language][0], language, self.opened - 1)


@dataclass
class _Stream(FakeSttStream):
    owner: Bilingual

    async def final(self, *, deadline: Deadline) -> Transcript:
        self.owner.told.append(self.language)
        if self.language == self.owner.broken:
            raise OSError("the engine is gone")
        heard = await super().final(deadline=deadline)
        confidence = self.owner.writes[self.language][1]
        return replace(heard, confidence=confidence, audio_ms=1500, language_scores=self.owner.sounds)


def bilingual(sure: float = 0.4, **fields: Any) -> Bilingual:
    values: dict[str, Any] = {
        "writes": {"en": (ENGLISH, sure), "hi": (HINDI, 0.6)},
        "sounds": {"hi": 0.95, "en": 0.04},
    }
    return Bilingual(**(values | fields))


async def test_what_sounds_like_hindi_is_decoded_again_in_hindi(desk: Desk) -> None:
    """The first sentence of an English-speaking agent's call."""
    stt = desk.stt = bilingual()
    async with desk.on_call():
        turn = await desk.say("")
    assert stt.told[-2:] == ["en", "hi"] and turn["heard"] == HINDI
    assert turn["language"] == "hi" and "₹1.2 करोड़" in turn["said"]
    reading = turn["language_reading"]
    assert reading["after"] == "hi" and not reading["suspicion"]
    acoustic = next(sign for sign in reading["signs"] if sign["source"] == "acoustic")
    assert "decoded again in Hindi and kept that (0.60 against 0.40 in English)" in acoustic["detail"]


async def test_an_accent_costs_two_decodes_at_most_and_never_the_language(desk: Desk) -> None:
    """English as many Indians speak it sounds Hindi to a model; its words are sure."""
    desk.plan = plan(customer=ASHA)
    stt = desk.stt = bilingual(
        writes={"en": ("What is the price of a 3BHK in Whitefield?", 0.85), "hi": (HINDI, 0.5)}
    )
    async with desk.on_call():
        for _ in range(4):
            await desk.say("")
    turns = [turn for turn in desk.turns() if turn["heard"]]
    assert [turn["language"] for turn in turns] == ["en"] * 4
    assert stt.told.count("hi") == 2
    assert "in vain" in turns[0]["language_reading"]["signs"][0]["detail"]
    assert [bool(turn["language_reading"]["suspicion"]) for turn in turns] == [True, False, False, False]


async def test_a_second_decode_that_fails_leaves_the_first(desk: Desk) -> None:
    stt = desk.stt = bilingual(broken="hi", sure=0.8)
    stt.writes = {**stt.writes, "en": ("What is the price of a 3BHK in Whitefield?", 0.8)}
    async with desk.on_call():
        turn = await desk.say("")
    assert turn["heard"].startswith("What is the price") and turn["said"]
    assert "stt_failover" not in desk.codes(), "the recogniser itself is well"


async def test_what_sounds_as_it_should_is_decoded_once(desk: Desk) -> None:
    for sounds in ({"en": 0.9, "hi": 0.1}, {"hi": 0.6, "en": 0.4}, {"ta": 0.9, "hi": 0.05}, {}):
        opinion = SecondOpinion(("en", "hi"))
        first = Transcript("final", "hello there", "en", 0.9, 2000, 100, "fake", language_scores=sounds)
        assert opinion.wanted(first) == ""
    only_english = SecondOpinion(("en",))
    assert only_english.wanted(replace(first, language_scores={"hi": 1.0})) == ""
    short = replace(first, language_scores={"hi": 1.0}, audio_ms=500)
    assert SecondOpinion(("en", "hi")).wanted(short) == ""
