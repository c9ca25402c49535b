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
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
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

Count = Callable[[Sequence[Mapping[str, str]]], Awaitable[int]]
HELP = "facts known and prompt tokens after a conversation of 500 turns, beside other prompts"
CHECKPOINTS = (10, 100)
"""Turns at which the prompts of the panel are counted; the last turn is one too."""
LEAST_TURNS = 60
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
READING_S = 45.0
"""For the first reading of a long prompt, which no question is charged with."""
WRONG_SHOWN = 5
QUESTION_TOKENS = 48
"""By which one question may be longer than another."""
BASELINE_TIMEOUT_MS = 20_000
BASELINE_S = 60.0
"""No further question is put to a baseline after this long."""
SAMPLED = 3
"""Every third question is put to the long history, whose answers take seconds."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--turns", type=int, default=500, help="length of the conversation (default 500)")
    parser.add_argument("--seed", type=int, default=1, help="which conversation (default 1)")


def measure(options: Mapping[str, Any], say: Callable[[str], None]) -> dict[str, Any]:
    """Raises: VoiceOpsError when the platform cannot be reached or does not answer."""
    if options["turns"] < LEAST_TURNS:
        raise DeskFailed(f"--turns must be at least {LEAST_TURNS}: the script needs room for its corrections")
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
                plan,
                told,
                llm=llm,
                embedder=embedder,
                retriever=retriever,
                count=counter.count,
                context_tokens=await counter.context_tokens(),
                say=say,
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
    count: Count,
    context_tokens: int | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The whole measurement. `count(messages)` awaits the tokens of a prompt; `context_tokens` is the
    longest that the model takes, None when nobody knows."""
    checkpoints = (*(turn for turn in CHECKPOINTS if turn < len(told.lines)), len(told.lines))
    prompts: dict[int, dict[str, int]] = {turn: {} for turn in checkpoints}
    history: list[tuple[str, str]] = []
    full: dict[int, int] = {}
    durations: list[float] = []
    sources: Counter[str] = Counter()
    began = time.perf_counter()
    async with typed_call(plan, llm=llm, embedder=embedder, retriever=retriever) as desk:
        lines = _with_panel(told.lines, checkpoints)
        for number, line in enumerate(lines, start=1):
            started = time.perf_counter()
            record = await desk.type(line)
            durations.append((time.perf_counter() - started) * 1000)
            sources[record["answer_source"]] += 1
            if record["intent"] == VISIT:
                history.append((NO_VISIT, str((await desk.type(NO_VISIT))["said"])))
            checkpoint = next((c for c in checkpoints if c - len(PANEL) < number <= c), None)
            if checkpoint is not None and (messages := record["context"].get("messages")):
                prompts[checkpoint][line] = await count(messages)
            history.append((line, str(record["said"])))
            if number in checkpoints:
                full[number] = await count(_chat(plan, history, PANEL[0]))
            if number % 50 == 0:
                say(f"turn {number} of {len(lines)} after {time.perf_counter() - began:.0f} s")
        answers = [str((await desk.type(asked.question))["said"]) for asked in told.asked]
    ours = [knows(asked, answer) for asked, answer in zip(told.asked, answers, strict=True)]
    rival = Rival(plan, llm, count, context_tokens)
    say(f"the same questions with the last {WORKING_TURNS} turns in the prompt")
    last = await rival.answers(told.asked, history[-WORKING_TURNS:])
    say("a sample of the questions with the whole history in the prompt")
    sample = told.asked[::SAMPLED]
    whole = await rival.answers(sample, history)
    fitting: dict[str, Any] | None = None
    if not whole["fits"] and (turns := await rival.fitting(history, sample[0].question)):
        say(f"the sample with the last {turns} turns in the prompt, which is all that fits")
        fitting = {"turns": turns, **await rival.answers(sample, history[-turns:])}
    first, final = checkpoints[0], checkpoints[-1]
    means = _compared(prompts)
    part = min(50, len(durations) // 3)
    return {
        "turns": len(lines),
        "model": llm.capabilities.engine,
        "context_tokens": context_tokens,
        f"prompt_tokens_turn_{first}": means[first],
        f"prompt_tokens_turn_{final}": means[final],
        "ratio": round(means[final] / means[first], 4),
        "prompt_tokens": {str(turn): value for turn, value in means.items()},
        "prompts_compared": len(_shared(prompts)),
        "recall_asked": len(told.asked),
        "recall_share": _share(ours),
        "recall_share_of_sample": _share(ours[::SAMPLED]),
        "recall_wrong": [
            {"asked": asked.question, "wanted": asked.wanted[0], "answer": answer}
            for asked, answer, right in zip(told.asked, answers, ours, strict=True)
            if not right
        ],
        "corrections": told.corrections,
        "contradictions": told.contradictions,
        "full_history": {"prompt_tokens": {str(turn): value for turn, value in full.items()}, **whole},
        "fitting_history": fitting,
        "last_turns": {"turns": WORKING_TURNS, **last},
        "answers_by_source": dict(sources),
        "turn_ms": {
            f"p50_first_{part}": round(statistics.median(durations[:part]), 1),
            f"p50_last_{part}": round(statistics.median(durations[-part:]), 1),
            "p95": round(statistics.quantiles(durations, n=20)[-1], 1),
        },
        "extraction_ms": _extraction(told),
        "took_s": round(time.perf_counter() - began, 1),
    }


def _shared(prompts: Mapping[int, Mapping[str, int]]) -> set[str]:
    """Questions of the panel that went to the model at every checkpoint."""
    return set.intersection(*(set(asked) for asked in prompts.values()))


def _compared(prompts: Mapping[int, Mapping[str, int]]) -> dict[int, float]:
    """Mean tokens at each checkpoint, of the same questions. Raises: DeskFailed."""
    shared = _shared(prompts)
    if not shared:
        made = {turn: sorted(asked) for turn, asked in prompts.items()}
        raise DeskFailed(f"no question was put to the language model at every checkpoint: {made}")
    return {
        turn: round(statistics.fmean(asked[question] for question in shared), 1)
        for turn, asked in prompts.items()
    }


def _share(right: Sequence[bool]) -> float:
    return round(sum(right) / len(right), 4)


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


@dataclass(frozen=True, slots=True)
class Rival:
    """The same questions to the same model, with a conversation in the prompt."""

    plan: CallPlan
    llm: LanguageModel
    count: Count
    context_tokens: int | None

    async def answers(self, asked: Sequence[Asked], history: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """How many of `asked` the model knows. A question without an answer in time counts as not
        known; a prompt that does not fit is not tried again."""
        tokens = await self.count(_chat(self.plan, history, asked[0].question))
        right: list[bool] = []
        error = "" if self._takes(tokens) else self._too_long(tokens)
        wrong: list[dict[str, str]] = []
        durations: list[float] = []
        fits = not error
        if fits:
            await self._read(_chat(self.plan, history, asked[0].question))
        began = time.perf_counter()
        for item in asked if fits else ():
            started = time.perf_counter()
            if started - began > BASELINE_S:
                error = error or f"stopped after {BASELINE_S:.0f} s"
                break
            try:
                answer = await _asked(self.llm, _chat(self.plan, history, item.question))
                durations.append((time.perf_counter() - started) * 1000)
                right.append(knows(item, answer))
                if not right[-1]:
                    wrong.append({"asked": item.question, "wanted": item.wanted[0], "answer": answer})
            except LlmError as problem:
                error = error or f"{problem.code}: {problem}"[:200]
                if problem.code == "rejected":
                    fits = False
                    break
                right.append(False)
        return {
            "prompt_tokens_end": tokens,
            "fits": fits,
            "recall_asked": len(right),
            "recall_share": _share(right) if right else None,
            "answered": len(durations),
            "answer_ms_p50": round(statistics.median(durations), 1) if durations else None,
            "wrong": wrong[:WRONG_SHOWN],
            "error": error,
        }

    async def _read(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Let the server read a long prompt once; what follows only differs in the question."""
        try:
            async with asyncio.timeout(READING_S):
                await self.llm.warm_prefix(messages)
        except (LlmError, TimeoutError):
            return  # the questions will say what is wrong

    async def fitting(self, history: Sequence[tuple[str, str]], question: str) -> int:
        """The most last turns whose prompt the model takes; 0 when its limit is not known."""
        low, high = 0, len(history) if self.context_tokens is not None else 0
        while low < high:
            turns = (low + high + 1) // 2
            if self._takes(await self.count(_chat(self.plan, history[-turns:], question))):
                low = turns
            else:
                high = turns - 1
        return low

    def _takes(self, tokens: int) -> bool:
        return self.context_tokens is None or tokens + QUESTION_TOKENS + ANSWER_TOKENS <= self.context_tokens

    def _too_long(self, tokens: int) -> str:
        return f"not asked: {tokens} tokens do not fit the model's context of {self.context_tokens}"


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

    def row(name: str, found: Mapping[str, Any], tokens: str) -> str:
        share = "-" if found["recall_share"] is None else f"{found['recall_share']:.1%}"
        return f"{name:<22}{share:>8}{found['recall_asked']:>7}  {tokens}"

    def listed(tokens: Mapping[str, float]) -> str:
        return ", ".join(f"turn {turn}: {value}" for turn, value in tokens.items())

    whole, fitting, last = result["full_history"], result["fitting_history"], result["last_turns"]
    rows = [
        f"{result['turns']} turns on {result['model']} in {result['took_s']:.0f} s",
        "",
        f"{'':<22}{'known':>8}{'asked':>7}  prompt tokens",
        row("session memory", result, f"{listed(result['prompt_tokens'])} (ratio {result['ratio']})"),
        row("full history", whole, listed(whole["prompt_tokens"])),
    ]
    if fitting:
        rows.append(row(f"all that fits: {fitting['turns']}", fitting, str(fitting["prompt_tokens_end"])))
    rows += [
        row(f"last turns: {last['turns']}", last, str(last["prompt_tokens_end"])),
        "",
        "time per turn: " + ", ".join(f"{name} {value} ms" for name, value in result["turn_ms"].items()),
    ]
    for name in ("full_history", "fitting_history", "last_turns"):
        if result[name] and result[name]["error"]:
            rows.append(f"{name.replace('_', ' ')}: {result[name]['error']}")
    rows += [f"wrong: {wrong['asked']} -> {wrong['answer']}" for wrong in result["recall_wrong"]]
    return "\n".join(rows)
