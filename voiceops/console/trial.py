"""Placing a test call on the running platform and reading back what was kept of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

import agents.api
import telephony.api as telephony
from voiceops.core.budget import Deadline
from voiceops.core.errors import AtCapacity, StageError, VoiceOpsError
from voiceops.inference.client import InferenceClient

_SPEAK_MS = 20_000
_POLL_S = 0.25
_QUIET_S = 1.0
"""A finished call whose turns did not change for this long is taken as complete."""


class TrialFailed(VoiceOpsError):
    """The test call did not work out; the message says why and what to do."""


def spoken_by_wav(path: Path) -> telephony.Utterance:
    """Raises: telephony.BadWav."""
    return telephony.Utterance.of(telephony.read_wav(path, rate_hz=telephony.TWILIO_RATE_HZ), label=path.name)


async def spoken_by_voice(text: str) -> telephony.Utterance:
    """`text` in a synthetic caller's voice. Raises: TrialFailed when no voice server answers."""
    hindi = any("\u0900" <= letter <= "\u097f" for letter in text)
    speech = settings.VOICEOPS
    voices = [(speech["PIPER_TARGET"], "piper"), (speech["VOICE_TARGET"], "hibari")]
    if hindi:
        voices = []
    problem = ""
    for target, engine in [*voices, (speech["VOICE_TARGET"], "espeak")]:
        client = InferenceClient(target)
        pcm, rate_hz = bytearray(), 0
        try:
            async for chunk in client.synthesize(
                text, engine=engine, language="hi" if hindi else "en", deadline=Deadline.after_ms(_SPEAK_MS)
            ):
                pcm += chunk.pcm
                rate_hz = chunk.sample_rate_hz
        except (StageError, AtCapacity) as error:
            problem = f"{engine} at {target}: {error}"
            continue
        finally:
            await client.aclose()
        return telephony.Utterance.of(
            telephony.resample(bytes(pcm), rate_hz, telephony.TWILIO_RATE_HZ), label=text
        )
    raise TrialFailed(f"no voice server can speak --text ({problem}): is ./run running? Or use --wav FILE")


def open_directly(
    *, agent: str, pii_from: str, called: str, speculation: bool | None = None
) -> telephony.StreamAddress:
    """A token from the platform's own store, for a platform without Twilio's settings;
    `speculation` overrides the agent's setting for this call."""
    carrier_ref = telephony.new_call_sid()
    call = telephony.open_twilio_call(
        carrier_ref=carrier_ref, agent_slug=agent, pii_from=pii_from, pii_to=called
    )
    token = telephony.issue_stream_token(call=call, speculation=speculation)
    url = telephony.local_socket(settings.VOICEOPS["WEB_URL"], f"/telephony/twilio/stream/{token}")
    return telephony.StreamAddress(url, carrier_ref, {"from": pii_from})


def wait_for_trace(session_id: str, *, timeout_s: float) -> agents.api.CallDetail:
    """The stored call, once it has ended and its turns have settled. Blocks.

    Raises: TrialFailed when it is not there in time.
    """
    give_up_s = time.monotonic() + timeout_s
    turns, since_s = -1, time.monotonic()
    while (now_s := time.monotonic()) < give_up_s:
        detail = agents.api.call(session_id)
        if detail is not None and detail.summary.ended_at is not None:
            if len(detail.turns) != turns:
                turns, since_s = len(detail.turns), now_s
            elif now_s - since_s >= _QUIET_S:
                return detail
        time.sleep(_POLL_S)
    raise TrialFailed(
        f"the call {session_id} took place, but its trace was not stored within {timeout_s:g} s: "
        "is the Celery worker running?"
    )


def report(detail: agents.api.CallDetail) -> dict[str, Any]:
    """What the command prints: the session and, for each turn, words and telemetry."""
    return {
        "session_id": detail.summary.session_id,
        "turns": [
            {
                "heard": turn.heard,
                "said": turn.said,
                "citations": [dict(citation) for citation in turn.citations],
                "filler": turn.filler,
                **turn.telemetry,
            }
            for turn in detail.turns
        ],
    }


def as_text(report: Mapping[str, Any], exchanges: Sequence[telephony.Exchange]) -> str:
    lines = [f"session_id  {report['session_id']}"]
    for index, turn in enumerate(report["turns"]):
        lines.append(f"\nturn {index}")
        for key, value in turn.items():
            if key == "citations":
                value = "; ".join(
                    " ".join(str(citation.get(part, "")) for part in ("source", "chunk", "title")).strip()
                    for citation in value
                )
            elif isinstance(value, float):
                value = round(value)
            lines.append(f"  {key:<13} {'-' if value in (None, '') else value}")
    lines.append("")
    for exchange in exchanges:
        latency_ms = exchange.heard_latency_ms
        heard = "no answer" if latency_ms is None else f"answer after {latency_ms:.0f} ms"
        lines.append(f"at the carrier: {exchange.label}: {heard}")
    return "\n".join(lines)


async def utterances(spoken: Sequence[tuple[str, str]]) -> list[telephony.Utterance]:
    """(`wav`, path) and (`text`, words) in the order they are said."""
    said = []
    for kind, value in spoken:
        if kind == "wav":
            said.append(await asyncio.to_thread(spoken_by_wav, Path(value)))
        else:
            said.append(await spoken_by_voice(value))
    return said
