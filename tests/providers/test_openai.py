"""The call falls back by the code of an LlmError, so each failure must have the right one; and a
barge-in must stop the server's work."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from agents.providers.llm import REGISTRY
from agents.providers.llm.openai import OpenAiModel
from voiceops.core.budget import Deadline
from voiceops.core.errors import ConfigurationError, LlmError
from voiceops.core.ports import LlmDelta, LlmRequest

URL = "http://llm.test/v1"
REQUEST = LlmRequest(messages=[{"role": "user", "content": "price?"}], stop=("\n",))


def chunk(text: str | None = None, finish: str | None = None, **extra: Any) -> bytes:
    event = {"choices": [{"delta": {"content": text}, "finish_reason": finish}], **extra}
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


USAGE = (
    b'data: {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, '
    b'"prompt_tokens_details": {"cached_tokens": 8}}}\n\n'
)
DONE = b"data: [DONE]\n\n"


class Body(httpx.AsyncByteStream):
    """A response body that may stall, break off, and remembers that it was closed."""

    def __init__(self, *parts: bytes, then: Exception | str | None = None) -> None:
        self.parts = parts
        self.then = then
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
        if isinstance(self.then, Exception):
            raise self.then
        if self.then == "stall":
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed = True


def model(answer: Callable[[httpx.Request], httpx.Response] | Body) -> OpenAiModel:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=answer) if isinstance(answer, Body) else answer(request)

    return OpenAiModel(URL, model="small", api_key="key", transport=httpx.MockTransport(handle))


async def read(peer: OpenAiModel, deadline: Deadline | None = None) -> list[LlmDelta]:
    return [delta async for delta in peer.stream(REQUEST, deadline=deadline or Deadline.after_ms(15_000))]


async def test_words_then_usage() -> None:
    deltas = await read(
        model(
            Body(b": ping\n\n", chunk(None), chunk("1.2 "), chunk("crore"), chunk(None, "stop"), USAGE, DONE)
        )
    )
    assert "".join(delta.text for delta in deltas) == "1.2 crore"
    last = deltas[-1]
    assert (last.prompt_tokens, last.completion_tokens, last.cached_tokens) == (9, 2, 8)
    assert last.finish_reason == "stop"


async def test_bytes_may_be_cut_anywhere_and_hold_any_character() -> None:
    said = "₹1.2 करोड़ — really\u2028yes\x85!"
    raw = chunk(said) + chunk(None, "stop") + DONE
    deltas = await read(model(Body(*(raw[i : i + 1] for i in range(len(raw))))))
    assert "".join(delta.text for delta in deltas) == said


async def test_a_last_line_without_newline_counts() -> None:
    deltas = await read(model(Body(chunk("yes"), chunk(None, "stop").rstrip())))
    assert deltas[-1].finish_reason == "stop"


async def test_the_request_is_what_the_api_expects() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=chunk("yes", "stop") + DONE)

    await read(model(answer))
    body = json.loads(seen[0].content)
    assert seen[0].url == f"{URL}/chat/completions"
    assert seen[0].headers["authorization"] == "Bearer key"
    assert body == {
        "model": "small",
        "messages": [{"role": "user", "content": "price?"}],
        "max_tokens": 64,
        "temperature": 0.0,
        "seed": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "stop": ["\n"],
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (Body(b"data: {not json\n\n"), "bad_output"),
        (Body(b"data: [1]\n\n"), "bad_output"),
        (Body(b'data: {"choices": 7}\n\n'), "bad_output"),
        (Body(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "bad_output"),
        (Body(b"data: \xff\n\n"), "bad_output"),
        (Body(b"x" * 1_000_001), "bad_output"),
        (Body(chunk("half")), "bad_output"),
        (Body(chunk("half"), then=httpx.ReadError("reset")), "bad_output"),
        (Body(chunk("half"), then=httpx.RemoteProtocolError("cut")), "bad_output"),
        (Body(b'data: {"error": {"message": "out of memory"}}\n\n'), "failed"),
        (Body(chunk(None, "stop"), DONE), "empty"),
        (Body(DONE), "bad_output"),
        (Body(), "bad_output"),
    ],
)
async def test_a_bad_stream_is_an_error_and_is_closed(body: Body, code: str) -> None:
    with pytest.raises(LlmError) as caught:
        await read(model(body))
    assert caught.value.code == code
    assert body.closed


async def test_a_kept_connection_that_had_died_costs_no_answer() -> None:
    """The server closes idle connections; the first question after a pause must not fail for it."""
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        return httpx.Response(200, stream=Body(chunk("1.2 crore", "stop"), DONE))

    assert "".join(delta.text for delta in await read(model(answer))) == "1.2 crore"
    assert asked == 2


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        (400, "rejected", True),
        (401, "rejected", True),
        (404, "rejected", True),
        (429, "at_capacity", False),
        (500, "failed", False),
        (503, "at_capacity", False),
    ],
)
async def test_a_refusal_carries_the_servers_words(status: int, code: str, permanent: bool) -> None:
    with pytest.raises(LlmError, match="too long") as caught:
        await read(model(lambda request: httpx.Response(status, json={"error": {"message": "too long"}})))
    assert (caught.value.code, caught.value.permanent) == (code, permanent)


async def test_a_refusal_that_is_not_json_is_still_a_refusal() -> None:
    with pytest.raises(LlmError, match="<html>") as caught:
        await read(model(lambda request: httpx.Response(502, text="<html>bad gateway")))
    assert caught.value.code == "failed"


async def test_a_server_that_is_down_is_unavailable() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(LlmError) as caught:
        await read(model(refuse))
    assert (caught.value.code, caught.value.permanent) == ("unavailable", False)
    with pytest.raises(LlmError) as warming:
        await model(refuse).warm()
    assert warming.value.code == "unavailable"


async def test_every_read_is_bound_by_the_deadline() -> None:
    body = Body(chunk("half a sen"), then="stall")
    heard = []
    with pytest.raises(LlmError) as caught:
        async for delta in model(body).stream(REQUEST, deadline=Deadline.after_ms(100)):
            heard.append(delta.text)
    assert heard == ["half a sen"]
    assert caught.value.code == "timeout"
    assert body.closed


async def test_a_server_that_never_starts_to_answer_is_a_timeout() -> None:
    async def never(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    peer = OpenAiModel(URL, model="small", transport=httpx.MockTransport(never))
    with pytest.raises(LlmError) as caught:
        await read(peer, Deadline.after_ms(50))
    assert caught.value.code == "timeout"


async def test_a_past_deadline_costs_no_request() -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise AssertionError("the server was asked")

    with pytest.raises(LlmError) as caught:
        await read(model(fail), Deadline.after_ms(-1))
    assert caught.value.code == "timeout"


async def test_closing_the_stream_closes_the_response() -> None:
    body = Body(chunk("a"), then="stall")
    deltas = model(body).stream(REQUEST, deadline=Deadline.after_ms(15_000))
    await anext(deltas)
    await deltas.aclose()
    assert body.closed


async def test_cancelling_the_reader_closes_the_response() -> None:
    body = Body(chunk("a"), then="stall")
    first = asyncio.Event()

    async def listen() -> None:
        async for _ in model(body).stream(REQUEST, deadline=Deadline.after_ms(15_000)):
            first.set()

    task = asyncio.create_task(listen())
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert body.closed


@pytest.mark.parametrize(
    ("owner", "accepts", "sent"),
    [("vllm", True, 2), ("vllm", False, None), ("llamacpp", True, None), (None, True, None)],
)
async def test_priority_is_sent_only_where_it_is_understood(
    owner: str | None, accepts: bool, sent: int | None
) -> None:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/models"):
            return httpx.Response(200, json={"data": [{"id": "small", "owned_by": owner}]})
        bodies.append(json.loads(request.content))
        if "priority" in bodies[-1] and not accepts:
            return httpx.Response(400, json={"error": {"message": "priority scheduling is not enabled"}})
        return httpx.Response(200, content=chunk("yes", "stop") + DONE)

    peer = model(answer)
    await peer.warm()
    deltas = peer.stream(
        LlmRequest(messages=REQUEST.messages, priority="speculative"), deadline=Deadline.after_ms(15_000)
    )
    assert [delta.text async for delta in deltas] == ["yes"]
    assert bodies[-1].get("priority") == sent


async def test_warming_a_prefix_costs_one_token() -> None:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, content=chunk(None, "length") + DONE)

    prefix = [{"role": "system", "content": "You sell flats."}]
    await model(answer).warm_prefix(prefix)
    assert (bodies[0]["max_tokens"], bodies[0]["messages"]) == (1, prefix)


@pytest.mark.parametrize("settings", [{}, {"LLM_URL": "llm.test", "LLM_MODEL": "small"}])
def test_a_bad_setting_is_named(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="VOICEOPS_LLM_URL"):
        REGISTRY.load("openai")(settings)
