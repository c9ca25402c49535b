"""The demo's property desk as a Pipecat bot, for `manage.py bench turns --peer pipecat`.

Runs in a Python environment of its own (see README.md beside this file). Everything that Pipecat
decides is left at its defaults; the models are those of the platform that is measured beside it:
the same Whisper weights, the same language model server, the same voice server.

    python agent.py CONFIG.json

CONFIG: port, whisper_model, llm_url, llm_model, max_tokens, voice_target, instructions, greeting,
histories {caller: text}. The key of the language model server is in PEER_LLM_API_KEY. Prints one
JSON line per event: ready, heard, said (with `call`, `at_s` on the machine's monotonic clock, `text`).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import msgpack
import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from openai import AsyncOpenAI
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import ErrorFrame, Frame, TranscriptionFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

VOICE_RATE_HZ = 24_000
SYNTHESIZE = "/voiceops.inference.v1.Inference/Synthesize"


def tell(event: str, call: str = "", text: str = "") -> None:
    print(json.dumps({"event": event, "call": call, "at_s": time.monotonic(), "text": text}), flush=True)


class HouseVoice(TTSService):
    """The platform's voice server (Hibari), asked sentence by sentence as Pipecat aggregates them."""

    def __init__(self, channel: grpc.aio.Channel, call: str) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            settings=TTSSettings(model=None, voice=None, language=None),
        )
        self._synthesize = channel.unary_stream(SYNTHESIZE, request_serializer=msgpack.packb)
        self._call = call

    def can_generate_metrics(self) -> bool:
        return True

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        tell("said", self._call, text)

        async def chunks() -> AsyncIterator[bytes]:
            request = {"engine": "hibari", "text": text, "language": "en", "voice": "", "priority": "final"}
            async for data in self._synthesize(request, timeout=20):
                yield msgpack.unpackb(data)["pcm"]

        try:
            await self.start_tts_usage_metrics(text)
            async for frame in self._stream_audio_frames_from_iterator(
                chunks(), in_sample_rate=VOICE_RATE_HZ, context_id=context_id
            ):
                await self.stop_ttfb_metrics()
                yield frame
        except grpc.aio.AioRpcError as error:
            yield ErrorFrame(error=f"voice server: {error.details()}")
        finally:
            await self.stop_ttfb_metrics()


class Overhear(FrameProcessor):
    """Tells what was understood; passes everything on."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self._call = call

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame):
            tell("heard", self._call, frame.text.strip())
        await self.push_frame(frame, direction)


class SharedWhisper(WhisperSTTService):
    """One model for all calls of the process: loading it is no part of a call."""

    model: Any = None

    def _load(self) -> None:
        if SharedWhisper.model is None:
            super()._load()
            SharedWhisper.model = self._model
        self._model = SharedWhisper.model


def recogniser(config: dict[str, Any]) -> SharedWhisper:
    return SharedWhisper(
        device="cpu", compute_type="int8", settings=SharedWhisper.Settings(model=config["whisper_model"])
    )


async def warm(config: dict[str, Any], instructions: str) -> None:
    """One token behind the instructions, so that the server keeps their prefix."""
    client = AsyncOpenAI(base_url=config["llm_url"], api_key=os.environ.get("PEER_LLM_API_KEY") or "none")
    async with client:
        await client.chat.completions.create(
            model=config["llm_model"],
            messages=[{"role": "system", "content": instructions}, {"role": "user", "content": "Hello"}],
            max_tokens=1,
        )


async def talk(websocket: WebSocket, config: dict[str, Any], voice: grpc.aio.Channel) -> None:
    """One call, from the carrier's `start` to its end."""
    _, start = await parse_telephony_websocket(websocket)
    call = start["call_id"]
    caller = (start.get("body") or {}).get("from", "")
    instructions = config["instructions"] + config["histories"].get(caller, "")
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            serializer=TwilioFrameSerializer(
                stream_sid=start["stream_id"],
                call_sid=call,
                params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
            ),
        ),
    )
    context = LLMContext()
    user, assistant = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    pipeline = Pipeline(
        [
            transport.input(),
            recogniser(config),
            Overhear(call),
            user,
            OpenAILLMService(
                api_key=os.environ.get("PEER_LLM_API_KEY") or "none",
                base_url=config["llm_url"],
                settings=OpenAILLMService.Settings(
                    model=config["llm_model"],
                    system_instruction=instructions,
                    temperature=0.0,
                    max_tokens=config["max_tokens"],
                ),
            ),
            HouseVoice(voice, call),
            transport.output(),
            assistant,
        ]
    )
    worker = PipelineWorker(
        pipeline, params=PipelineParams(audio_in_sample_rate=8000, audio_out_sample_rate=8000)
    )
    runner = WorkerRunner(handle_sigint=False)

    @transport.event_handler("on_client_connected")
    async def on_client_connected(transport: Any, client: Any) -> None:
        await worker.queue_frames([TTSSpeakFrame(config["greeting"])])

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(transport: Any, client: Any) -> None:
        await worker.cancel()

    await runner.add_workers(worker)
    warming = asyncio.create_task(warm(config, instructions))
    try:
        await runner.run()
    finally:
        warming.cancel()
        await asyncio.wait({warming})


async def main() -> None:
    logger.remove()
    logger.add(sys.stderr, level=os.environ.get("PEER_LOG_LEVEL", "WARNING"))
    config = json.loads(Path(sys.argv[1]).read_text())  # noqa: ASYNC240
    voice = grpc.aio.insecure_channel(config["voice_target"], options=[("grpc.enable_http_proxy", 0)])
    recogniser(config)
    await warm(config, config["instructions"])
    app = FastAPI()

    @app.websocket("/")
    async def call(websocket: WebSocket) -> None:
        await websocket.accept()
        await talk(websocket, config, voice)

    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=config["port"], log_level="warning", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    if server.started:
        tell("ready")
    await serving


if __name__ == "__main__":
    asyncio.run(main())
