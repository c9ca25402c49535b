"""A recogniser behind a server: what it sends along with each decode, and what it makes of the answer."""

from __future__ import annotations

from typing import Any

from agents.providers.stt.remote import RemoteRecogniser
from voiceops.core.audio import pcm_bytes
from voiceops.core.budget import Deadline
from voiceops.core.ports import Capabilities
from voiceops.inference.client import Heard


class Server:
    """Answers with scripted texts and keeps what it was asked."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked: list[dict[str, Any]] = []

    async def transcribe(self, pcm: bytes, **asked: Any) -> Heard:
        self.asked.append(asked)
        text = self.texts.pop(0)
        scores = {"en": 0.9, "hi": 0.1} if asked["identify"] else {}
        return Heard(text, "en", 0.9, 0.0, len(pcm) / 32, 5.0, scores)


def opened(server: Server, hints: tuple[str, ...] = ()) -> Any:
    provider = RemoteRecogniser("nowhere:1", engine="whisper", capabilities=Capabilities("x", "x"))
    provider._client = server  # type: ignore[assignment]
    return provider.open(language="en", hints=hints)


def soon() -> Deadline:
    return Deadline.after_ms(5000)


async def test_what_was_agreed_on_is_sent_with_the_next_decode() -> None:
    server = Server("I want a flat in", "I want a flat in Whitefield", "I want a flat in Whitefield now.")
    utterance = opened(server)
    utterance.push(bytes(pcm_bytes(900, 16_000)))
    first = await utterance.partial(deadline=soon())
    second = await utterance.partial(deadline=soon())
    final = await utterance.final(deadline=soon())
    assert [asked["prefix"] for asked in server.asked] == ["", "", "I want a flat in"]
    assert (first.stable, second.stable) == ("", "I want a flat in")
    assert final.text.startswith(second.stable) and final.stable == second.stable


async def test_a_server_that_changes_its_mind_does_not_take_words_back() -> None:
    server = Server("I want a flat in", "I want a flat in Whitefield", "You won a flat in Hebbal.")
    utterance = opened(server)
    for _ in range(2):
        await utterance.partial(deadline=soon())
    assert (await utterance.final(deadline=soon())).text == "I want a flat in Hebbal."


async def test_names_are_put_right_in_stable_words_too() -> None:
    server = Server(
        "flats in Sargepore please", "flats in Sargepore please now", "flats in Sarjapur please now"
    )
    utterance = opened(server, ("Sarjapur",))
    for _ in range(2):
        partial = await utterance.partial(deadline=soon())
    assert partial.stable == "flats in Sarjapur please"
    await utterance.final(deadline=soon())
    assert server.asked[-1]["prefix"] == "flats in Sarjapur please"


async def test_the_language_is_identified_before_somebody_waits_for_it() -> None:
    """Once there is a second of speech, at a partial: the final needs no time for it."""
    server = Server("a", "a b", "a b c")
    utterance = opened(server)
    utterance.push(bytes(pcm_bytes(500, 16_000)))
    assert (await utterance.partial(deadline=soon())).language_scores == {}
    utterance.push(bytes(pcm_bytes(700, 16_000)))
    await utterance.partial(deadline=soon())
    final = await utterance.final(deadline=soon())
    assert [asked["identify"] for asked in server.asked] == [False, True, False]
    assert final.language_scores == {"en": 0.9, "hi": 0.1}


async def test_after_forgetting_the_beginning_nothing_is_forced() -> None:
    """The words that stood there are no longer in the audio."""
    server = Server("I want a flat in", "I want a flat in Whitefield", "and so on")
    utterance = opened(server)
    for _ in range(2):
        await utterance.partial(deadline=soon())
    utterance.push(bytes(pcm_bytes(61_000, 16_000)))
    await utterance.final(deadline=soon())
    assert server.asked[-1]["prefix"] == ""
