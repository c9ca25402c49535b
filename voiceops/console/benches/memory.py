"""What is still known after a long conversation, and what that costs in every prompt.

One scripted call of 500 typed turns runs through the real pipeline (classifier, retrieval, memory,
prompts, language model) of a running platform. Beside it the same questions are put to the same
language model with the whole history in its prompt, and with the last turns only.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

import agents.api
import crm.api
import knowledge.api
from agents.pipeline.memory.extract import Setting, heard_facts
from agents.pipeline.memory.session import WORKING_TURNS
from agents.providers.llm import REGISTRY as LLMS
from voiceops import postgres
from voiceops.console.benches.memory_script import Asked, Script, knows, script
from voiceops.console.benches.tokens import TokenCounter
from voiceops.console.benches.typed_desk import DeskFailed, typed_call
from voiceops.core.budget import Deadline
from voiceops.core.errors import LlmError
from voiceops.core.plan import CallPlan
from voiceops.core.ports import Embedder, LanguageModel, LlmRequest, Retriever
from voiceops.inference.embedder import RemoteEmbedder
from voiceops.wiring import places

HELP = "facts known and prompt tokens after a conversation of 500 turns, beside other prompts"
CHECKPOINTS = (10, 100, 500)
PANEL = (
    "What is your cancellation policy?",
    "Is it possible to get a refund of that?",
    "What is the price of a 3BHK in Whitefield?",
)
"""Asked just before each checkpoint, so that prompts of the same questions are compared: one of a
passage, one that refers to the turn before, one of a record."""
VISIT, NO_VISIT = "site_visit_booking", "Never mind, I don't want a visit"
"""What the script's caller says when the agent takes a remark for a booking."""
ANSWER_TOKENS = 32
BASELINE_TIMEOUT_MS = 60_000


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=500, help="length of the conversation (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="which conversation (default 1)")


def measure(options: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """Raises: VoiceOpsError when the platform cannot be reached or does not answer."""
    if options["turns"] < 110:
        raise DeskFailed("--turns must be at least 110: the script needs room for its corrections")
    profile = agents.api.load_profile()
    plan = CallPlan(
        session_id="bench-memory",
        agent=profile,
        intents=agents.api.load_intents(profile.slug),
        hints=tuple(knowledge.api.vocabulary()),
        timezone=settings.TIME_ZONE,
        extra={"places": places()},
    )
    return asyncio.run(_on_platform(plan, script(options["turns"], options["seed"]), say))


async def _on_platform(plan: CallPlan, told: Script, say: Callable[[str], None]) -> dict[str, Any]:
    llm = LLMS.load(settings.VOICEOPS["LLM"])(settings.VOICEOPS)
    embedder = RemoteEmbedder(settings.VOICEOPS["SPEECH_TARGET"])
    pool = postgres.build_pool(postgres.conninfo(settings.DATABASES["default"]))
    retriever = knowledge.api.build_retriever(pool, embedder, crm.api.build_sources(pool))
    counter = TokenCounter(settings.VOICEOPS["LLM_URL"], str(settings.VOICEOPS.get("LLM_API_KEY") or ""))
    await pool.open()
    try:
        await llm.warm()
        await embedder.warm()
        return {
            "on": "a running platform: its embeddings, database and language model",
            **await converse(
                plan, told, llm=llm, embedder=embedder, retriever=retriever, count=counter.count, say=say
            ),
        }
    finally:
        await counter.aclose()
        await retriever.aclose()
        await embedder.aclose()
        await llm.aclose()
        await pool.close()


async def converse(
    plan: CallPlan,
    told: Script,
    *,
    llm: LanguageModel,
    embedder: Embedder,
    retriever: Retriever,
    count: Callable[[Sequence[Mapping[str, str]]], Any],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The whole measurement. `count(messages)` awaits the tokens of a prompt."""
    checkpoints = tuple(turn for turn in CHECKPOINTS if turn <= len(told.lines))
    prompts: dict[int, list[int]] = {}
    history: list[tuple[str, str]] = []
    full: dict[int, int] = {}
    durations: list[float] = []
    async with typed_call(plan, llm=llm, embedder=embedder, retriever=retriever) as desk:
        lines = _with_panel(told.lines, checkpoints)
        for number, line in enumerate(lines, start=1):
            started = time.perf_counter()
            record = await desk.type(line)
            durations.append((time.perf_counter() - started) * 1000)
            if record["intent"] == VISIT:
                history.append((NO_VISIT, str((await desk.type(NO_VISIT))["said"])))
            checkpoint = next((c for c in checkpoints if c - len(PANEL) < number <= c), None)
            if checkpoint is not None and (messages := record["context"].get("messages")):
                prompts.setdefault(checkpoint, []).append(await count(messages))
            history.append((line, str(record["said"])))
            if number in checkpoints:
                full[number] = await count(_chat(plan, history, PANEL[0]))
            if number % 50 == 0:
                say(f"turn {number} of {len(lines)}")
        answers = [str((await desk.type(asked.question))["said"]) for asked in told.asked]
    say("the same questions with other prompts")
    ours = [knows(asked, answer) for asked, answer in zip(told.asked, answers, strict=True)]
    last = await _baseline(plan, told.asked, history[-WORKING_TURNS:], llm, count)
    whole = await _baseline(plan, told.asked, history, llm, count)
    first, final = checkpoints[0], checkpoints[-1]
    means = {turn: statistics.fmean(values) for turn, values in prompts.items() if values}
    return {
        "turns": len(lines),
        "model": llm.capabilities.engine,
        "facts_asked": len(told.asked),
        "facts_right": sum(ours),
        "facts_right_share": round(sum(ours) / len(ours), 4),
        "facts_wrong": [
            {"asked": asked.question, "wanted": asked.wanted[0], "answer": answer}
            for asked, answer, right in zip(told.asked, answers, ours, strict=True)
            if not right
        ],
        "corrections": told.corrections,
        "contradictions": told.contradictions,
        "prompt_tokens": {str(turn): round(value, 1) for turn, value in means.items()},
        "prompt_tokens_max": {str(turn): max(values) for turn, values in prompts.items()},
        "prompt_tokens_ratio": round(means[final] / means[first], 4),
        "full_history": {"prompt_tokens": {str(turn): value for turn, value in full.items()}, **whole},
        "last_turns": {"n": WORKING_TURNS, **last},
        "turn_ms": {
            "p50_first_50": round(statistics.median(durations[:50]), 1),
            "p50_last_50": round(statistics.median(durations[-50:]), 1),
            "p95": round(statistics.quantiles(durations, n=20)[-1], 1),
        },
        "extraction_ms": _extraction(told),
    }


def _with_panel(lines: Sequence[str], checkpoints: Sequence[int]) -> list[str]:
    """The script with the panel before each checkpoint; what it takes the place of comes after."""
    waiting = list(lines)
    placed: list[str] = []
    while len(placed) < len(lines):
        at = len(placed) + 1
        checkpoint = next((c for c in checkpoints if c - len(PANEL) < at <= c), None)
        if checkpoint is not None:
            placed.append(PANEL[at - checkpoint + len(PANEL) - 1])
        else:
            placed.append(waiting.pop(0))
    return placed


def _chat(plan: CallPlan, history: Sequence[tuple[str, str]], question: str) -> list[dict[str, str]]:
    """A prompt that holds the conversation itself."""
    messages = [{"role": "system", "content": plan.agent.persona}]
    for heard, said in history:
        messages += [{"role": "user", "content": heard}, {"role": "assistant", "content": said}]
    return [*messages, {"role": "user", "content": question}]


async def _baseline(
    plan: CallPlan,
    asked: Sequence[Asked],
    history: Sequence[tuple[str, str]],
    llm: LanguageModel,
    count: Callable[[Sequence[Mapping[str, str]]], Any],
) -> dict[str, Any]:
    """The same questions to the same model with `history` in the prompt."""
    right = 0
    errors: list[str] = []
    durations: list[float] = []
    for item in asked:
        started = time.perf_counter()
        try:
            right += knows(item, await _asked(llm, _chat(plan, history, item.question)))
            durations.append((time.perf_counter() - started) * 1000)
        except LlmError as error:
            errors.append(f"{error.code}: {error}"[:200])
            if error.code in ("rejected", "bad_output") and len(errors) >= 2:
                break  # a prompt that does not fit will not fit the next time either
    return {
        "prompt_tokens_end": await count(_chat(plan, history, asked[0].question)),
        "facts_right_share": round(right / len(asked), 4),
        "answered": len(durations),
        "answer_ms_p50": round(statistics.median(durations), 1) if durations else None,
        "error": errors[0] if errors else "",
    }


async def _asked(llm: LanguageModel, messages: Sequence[Mapping[str, str]]) -> str:
    request = LlmRequest(messages=messages, max_tokens=ANSWER_TOKENS, stop=("\n\n",), priority="background")
    words: list[str] = []
    stream = llm.stream(request, deadline=Deadline.after_ms(BASELINE_TIMEOUT_MS))
    async with aclosing(stream) as deltas:  # type: ignore[type-var]
        async for delta in deltas:
            words.append(delta.text)
    return "".join(words)


def _extraction(told: Script) -> float:
    """Mean milliseconds that finding the facts of one utterance takes, after its answer has begun."""
    setting = Setting((), datetime.now(UTC))
    started = time.perf_counter()
    for line in told.lines:
        heard_facts(line, setting)
    return round((time.perf_counter() - started) * 1000 / len(told.lines), 3)


def as_text(result: Mapping[str, Any]) -> str:
    """For a terminal."""
    tokens = ", ".join(f"turn {turn}: {value}" for turn, value in result["prompt_tokens"].items())
    full = ", ".join(
        f"turn {turn}: {value}" for turn, value in result["full_history"]["prompt_tokens"].items()
    )
    whole, last = result["full_history"], result["last_turns"]
    ours = f"{tokens} (ratio {result['prompt_tokens_ratio']})"
    rows = [
        f"{result['turns']} turns on {result['model']}",
        "",
        f"{'':<22}{'facts right':>12}  prompt tokens",
        f"{'session memory':<22}{result['facts_right_share']:>12.1%}  {ours}",
        f"{'full history':<22}{whole['facts_right_share']:>12.1%}  {full}",
        f"{'last turns: ' + str(last['n']):<22}{last['facts_right_share']:>12.1%}"
        f"  {last['prompt_tokens_end']}",
        "",
        f"time per turn, p50: {result['turn_ms']['p50_first_50']} ms in the first 50,"
        f" {result['turn_ms']['p50_last_50']} ms in the last 50",
    ]
    for name in ("full_history", "last_turns"):
        if result[name]["error"]:
            rows.append(f"{name.replace('_', ' ')}: {result[name]['error']}")
    rows += [f"wrong: {row['asked']} -> {row['answer']}" for row in result["facts_wrong"]]
    return "\n".join(rows)
