"""Planning an answer while the caller still speaks.

A plan is the real answer's own code on a draft of a turn: it understands, retrieves, writes and has
the first clause voiced, and keeps all of that in `Ahead` by key. The real turn runs the same code
and finds it there, or does not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from agents.pipeline.ahead import Ahead
from agents.pipeline.load import LoadGate
from agents.pipeline.mouth import Mouth
from agents.pipeline.responder import Responder
from agents.pipeline.turn import Draft, Turn, Uncommitted, clause_pieces
from voiceops.core.budget import TurnBudget
from voiceops.core.events import Speculation, Transcript

_log = logging.getLogger(__name__)

FEWEST_WORDS = 3
"""Below this a partial tells too little to plan anything from it."""


class Planner:
    """One per call. Told of what is heard, it plans; told that a turn is over, it accounts.

    At most one plan is made at a time: each replaces the one before it, and what both need is kept.
    """

    def __init__(
        self,
        *,
        scope: asyncio.TaskGroup,
        call_ms: Callable[[], float],
        emit: Callable[..., None],
        gate: LoadGate,
        wanted: bool,
        budget: TurnBudget,
    ) -> None:
        """`emit(kind, turn_index, **data)` tells listeners; `wanted` is the agent's own switch."""
        self._scope = scope
        self._call_ms = call_ms
        self._emit = emit
        self._gate = gate
        self._wanted = wanted
        self._budget = budget
        self.ahead = Ahead(scope=scope, call_ms=call_ms, settled=self._settled, refused=gate.refused)
        self._draft: asyncio.Task[None] | None = None
        self._candidate = ""
        """What the plan of the last silence was made from."""
        self._planned_words = 0
        """Of the utterance that goes on: words that have been planned from."""
        self._latest: Transcript | None = None
        """The last decode of the utterance that goes on."""
        self._told: list[Speculation] = []
        self._closed = ""
        self._responder: Responder | None = None
        self._mouth: Mouth | None = None
        self._language: Callable[[Transcript], str] = lambda transcript: transcript.language

    def plan_with(self, responder: Responder, mouth: Mouth, language: Callable[[Transcript], str]) -> None:
        """The stages that answer. `language` tells in which one an utterance would be answered."""
        self._responder, self._mouth, self._language = responder, mouth, language

    # What is heard ----------------------------------------------------------------------

    def heard_so_far(self, transcript: Transcript) -> None:
        """The caller speaks: understand and look up what the words so far ask for."""
        self._latest = transcript
        text = transcript.stable.strip()
        words = len(text.split())
        if words >= FEWEST_WORDS and words > self._planned_words:
            self._planned_words = words
            self._plan("partial", text, transcript)

    def paused(self) -> None:
        """The caller has just fallen silent. The last words are still being recognised; most answers
        depend on what is asked for and not on every word, so the last partial is planned from."""
        if self._latest is not None and len(self._latest.text.split()) >= FEWEST_WORDS:
            self.candidate(self._latest)

    def candidate(self, transcript: Transcript) -> None:
        """These are the words if the caller has finished: plan the whole answer and voice its beginning."""
        text = transcript.text.strip()
        if text and text != self._candidate:
            self._candidate = text
            self._planned_words = max(self._planned_words, len(text.split()))
            self._plan("candidate", text, transcript)

    def abandon(self) -> None:
        """The caller goes on: what still runs is stopped."""
        self._drop_draft()
        self.ahead.abandon()
        self._candidate = ""

    # What becomes of it -----------------------------------------------------------------

    def commit(self, turn: Turn) -> None:
        """The turn is real and takes over: drafting ends, what was begun is there to be claimed."""
        self._drop_draft()
        self._candidate, self._planned_words, self._latest = "", 0, None
        if self._closed:
            turn.context["speculation"] = f"off: {self._closed}"

    def settle(self, turn: Turn, *, void: bool = False) -> None:
        """The turn is over and will be recorded with everything that was guessed for it. A void one
        used nothing: what it took over belongs to the next."""
        if void:
            self.ahead.unclaim()
            return
        self.ahead.settle(begun_before_ms=turn.started_ms)
        turn.speculations += self._told
        self._told = []

    def close(self) -> None:
        """The call is over."""
        self._drop_draft()
        self.ahead.settle()

    def _settled(self, told: Speculation) -> None:
        self._told.append(told)
        self._emit("speculation", None, **asdict(told))

    # Drafts -----------------------------------------------------------------------------

    def _plan(self, draft: Draft, text: str, transcript: Transcript) -> None:
        if self._responder is None:
            return
        self._closed = self._gate.closed() if self._wanted else "the agent does not plan ahead"
        if self._closed:
            return
        self._drop_draft()
        turn = Turn(
            index=-1, kind="answer", started_ms=self._call_ms(), language=self._language(transcript),
            call_ms=self._call_ms, emit=_silent, draft=draft, heard=text, budget=self._budget,
        )  # fmt: skip
        self._draft = self._scope.create_task(self._work_out(turn))

    async def _work_out(self, turn: Turn) -> None:
        assert self._responder is not None and self._mouth is not None
        try:
            async with aclosing(self._responder.respond(turn, turn.heard)) as answer:
                async for clause in answer:
                    if turn.draft == "candidate":
                        self._mouth.prepare(clause_pieces(clause)[0], turn.language, basis=turn.heard)
                    return
        except Uncommitted:
            return  # the rest belongs to the real turn
        except Exception as error:
            _log.info("draft_failed", extra={"error": repr(error)})

    def _drop_draft(self) -> None:
        if self._draft is not None:
            self._draft.cancel()
            self._draft = None


def _silent(kind: str, turn: int | None, **data: Any) -> None:
    """A draft tells nobody anything."""
