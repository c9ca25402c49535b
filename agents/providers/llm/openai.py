"""Any OpenAI-compatible chat server: llama.cpp here, vLLM in production.

Closing the stream (or cancelling its reader) closes the HTTP response, at which both servers stop
generating. vLLM's `priority` is sent only to a server that has answered a request carrying it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx

from agents.providers.llm.sse import data_lines, delta_of
from agents.providers.settings import Settings, text
from voiceops.core.budget import Deadline
from voiceops.core.errors import ConfigurationError, LlmError
from voiceops.core.ports import Capabilities, LlmDelta, LlmRequest, Priority

WARM_TIMEOUT_MS = 60_000
"""A first prefill of a long prompt on a busy CPU takes seconds."""
PRIORITY_NUMBERS: Mapping[Priority, int] = {"final": 0, "partial": 1, "speculative": 2, "background": 3}
"""vLLM: lower runs first."""


class OpenAiModel:
    """`LanguageModel` at `url` (ending in /v1). `transport` replaces the network in tests."""

    def __init__(
        self,
        url: str,
        *,
        model: str,
        api_key: str = "",
        languages: frozenset[str] = frozenset({"en"}),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.capabilities = Capabilities(name="openai", engine=f"{model} (OpenAI API)", languages=languages)
        self._url = url.rstrip("/")
        self._model = model
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._takes_priority = False

    async def stream(self, request: LlmRequest, *, deadline: Deadline) -> AsyncGenerator[LlmDelta, None]:
        """Deltas as they come; usage stands on the last one.

        Raises: LlmError with code timeout, unavailable, at_capacity (429, 503), rejected (permanent:
        other 4xx), failed (5xx), bad_output (malformed or broken-off stream) or empty.
        """
        spoke = False
        finish: str | None = None
        async with aclosing(self._events(self._body(request), deadline)) as events:
            async for event in events:
                delta = delta_of(event)
                if delta.finish_reason is not None:
                    finish = delta.finish_reason
                if delta.prompt_tokens is not None:
                    delta = replace(delta, finish_reason=finish)
                if delta.text:
                    spoke = True
                if delta.text or delta.prompt_tokens is not None or delta.finish_reason is not None:
                    yield delta
        if finish is None:
            raise LlmError(f"{self._url} broke off its answer", code="bad_output")
        if not spoke:
            raise LlmError(f"{self._url} answered with no words ({finish})", code="empty")

    async def warm(self) -> None:
        """One real token, which also finds out who answers and whether it takes priorities."""
        deadline = Deadline.after_ms(WARM_TIMEOUT_MS)
        served = await self._served_by(deadline)
        messages = [{"role": "user", "content": "Hello"}]
        if served == "vllm":
            self._takes_priority = True
            try:
                await self._one_token(messages, deadline, priority="speculative")
            except LlmError as error:
                if error.code != "rejected":
                    raise
                self._takes_priority = False
        if not self._takes_priority:
            await self._one_token(messages, deadline)
        if served:
            self.capabilities = replace(self.capabilities, engine=f"{self._model} ({served})")

    async def warm_prefix(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Asks for one token after `messages`, so that the server keeps their prefix. Raises LlmError."""
        await self._one_token(messages, Deadline.after_ms(WARM_TIMEOUT_MS))

    async def aclose(self) -> None:
        client, self._client, self._loop = self._client, None, None
        if client is not None:
            await client.aclose()

    async def _one_token(
        self, messages: Sequence[Mapping[str, str]], deadline: Deadline, priority: Priority = "final"
    ) -> None:
        body = self._body(LlmRequest(messages=messages, max_tokens=1, priority=priority))
        async with aclosing(self._events(body, deadline)) as events:
            async for _ in events:
                pass

    async def _served_by(self, deadline: Deadline) -> str:
        """`vllm`, `llamacpp`, … as the server says in /models; empty when it does not."""
        try:
            async with deadline.timeout():
                response = await self._http().get(f"{self._url}/models", headers=self._headers)
            if response.status_code != 200:
                return ""
            return str(response.json()["data"][0].get("owned_by", ""))
        except TimeoutError as error:
            raise LlmError(f"{self._url} does not answer", code="timeout") from error
        except httpx.HTTPError as error:
            raise LlmError(f"{self._url}: {error!r}", code="unavailable") from error
        except (ValueError, LookupError, TypeError, AttributeError):
            return ""

    def _body(self, request: LlmRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [dict(message) for message in request.messages],
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if self._takes_priority:
            body["priority"] = PRIORITY_NUMBERS[request.priority]
        return body

    async def _events(self, body: dict[str, Any], deadline: Deadline) -> AsyncGenerator[dict[str, Any], None]:
        """The JSON objects of one streamed answer; every wait is bound by `deadline`."""
        if deadline.expired:
            raise LlmError("the deadline had passed before the request", code="timeout")
        response: httpx.Response | None = None
        try:
            async with deadline.timeout():
                response = await self._send(body)
                if response.status_code != 200:
                    await response.aread()
            if response.status_code != 200:
                raise _refused(self._url, response)
            async with aclosing(data_lines(response.aiter_bytes())) as lines:
                while True:
                    async with deadline.timeout():
                        line = await anext(lines, None)
                    if line is None or line == "[DONE]":
                        return
                    yield _event(line, self._url)
        except TimeoutError as error:
            raise LlmError(f"{self._url} was slower than its deadline", code="timeout") from error
        except httpx.TimeoutException as error:
            raise LlmError(f"{self._url}: {error!r}", code="timeout") from error
        except (httpx.RemoteProtocolError, httpx.ReadError) as error:
            code = "unavailable" if response is None else "bad_output"
            raise LlmError(f"{self._url} broke off: {error!r}", code=code) from error
        except httpx.HTTPError as error:
            raise LlmError(f"{self._url}: {error!r}", code="unavailable") from error
        finally:
            if response is not None:
                await response.aclose()

    async def _send(self, body: dict[str, Any]) -> httpx.Response:
        """One streamed answer's headers. A kept connection that the server has closed meanwhile is
        replaced once: the request never reached it."""
        for attempt in (1, 2):
            request = self._http().build_request(
                "POST", f"{self._url}/chat/completions", json=body, headers=self._headers
            )
            try:
                return await self._http().send(request, stream=True)
            except (httpx.RemoteProtocolError, httpx.ReadError):
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def _http(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
            # A proxy of the environment stands between this machine and others, not inside it.
            local = httpx.URL(self._url).host in ("127.0.0.1", "localhost", "::1")
            self._client = httpx.AsyncClient(
                timeout=None, limits=limits, transport=self._transport, trust_env=not local
            )
            self._loop = loop
        return self._client


def _event(line: str, url: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError as error:
        raise LlmError(f"{url} sent malformed JSON", code="bad_output") from error
    if not isinstance(event, dict):
        raise LlmError(f"{url} sent something that is not an object", code="bad_output")
    if "error" in event:
        raise LlmError(f"{url}: {_message(event)}", code="failed")
    return event


def _refused(url: str, response: httpx.Response) -> LlmError:
    status = response.status_code
    try:
        message = _message(response.json())
    except ValueError:
        message = response.text[:200]
    said = f"{url} answered {status}: {message}"
    if status in (429, 503):
        return LlmError(said, code="at_capacity")
    if status >= 500:
        return LlmError(said, code="failed")
    return LlmError(said, code="rejected", permanent=True)


def _message(body: object) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    return str(error.get("message", error) if isinstance(error, dict) else error)[:300]


def create(settings: Settings) -> OpenAiModel:
    """Uses LLM_URL, LLM_MODEL, LLM_API_KEY and LLM_LANGUAGES."""
    url = text(settings, "LLM_URL")
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError(f"VOICEOPS_LLM_URL={url!r} is not a URL of the form http://…/v1")
    languages = settings.get("LLM_LANGUAGES") or ("en",)
    if not isinstance(languages, (list, tuple)) or not all(isinstance(tag, str) for tag in languages):
        raise ConfigurationError("VOICEOPS_LLM_LANGUAGES must be language tags like en,hi")
    return OpenAiModel(
        url,
        model=text(settings, "LLM_MODEL"),
        api_key=text(settings, "LLM_API_KEY", ""),
        languages=frozenset(languages),
    )
