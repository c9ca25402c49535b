"""Tokens of a prompt as the language model's own server counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx

from voiceops.core.errors import LlmError

TIMEOUT_S = 30.0


class TokenCounter:
    """llama.cpp's /apply-template and /tokenize, or else the usage that a one-token answer reports."""

    def __init__(
        self, url: str, api_key: str = "", *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`url` ends in /v1."""
        self._url = url.rstrip("/")
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT_S, trust_env=False, transport=transport,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
        )  # fmt: skip

    async def count(self, messages: Sequence[Mapping[str, str]]) -> int:
        """Raises: LlmError."""
        root = self._url.removesuffix("/v1")
        body = {"messages": [dict(message) for message in messages]}
        try:
            templated = await self._client.post(f"{root}/apply-template", json=body)
            if templated.status_code == 200:
                content = {"content": templated.json()["prompt"], "add_special": True, "parse_special": True}
                tokens = await self._client.post(f"{root}/tokenize", json=content)
                tokens.raise_for_status()
                return len(tokens.json()["tokens"])
            asked = await self._client.post(f"{self._url}/chat/completions", json={**body, "max_tokens": 1})
            asked.raise_for_status()
            return int(asked.json()["usage"]["prompt_tokens"])
        except httpx.HTTPError as error:
            raise LlmError(f"{self._url} does not count tokens: {error!r}", code="unavailable") from error
        except (ValueError, LookupError, TypeError) as error:
            raise LlmError(f"{self._url} counts tokens in an unknown form", code="bad_output") from error

    async def context_tokens(self) -> int | None:
        """The longest prompt with its answer that one request may have; None when the server does not
        say. Raises: LlmError."""
        try:
            props = await self._client.get(f"{self._url.removesuffix('/v1')}/props")  # llama.cpp
            if props.status_code == 200:
                return int(props.json()["default_generation_settings"]["n_ctx"])
            models = await self._client.get(f"{self._url}/models")  # vLLM
            limit = models.json()["data"][0].get("max_model_len") if models.status_code == 200 else None
            return None if limit is None else int(limit)
        except httpx.HTTPError as error:
            raise LlmError(f"{self._url} does not answer: {error!r}", code="unavailable") from error
        except (ValueError, LookupError, TypeError, AttributeError):
            return None

    async def aclose(self) -> None:
        await self._client.aclose()
