"""Each way an inference server can fail has one name; a call decides by it what to do next.

The servicer and the client are the real ones, joined by a real gRPC connection; only engines are
fakes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest

from agents.providers.stt.remote import RemoteRecogniser
from agents.providers.tts.remote import RemoteVoice
from tests.fakes import engines as fakes
from voiceops.core.budget import Deadline
from voiceops.core.errors import AtCapacity, ConfigurationError, SourceError, StageError, SttError, TtsError
from voiceops.core.ports import Capabilities
from voiceops.inference import wire
from voiceops.inference.client import InferenceClient
from voiceops.inference.embedder import RemoteEmbedder, embed_sync
from voiceops.inference.house import EngineHouse
from voiceops.inference.servicer import Servicer

ALL = ("echo", "endless", "broken", "e5")


def soon() -> Deadline:
    return Deadline.after_ms(15_000)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@asynccontextmanager
async def listening(handler: grpc.GenericRpcHandler, port: int = 0) -> AsyncIterator[str]:
    server = grpc.aio.server(options=wire.LIMITS)
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


@asynccontextmanager
async def server(
    *names: str, capacity: int = 64, port: int = 0, loaded: bool = True
) -> AsyncIterator[tuple[str, EngineHouse]]:
    house = EngineHouse(names or ALL, {}, registry=fakes.REGISTRY, capacity=capacity)
    if loaded:
        await house.load()
    try:
        async with listening(Servicer(house).handler(), port) as target:
            yield target, house
    finally:
        await asyncio.to_thread(house.close)


@asynccontextmanager
async def client(target: str) -> AsyncIterator[InferenceClient]:
    made = InferenceClient(target)
    try:
        yield made
    finally:
        await made.aclose()


@pytest.fixture(autouse=True)
def fresh_events() -> None:
    fakes.Endless.started.clear()
    fakes.Endless.stopped.clear()
    fakes.SlowToWarm.release.clear()


async def test_a_transcript_carries_words_lengths_and_confidence() -> None:
    async with server() as (target, _), client(target) as peer:
        heard = await peer.transcribe(
            b"\0\0" * 1600, engine="echo", language="en", hints=["Whitefield"], deadline=soon()
        )
    assert heard.text == "1600 samples Whitefield"
    assert (heard.audio_ms, heard.confidence, heard.no_speech) == (100.0, 0.5, 0.25)


async def test_vectors_come_back_in_order() -> None:
    async with server() as (target, _), client(target) as peer:
        rows = await peer.embed(["a", "bbb"], engine="echo", kind="query", deadline=soon())
    assert rows == [[1.0, 1.0], [3.0, 1.0]]


async def test_speech_arrives_piece_by_piece() -> None:
    async with server() as (target, _), client(target) as peer:
        chunks = [c async for c in peer.synthesize("one two", engine="echo", language="en", deadline=soon())]
    assert [len(chunk.pcm) for chunk in chunks] == [6, 6]
    assert {chunk.sample_rate_hz for chunk in chunks} == {8000}


@pytest.mark.parametrize(
    ("pcm", "engine", "language", "code", "permanent", "says"),
    [
        (b"\0\0", "echo", "xx", "invalid", True, "language 'xx'"),
        (b"\0", "echo", "en", "invalid", True, "half a sample"),
        (bytes(2 * 16_000 * 301), "echo", "en", "invalid", True, "longer than 300 s"),
        (b"\0\0", "nobody", "en", "unavailable", True, "this server runs echo, endless"),
        (b"\0\0", "broken", "en", "failed", False, "NaN"),
    ],
)
async def test_a_refused_transcription_says_why(
    pcm: bytes, engine: str, language: str, code: str, permanent: bool, says: str
) -> None:
    async with server() as (target, _), client(target) as peer:
        with pytest.raises(SttError, match=says) as caught:
            await peer.transcribe(pcm, engine=engine, language=language, deadline=soon())
    assert (caught.value.code, caught.value.permanent) == (code, permanent)


async def test_a_slow_engine_is_a_timeout_and_is_told_to_stop() -> None:
    async with server() as (target, _), client(target) as peer:
        with pytest.raises(SttError) as caught:
            await peer.transcribe(b"\0\0", engine="endless", language="en", deadline=Deadline.after_ms(200))
        assert caught.value.code == "timeout"
        assert await asyncio.to_thread(fakes.Endless.stopped.wait, 10)


async def test_a_past_deadline_costs_no_request() -> None:
    async with server() as (target, house), client(target) as peer:
        past = Deadline.after_ms(-1)
        with pytest.raises(SttError) as stt:
            await peer.transcribe(b"\0\0", engine="echo", language="en", deadline=past)
        with pytest.raises(TtsError) as tts:
            await anext(peer.synthesize("word", engine="echo", language="en", deadline=past))
        with pytest.raises(SourceError) as source:
            await peer.embed(["word"], engine="echo", kind="query", deadline=past)
        assert {stt.value.code, tts.value.code, source.value.code} == {"timeout"}
        assert house.health()["engines"]["echo"]["done"] == 1, "only the warming ran"


async def test_cancelling_the_caller_stops_the_engine() -> None:
    async with server() as (target, _), client(target) as peer:
        task = asyncio.create_task(peer.transcribe(b"\0\0", engine="endless", language="en", deadline=soon()))
        await asyncio.to_thread(fakes.Endless.started.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(fakes.Endless.stopped.wait, 10)


async def test_closing_the_speech_stops_the_engine() -> None:
    async with server() as (target, _), client(target) as peer:
        async with aclosing(
            peer.synthesize("word", engine="endless", language="en", deadline=soon())
        ) as chunks:
            await anext(chunks)
        assert await asyncio.to_thread(fakes.Endless.stopped.wait, 10)


async def test_a_voice_that_breaks_or_stays_silent_is_an_error() -> None:
    async with server() as (target, _), client(target) as peer:
        with pytest.raises(TtsError) as broke:
            async for _ in peer.synthesize("word", engine="broken", language="en", deadline=soon()):
                pass
        with pytest.raises(TtsError) as silent:
            async for _ in peer.synthesize("silence", engine="broken", language="en", deadline=soon()):
                pass
        with pytest.raises(TtsError) as empty:
            async for _ in peer.synthesize("  ", engine="echo", language="en", deadline=soon()):
                pass
    assert [e.value.code for e in (broke, silent, empty)] == ["failed", "bad_output", "invalid"]


async def test_a_full_engine_is_at_capacity_and_the_ports_say_so_in_their_own_error() -> None:
    async with server(capacity=1) as (target, house), client(target) as peer:
        running = asyncio.create_task(
            peer.transcribe(b"\0\0", engine="endless", language="en", deadline=soon())
        )
        await asyncio.to_thread(fakes.Endless.started.wait, 10)
        waiting = asyncio.create_task(
            peer.transcribe(b"\0\0", engine="endless", language="en", deadline=soon())
        )
        while house.health()["engines"]["endless"]["waiting"] < 1:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        with pytest.raises(AtCapacity):
            await peer.transcribe(b"\0\0", engine="endless", language="en", deadline=soon())
        stt = RemoteRecogniser(target, engine="endless", capabilities=Capabilities("x", "x"))
        with pytest.raises(SttError) as heard:
            await stt.open(language="en").final(deadline=soon())
        tts = RemoteVoice(target, engine="endless", capabilities=Capabilities("x", "x"))
        with pytest.raises(TtsError) as said:
            await anext(tts.synthesize("word", language="en", deadline=soon()))
        assert (heard.value.code, said.value.code) == ("at_capacity", "at_capacity")
        for task in (running, waiting):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        await stt.aclose()
        await tts.aclose()


async def test_an_engine_that_still_warms_is_unavailable() -> None:
    async with server("slow_to_warm", loaded=False) as (target, house), client(target) as peer:
        loading = asyncio.create_task(house.load())
        with pytest.raises(SttError) as caught:
            await peer.transcribe(b"\0\0", engine="slow_to_warm", language="en", deadline=soon())
        assert (caught.value.code, caught.value.permanent) == ("unavailable", False)
        health = await peer.health(deadline=soon())
        assert (health["status"], health["engines"]["slow_to_warm"]["status"]) == ("warming", "warming")
        fakes.SlowToWarm.release.set()
        await loading
        assert (await peer.health(deadline=soon()))["status"] == "ok"


async def test_a_model_that_is_not_there_is_named_at_start() -> None:
    house = EngineHouse(["echo", "missing"], {}, registry=fakes.REGISTRY)
    with pytest.raises(ConfigurationError, match="VOICEOPS_MISSING_MODEL"):
        await house.load()
    house.close()


async def test_a_server_that_is_down_is_unavailable_and_found_again_when_it_returns() -> None:
    port = free_port()
    async with client(f"127.0.0.1:{port}") as peer:
        with pytest.raises(StageError) as caught:
            await peer.health(deadline=soon())
        assert caught.value.code == "unavailable"
        async with server("echo", port=port):
            until = soon()
            while True:
                try:
                    assert (await peer.health(deadline=soon()))["status"] == "ok"
                    break
                except StageError:
                    assert not until.expired, "the client never came back"
                    await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "answer",
    [b"\xc1nonsense", wire.pack({"vectors": b"\0\0\0\0", "dim": 384}), wire.pack({"dim": 2}), b"\x01"],
)
async def test_nonsense_from_a_server_is_bad_output(answer: bytes) -> None:
    async def unary(request: bytes, context: Any) -> bytes:
        return answer

    async def stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield answer

    handler = grpc.method_handlers_generic_handler(
        wire.SERVICE,
        {
            "Embed": grpc.unary_unary_rpc_method_handler(unary),
            "Transcribe": grpc.unary_unary_rpc_method_handler(unary),
            "Synthesize": grpc.unary_stream_rpc_method_handler(stream),
        },
    )
    async with listening(handler) as target, client(target) as peer:
        with pytest.raises(SourceError) as embedding:
            await peer.embed(["word"], engine="e5", kind="query", deadline=soon())
        with pytest.raises(SttError) as transcript:
            await peer.transcribe(b"", engine="whisper", language="en", deadline=soon())
        with pytest.raises(TtsError) as speech:
            await anext(peer.synthesize("word", engine="hibari", language="en", deadline=soon()))
    assert {e.value.code for e in (embedding, transcript, speech)} == {"bad_output"}


@pytest.mark.parametrize(
    "message",
    [
        b"\xc1",
        b"",
        wire.pack({}),
        wire.pack({"engine": "echo", "texts": "not a list", "kind": "query"}),
        wire.pack({"engine": "echo", "texts": ["a"], "kind": "neither"}),
        wire.pack({"engine": "echo", "texts": ["a"] * 513, "kind": "query"}),
        wire.pack({"engine": "echo", "texts": ["a"], "kind": "query", "priority": "urgent"}),
        wire.pack({"engine": 7, "texts": ["a"], "kind": "query"}),
    ],
)
async def test_a_malformed_request_is_refused_and_the_server_goes_on(message: bytes) -> None:
    async with server("echo") as (target, _), grpc.aio.insecure_channel(target) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(wire.path("Embed"))(message, timeout=15)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        async with client(target) as peer:
            assert await peer.embed(["a"], engine="echo", kind="query", deadline=soon())


async def test_workers_without_a_loop_get_the_same_vectors() -> None:
    texts = [f"{'x' * n}" for n in range(1, 130)]
    async with server("e5") as (target, _):
        sync: Callable[[], list[list[float]]] = lambda: embed_sync(  # noqa: E731
            texts, kind="passage", target=target, timeout_s=15
        )
        rows = await asyncio.to_thread(sync)
        embedder = RemoteEmbedder(target)
        assert await embedder.embed(texts, kind="passage", deadline=soon()) == rows
        assert await embedder.embed([], kind="passage", deadline=soon()) == []
        await embedder.warm()
        assert embedder.capabilities.engine == "echo"
        await embedder.aclose()
    assert [row[0] for row in rows] == [float(n) for n in range(1, 130)]
