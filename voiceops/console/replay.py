"""A stored turn worked out again: as it was then, and as it would be now. Reads only."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

import agents.api
import crm.api
import knowledge.api
from agents.pipeline import snapshot
from agents.pipeline.lines import say
from agents.pipeline.replay import Answer, Pinned, StoredTurn, plan_of, work_out
from agents.providers.llm import REGISTRY as LLMS
from voiceops import postgres
from voiceops.core.budget import Deadline
from voiceops.core.errors import LlmError, VoiceOpsError
from voiceops.core.plan import AgentProfile, CallPlan
from voiceops.core.ports import Capabilities, LanguageModel, LlmDelta, LlmRequest, Retriever
from voiceops.inference.embedder import RemoteEmbedder
from voiceops.wiring import places


class ReplayRefused(VoiceOpsError):
    """There is nothing to replay; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay found. `asdict` is its JSON."""

    session_id: str
    turn: int
    heard: str
    same: bool
    """Whether the stored context gives the stored answer again."""
    then: Mapping[str, Any]
    """answer, source, intent, as stored."""
    again: Mapping[str, Any]
    """The same from the same context: answer, source, intent."""
    model: Mapping[str, Any]
    """then, now, seed; empty names where no model was asked."""
    versions: Mapping[str, Any]
    """prompt and agent: {then, now}; knowledge: {chunk: {then, now}} of what changed."""
    changed: bool
    """Whether the prompt, the agent or the knowledge is another one since."""
    now: Mapping[str, Any]
    """The answer that would be given now, and whether it is the same as then."""
    difference: str
    """Unified diff of the messages to the model, then to now; empty without one."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def run(session_id: str, index: int, *, llm: LanguageModel | None = None) -> Replay:
    """Replay one stored turn. `llm` stands in for the configured model.

    Raises: ReplayRefused, ConfigurationError (the agent is gone or switched off), LlmError (the
    model cannot be reached).
    """
    stored, call = _stored(session_id, index)
    profile = agents.api.load_profile(call.summary.agent_slug)
    plan = CallPlan(
        session_id=session_id,
        agent=profile,
        intents=agents.api.load_intents(profile.slug),
        timezone=settings.TIME_ZONE,
        extra={"places": places()},
    )
    if "input" not in stored.context:
        return _fixed(session_id, stored, profile)
    return asyncio.run(_replayed(session_id, stored, plan, llm))


def _stored(session_id: str, index: int) -> tuple[agents.api.TurnDetail, agents.api.CallDetail]:
    call = agents.api.call(session_id)
    if call is None:
        raise ReplayRefused(f"there is no call {session_id!r}: copy the session id from its trace")
    found = next((turn for turn in call.turns if turn.index == index), None)
    if found is None:
        known = ", ".join(str(turn.index) for turn in call.turns) or "none"
        raise ReplayRefused(f"call {session_id} has no turn {index}: it has {known}")
    return found, call


def _fixed(session_id: str, stored: agents.api.TurnDetail, profile: AgentProfile) -> Replay:
    """A turn that answered no words: its line is looked up again."""
    code = {"greeting": "greeting", "silence": "still_there"}.get(stored.intent)
    lines = [say(profile, name, stored.language_tag) for name in ("greeting", "still_there", "silent_goodbye",
             "not_understood", "stt_down")]  # fmt: skip
    if stored.heard:
        raise ReplayRefused(
            f"turn {stored.index} of {session_id} was stored without its context: "
            "only turns answered since contexts are kept can be replayed"
        )
    again = next(
        (line for line in lines if line == stored.planned),
        say(profile, code, stored.language_tag) if code else "",
    )
    told = {"answer": stored.planned, "source": "fixed", "intent": stored.intent}
    now = {**told, "answer": again}
    same = again == stored.planned
    return Replay(
        session_id, stored.index, "", same, told, now, {"then": "", "now": "", "seed": None},
        {"prompt": {}, "agent": {}, "knowledge": {}}, not same, {**now, "same": same}, "",
    )  # fmt: skip


async def _replayed(
    session_id: str, stored: agents.api.TurnDetail, plan: CallPlan, given: LanguageModel | None
) -> Replay:
    context = stored.context
    plan = plan_of(context, plan)
    turn = StoredTurn(
        index=stored.index,
        language=str(context["input"]["language"]),
        context=context,
        tools=[{"name": t.name, "outcome": t.outcome, "result": t.result} for t in stored.tools],
        refused_model=next(
            (d.code for d in stored.decisions if d.code.startswith("llm_") and d.kind == "degrade"), ""
        ),
    )
    llm = given or LLMS.load(settings.VOICEOPS["LLM"])(settings.VOICEOPS)
    asked = bool(context.get("request")) and not turn.refused_model
    pool = postgres.build_pool(postgres.conninfo(settings.DATABASES["default"]))
    await pool.open()
    try:
        if asked and given is None:
            await llm.warm()  # it tells its own name
        embedder = RemoteEmbedder(settings.VOICEOPS["SPEECH_TARGET"])
        retriever = knowledge.api.build_retriever(pool, embedder, crm.api.build_sources(pool))
        try:
            again = await work_out(turn, plan=plan, llm=Pinned(llm, context))
            now = await _now(turn, plan, llm, retriever, again)
        finally:
            await retriever.aclose()
            await embedder.aclose()
    except LlmError as error:
        raise LlmError(f"the language model cannot be asked: {error}", code=error.code) from error
    finally:
        await pool.close()
        if given is None:
            await llm.aclose()
    return _compared(session_id, stored, plan, llm if asked else None, again, now)


async def _now(
    turn: StoredTurn, plan: CallPlan, llm: LanguageModel, retriever: Retriever, again: Answer
) -> Answer:
    """The answer that today's prompt, agent and knowledge give to the same words."""
    return await work_out(turn, plan=plan, llm=_Sparing(llm, turn.context, again), retriever=retriever)


class _Sparing:
    """The model, spared where it is asked just what was asked before."""

    def __init__(self, llm: LanguageModel, told: Mapping[str, Any], again: Answer) -> None:
        self.capabilities: Capabilities = llm.capabilities
        self._llm = llm
        self._messages = [dict(message) for message in told.get("messages") or ()]
        self._again = again

    async def stream(self, request: LlmRequest, *, deadline: Deadline) -> AsyncGenerator[LlmDelta, None]:
        if self._again.completion and [dict(m) for m in request.messages] == self._messages:
            yield LlmDelta(self._again.completion)
            yield LlmDelta("", finish_reason="stop")
            return
        async for delta in self._llm.stream(request, deadline=deadline):
            yield delta

    async def warm(self) -> None:
        return None

    async def warm_prefix(self, messages: Sequence[Mapping[str, str]]) -> None:
        return None

    async def aclose(self) -> None:
        return None


def _compared(
    session_id: str,
    stored: agents.api.TurnDetail,
    plan: CallPlan,
    llm: LanguageModel | None,
    again: Answer,
    now: Answer,
) -> Replay:
    context = stored.context
    then_versions = context.get("versions") or {}
    versions = {
        "prompt": {"then": then_versions.get("prompt", ""), "now": snapshot.prompt_version(plan.agent)},
        "agent": {
            "then": then_versions.get("agent", ""),
            "now": snapshot.agent_version(plan.agent, plan.intents),
        },
        "knowledge": _knowledge(context.get("searches") or [], now.searches),
    }
    request = context.get("request") or {}
    differs = any(versions[name]["then"] != versions[name]["now"] for name in ("prompt", "agent"))
    return Replay(
        session_id=session_id,
        turn=stored.index,
        heard=stored.heard,
        same=_same(stored.planned, again.said, cut=stored.interrupted),
        then={"answer": stored.planned, "source": stored.answer_source, "intent": stored.intent},
        again={"answer": again.said, "source": again.source, "intent": again.intent},
        model={
            "then": request.get("model", "") if llm else "",
            "now": llm.capabilities.engine if llm else "",
            "seed": request.get("seed") if llm else None,
        },
        versions=versions,
        changed=differs or bool(versions["knowledge"]),
        now={
            "answer": now.said, "source": now.source, "intent": now.intent,
            "same": _same(stored.planned, now.said, cut=stored.interrupted),
        },
        difference=_difference(context.get("messages") or [], now.messages) if llm else "",
    )  # fmt: skip


def _same(then: str, again: str, *, cut: bool) -> bool:
    """Word for word; a turn that was interrupted had come only so far."""
    before, after = then.split(), again.split()
    return after[: len(before)] == before if cut else before == after


def _knowledge(
    then: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, str | None]]:
    """Chunks whose version is another one, or that are found only then or only now."""
    before, after = snapshot.versions_of(then), snapshot.versions_of(now)
    return {
        chunk: {"then": before.get(chunk), "now": after.get(chunk)}
        for chunk in sorted(before.keys() | after.keys())
        if before.get(chunk) != after.get(chunk)
    }


def _difference(then: Sequence[Mapping[str, str]], now: Sequence[Mapping[str, str]]) -> str:
    def lines(messages: Sequence[Mapping[str, str]]) -> list[str]:
        return [
            f"{message['role']}: {line}"
            for message in messages
            for line in str(message["content"]).splitlines() or [""]
        ]

    return "\n".join(difflib.unified_diff(lines(then), lines(now), "then", "now", lineterm=""))


def written(replay: Replay) -> str:
    """For a terminal."""
    rows = [
        f"call {replay.session_id}, turn {replay.turn}",
        f"heard    {replay.heard or '(nothing: a fixed line)'}",
        f"then     {replay.then['answer']}  [{replay.then['source']}]",
        f"again    {replay.again['answer']}  [{replay.again['source']}]",
        f"answer   {'same' if replay.same else 'DIFFERENT'}",
    ]
    if replay.model["then"]:
        rows.append(f"model    {replay.model['then']}, seed {replay.model['seed']}")
        if replay.model["now"] != replay.model["then"]:
            rows.append(f"         now {replay.model['now']}")
    for name in ("prompt", "agent"):
        version = replay.versions[name]
        if version and version["then"] != version["now"]:
            rows.append(f"{name:<8} {version['then'] or '(unknown)'} -> {version['now']}")
    for chunk, version in replay.versions["knowledge"].items():
        rows.append(f"fact     {chunk}: version {version['then'] or 'none'} -> {version['now'] or 'none'}")
    if replay.changed:
        rows.append(f"now      {replay.now['answer']}  [{replay.now['source']}]")
        rows += ["", replay.difference] if replay.difference else []
    else:
        rows.append("nothing has changed since: prompt, agent and knowledge are the same")
    return "\n".join(rows)


def as_text(replay: Replay) -> str:
    return json.dumps(replay.as_json(), indent=2, ensure_ascii=False, default=str)
