"""A language model for load tests: says the first fact of its prompt, a token at a time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence

from agents.providers.settings import Settings, whole
from voiceops.core.budget import Deadline
from voiceops.core.errors import LlmError
from voiceops.core.ports import Capabilities, LlmDelta, LlmRequest

NO_FACT = "This is a simulated answer."
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.+?)\s*$", re.MULTILINE)


class SimulatedLlm:
    def __init__(self, *, first_token_ms: int, token_ms: int) -> None:
        self.capabilities = Capabilities(
            name="simulated",
            engine=f"simulated LLM ({first_token_ms} ms + {token_ms} ms a token)",
            languages=frozenset({"en", "hi"}),
            simulated=True,
        )
        self._first_token_ms = first_token_ms
        self._token_ms = token_ms

    async def stream(self, request: LlmRequest, *, deadline: Deadline) -> AsyncGenerator[LlmDelta, None]:
        """Raises LlmError(code="timeout")."""
        if deadline.expired:
            raise LlmError("the deadline had passed before the request", code="timeout")
        tokens = re.findall(r"\S+\s*", first_fact(request.messages))
        said = tokens[: request.max_tokens]
        prompt_tokens = sum(len(message.get("content", "").split()) for message in request.messages)
        for index, token in enumerate(said):
            try:
                async with deadline.timeout():
                    await asyncio.sleep((self._token_ms if index else self._first_token_ms) / 1000)
            except TimeoutError:
                raise LlmError("the simulated model was slower than its deadline", code="timeout") from None
            yield LlmDelta(token)
        yield LlmDelta(
            "",
            prompt_tokens=prompt_tokens,
            completion_tokens=len(said),
            cached_tokens=0,
            finish_reason="stop" if len(said) == len(tokens) else "length",
        )

    async def warm(self) -> None:
        await asyncio.sleep(self._first_token_ms / 1000)

    async def warm_prefix(self, messages: Sequence[Mapping[str, str]]) -> None:
        return None

    async def aclose(self) -> None:
        return None


def first_fact(messages: Sequence[Mapping[str, str]]) -> str:
    """The first list item of the newest message that has one, as one sentence."""
    for message in reversed(messages):
        if message.get("role") != "assistant" and (found := _BULLET.search(message.get("content", ""))):
            fact = found.group(1)
            return fact if fact.endswith((".", "!", "?", "।")) else f"{fact}."
    return NO_FACT


def create(settings: Settings) -> SimulatedLlm:
    """Uses SIM_LLM_FIRST_TOKEN_MS and SIM_LLM_TOKEN_MS."""
    return SimulatedLlm(
        first_token_ms=whole(settings, "SIM_LLM_FIRST_TOKEN_MS", 250),
        token_ms=whole(settings, "SIM_LLM_TOKEN_MS", 15),
    )
