"""Ear and turn-taking on a whole call: who is heard, when the turn ends, what is measured."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.fakes.ports import FakeStt, stt_error, voice
from tests.pipeline.conftest import Desk, plan
from voiceops.core.budget import TurnBudget
from voiceops.core.events import WireAudio, WireStarted

PRICE = "The 3BHK at Lakeview Residency in Whitefield is priced at ₹1.2 crore."
QUESTION = "What is the price of a 3BHK in Whitefield?"


async def test_latency_is_from_the_last_word_to_the_first_answer_frame(desk: Desk) -> None:
    """A latency measured from the endpoint decision would hide half a second of waiting."""
    desk.llm.reply = PRICE
    async with desk.on_call():
        frames = len(desk.line.frames)
        turn = await desk.say(QUESTION)
        heard = desk.line.frames[frames][0] - desk.mic.stopped_speaking_ms
    assert abs(turn["latency_ms"] - heard) < 60
    assert turn["latency_ms"] > 250
    endpointing = next(span for span in turn["spans"] if span["name"] == "endpointing")
    assert 250 <= endpointing["duration_ms"] <= 350


async def test_the_final_decode_starts_before_the_end_is_certain(desk: Desk) -> None:
    """A decode that waits for the endpoint is heard as silence by the caller."""
    async with desk.on_call():
        turn = await desk.say(QUESTION)
    assert 90 + 120 <= turn["stt_ms"] < 90 + 120 + 60
    assert desk.stt.finals == 1


async def test_a_pause_inside_a_sentence_does_not_end_the_turn(desk: Desk) -> None:
    """A caller who breathes would be cut off; the early decode is thrown away instead."""
    desk.stt.texts = ["What is the price of a 3BHK in Whitefield?"]
    desk.llm.reply = PRICE
    async with desk.on_call():
        await desk.mic.speak(900)
        await asyncio.sleep(0.24)
        await desk.mic.speak(900)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == QUESTION
    assert desk.stt.opened == 1 and desk.stt.finals == 2


async def test_partials_are_shown_while_the_caller_speaks_and_never_queue(desk: Desk) -> None:
    """A slow recogniser would fall behind the caller more with every word."""
    desk.stt.partial_ms = 1700
    async with desk.on_call():
        desk.stt.texts = ["tell me about the flats you have in Whitefield please"]
        await desk.mic.speak(5000)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.stt.most_running == 1
    assert 2 <= desk.stt.partials <= 3
    assert desk.last["partials"]


async def test_the_first_syllable_is_not_lost(desk: Desk) -> None:
    """Without pre-roll "two bedroom" would arrive as "bedroom"."""
    async with desk.on_call():
        await desk.say(QUESTION, speech_ms=1000)
    assert desk.stt.pushed_ms[0] >= 1000 + 200


async def test_noise_without_words_is_no_turn(desk: Desk) -> None:
    """The agent would otherwise answer a slamming door."""
    async with desk.on_call():
        desk.stt.texts = [""]
        await desk.mic.speak(150)
        await asyncio.sleep(4)
        assert len(desk.turns()) == 1
        turn = await desk.type(QUESTION)
    assert turn["index"] == 1


async def test_real_speech_without_words_gets_an_answer(desk: Desk) -> None:
    """A caller who was not understood must not wait in silence."""
    async with desk.on_call():
        desk.stt.texts = [""]
        await desk.mic.speak(1500)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["said"] == "I'm sorry, I didn't catch that. Could you say it again?"
    assert desk.last["heard"] == ""


async def test_a_monologue_is_cut_at_thirty_seconds(desk: Desk) -> None:
    """The recogniser takes no more than 30 s; the rest would be lost silently."""
    async with desk.on_call():
        desk.stt.texts = ["a very long story", QUESTION]
        await desk.mic.speak(34_000)
        await desk.until(lambda: len(desk.turns()) >= 2)
    assert max(desk.stt.pushed_ms) <= 30_400
    assert desk.stt.opened == 2


async def test_second_recogniser_takes_over_with_all_the_audio(desk: Desk) -> None:
    """One broken engine would make every caller deaf ears."""
    desk.spare_stt = FakeStt(texts=[QUESTION], name="spare")
    desk.stt.error = stt_error()
    desk.llm.reply = PRICE
    async with desk.on_call():
        await desk.mic.speak(1500)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == QUESTION
    assert "stt_failover" in desk.codes()
    assert desk.spare_stt.pushed_ms[0] >= 1500


async def test_no_recogniser_left_asks_to_type(desk: Desk) -> None:
    desk.stt.error = stt_error()
    async with desk.on_call():
        await desk.mic.speak(1500)
        await desk.until(lambda: len(desk.turns()) == 2)
        assert "trouble hearing you" in desk.last["said"]
        desk.llm.reply = PRICE
        turn = await desk.type(QUESTION)
    assert turn["said"] == PRICE


async def test_a_dead_vad_does_not_make_the_agent_deaf(desk: Desk) -> None:
    """Loudness stands in, and the trace says so."""
    desk.vad.hangs = True
    desk.llm.reply = PRICE
    async with desk.on_call():
        await desk.say(QUESTION)
    assert desk.last["heard"] == QUESTION
    assert any(event.data.get("code") == "vad_down" for event in desk.heard_events("degrade"))
    assert desk.summary is not None and desk.summary.is_degraded


async def test_phone_audio_at_8_khz_is_heard_and_answered_at_8_khz(desk: Desk) -> None:
    """A phone line that is not resampled sounds like a chipmunk and understands nothing."""
    desk.line.sample_rate_hz = 8000
    desk.llm.reply = PRICE
    desk.stt.texts = [QUESTION]
    async with desk.on_call():
        desk.inbound.put(WireStarted("s1", sample_rate_hz=8000))
        await desk.mic.stop()
        pcm = voice(1500, 8000) + bytes(8000 * 2)
        for start in range(0, len(pcm), 320):
            desk.inbound.put(WireAudio(pcm[start : start + 320]))
            await asyncio.sleep(0.02)
        await desk.until(lambda: len(desk.turns()) == 2)
        desk.mic.start()
    assert desk.last["said"] == PRICE
    assert {len(pcm) for _, pcm in desk.line.frames} == {320}
    assert 1500 + 200 <= desk.stt.pushed_ms[0] <= 2200


async def test_barge_in_stops_the_agent_and_keeps_only_what_was_heard(desk: Desk) -> None:
    """An agent that talks on, or believes it said what nobody heard, answers the wrong question."""
    desk.llm.reply = PRICE
    async with desk.on_call():
        desk.stt.texts = [QUESTION, "and the two bedroom?"]
        await desk.mic.speak(1200)
        await desk.until(lambda: desk.spoken()[-1] == PRICE)
        await asyncio.sleep(1.5)
        began = desk.line.now_ms()
        speaking = asyncio.create_task(desk.mic.speak(900))
        await desk.until(lambda: desk.line.cleared)
        stopped = desk.line.cleared[0] - began
        await speaking
        await desk.until(lambda: len(desk.turns()) == 3)
    interrupted, after = desk.turns()[1], desk.turns()[2]
    assert 60 <= stopped <= 150
    assert interrupted["interrupted"] and interrupted["planned"] == PRICE
    assert PRICE.startswith(interrupted["said"]) and 2 <= len(interrupted["said"].split()) < 9
    late = [at for at, _ in desk.line.frames if began + stopped < at < began + 900]
    assert not late, "the agent talked over the caller"
    assert after["heard"] == "and the two bedroom?" and "₹85 lakh" in after["said"]


async def test_the_agents_own_echo_is_no_barge_in(desk: Desk) -> None:
    """On a speakerphone the agent would interrupt itself after every word."""
    desk.llm.reply = PRICE
    desk.vad.probability = _echo_probability  # type: ignore[method-assign]
    async with desk.on_call():
        desk.stt.texts = [QUESTION]
        await desk.mic.speak(1200)
        await desk.until(lambda: desk.spoken()[-1] == PRICE)
        await desk.mic.speak(1500, level=250)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert not desk.line.cleared and desk.last["said"] == PRICE


async def _echo_probability(pcm: bytes) -> float:
    import numpy as np

    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
    return 0.9 if float(np.sqrt(np.mean(samples**2))) > 50 else 0.02


async def test_going_on_before_the_answer_is_one_question(desk: Desk) -> None:
    """ "I want the price … of the two bedroom": half a question would get half an answer."""
    desk.retriever.delay_ms = 700
    async with desk.on_call():
        desk.stt.texts = ["I want to know the price in Whitefield", "of the two bedroom please"]
        await desk.mic.speak(1200)
        await asyncio.sleep(0.9)
        await desk.mic.speak(1000)
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.last["heard"] == "I want to know the price in Whitefield of the two bedroom please"
    assert "₹85 lakh" in desk.last["said"]
    assert [turn["index"] for turn in desk.turns()] == [0, 1]


async def test_a_muted_microphone_ends_the_sentence(desk: Desk) -> None:
    """Browsers send nothing while muted: the question would wait for silence that never comes."""
    desk.stt.texts = ["What is the price of the 2BHK in Whitefield?"]
    async with desk.on_call():
        await desk.mic.speak(1200)
        await desk.mic.stop()
        await desk.until(lambda: len(desk.turns()) == 2)
        desk.mic.start()
    assert "₹85 lakh" in desk.last["said"]


async def test_typing_interrupts_the_agent(desk: Desk) -> None:
    async with desk.on_call(greeted=False):
        await desk.until(lambda: desk.line.frames)
        await asyncio.sleep(0.5)
        await desk.type("What is the price of the 2BHK in Whitefield?")
        await desk.until(lambda: len(desk.turns()) == 2)
    assert desk.turns()[0]["interrupted"]
    assert "₹85 lakh" in desk.last["said"]


async def test_long_silence_is_asked_about_and_then_ends_the_call(desk: Desk) -> None:
    """A line left open costs money and blocks an agent; hanging up without a word is rude."""
    async with desk.on_call():
        await desk.until(lambda: desk.line.hung_up, timeout_s=60)
    assert "Are you still there?" in desk.spoken()
    assert desk.line.hung_up == "caller_silent"
    assert desk.summary is not None and desk.summary.outcome == "abandoned"


async def test_somebody_who_types_may_take_time_to_read(desk: Desk) -> None:
    """Without a microphone no sound arrives: that is reading, not an abandoned line."""
    async with desk.on_call(microphone=False):
        await desk.until(lambda: desk.turns())
        await asyncio.sleep(60)
        assert "Are you still there?" not in desk.spoken()
        await desk.type("What is the price of the 2BHK in Whitefield?")
        await desk.until(lambda: desk.line.hung_up, timeout_s=600)
    assert "₹85 lakh" in desk.turns()[1]["said"]
    assert desk.line.hung_up == "caller_silent"


async def test_speaking_again_keeps_the_call(desk: Desk) -> None:
    async with desk.on_call():
        await desk.until(lambda: "Are you still there?" in desk.spoken())
        await desk.until(lambda: len(desk.turns()) == 2)
        await desk.say("What is the price of the 2BHK in Whitefield?")
        await asyncio.sleep(9)
        assert not desk.line.hung_up
    assert "₹85 lakh" in desk.last["said"]


async def test_goodbye_hangs_up_after_the_last_word(desk: Desk) -> None:
    async with desk.on_call():
        turn = await desk.type("Goodbye")
        await desk.until(lambda: desk.line.hung_up)
    assert turn["said"].endswith("Goodbye!")
    assert desk.line.hung_up == "goodbye"


async def test_dropped_frames_are_counted(desk: Desk) -> None:
    async with desk.on_call():
        desk.inbound.dropped += 3
    assert desk.summary is not None and desk.summary.dropped_frames == 3
    assert desk.trace.of("call.ended")[0]["dropped_frames"] == 3


async def test_a_broken_socket_ends_only_this_call(desk: Desk) -> None:
    """One cut line must not raise into the process that carries the others."""
    desk.line.broken = ConnectionResetError("gone")
    async with desk.on_call(greeted=False):
        await asyncio.sleep(1)
    assert desk.summary is not None and desk.summary.outcome == "failed"
    assert desk.trace.of("call.ended")[0]["ended_reason"] == "failed"


async def test_greeting_in_the_callers_language(desk: Desk) -> None:
    from tests.pipeline.conftest import ASHA

    desk.plan = plan(customer=replace(ASHA, language="hi"))
    async with desk.on_call():
        pass
    assert desk.turns()[0]["said"].startswith("नमस्ते")
    assert desk.turns()[0]["latency_ms"] is None


async def test_filler_time_is_no_latency(desk: Desk) -> None:
    """A filler counted as the answer would make every slow answer look fast."""
    desk.llm.reply = PRICE
    desk.llm.first_ms = 2500
    patient = TurnBudget(llm_ms=4000, llm_timeout_ms=4000, total_ms=6000)
    desk.plan = plan(agent=replace(desk.plan.agent, budget=patient))
    async with desk.on_call():
        turn = await desk.say(QUESTION)
    assert turn["filler"] and turn["filler_ms"] > 300
    assert turn["latency_ms"] > 2700
    assert turn["said"] == PRICE
