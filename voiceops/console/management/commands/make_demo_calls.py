"""`manage.py make_demo_calls`: the demo's past calls, made once by the running platform itself."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

import agents.api
import telephony.api as telephony
from voiceops.console import live, trial
from voiceops.console.demo_calls import DEMO_CALLS, DemoCall
from voiceops.console.typed_call import TypedCallFailed, place_typed_call, session_cookie
from voiceops.core.errors import VoiceOpsError
from voiceops.settings import env

CALLED = "+918040000000"
BUSY_POLL_S = 2.0
DEMO_USER = "demo"


class Command(BaseCommand):
    help = "Make the demo's past calls on the running platform; goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--limit",
            type=int,
            default=env.integer("VOICEOPS_DEMO_CALLS", len(DEMO_CALLS)),
            help="make at most so many (VOICEOPS_DEMO_CALLS)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=DEMO_USER).first()
        if user is None:
            raise CommandError("there is no demo login: run manage.py seed_demo first")
        total = min(options["limit"], len(DEMO_CALLS))
        made = agents.api.demo_call_count()
        store = redis.Redis.from_url(settings.REDIS_URL)
        cookie = session_cookie(user)
        failed = 0
        for number, script in enumerate(DEMO_CALLS[made:total], made + 1):
            self._progress(store, number - 1, total, running=True)
            asyncio.run(_until_nobody_calls())
            try:
                session_id = asyncio.run(_place(script, cookie))
                trial.wait_for_trace(session_id, timeout_s=30)
            except VoiceOpsError as error:
                failed += 1
                self.stderr.write(f"demo call {script.name}: {error}")
                continue
            agents.api.mark_demo(session_id)
            self.stdout.write(f"demo call {number} of {total}: {script.name} {session_id}")
        self._progress(store, agents.api.demo_call_count(), total, running=False)
        if failed:
            raise CommandError(f"{failed} of {total} demo calls were not made; start again to make the rest")

    def _progress(self, store: redis.Redis, made: int, total: int, *, running: bool) -> None:
        store.set(live.DEMO_CALLS_KEY, json.dumps({"made": made, "total": total, "running": running}))


async def _until_nobody_calls() -> None:
    """People come first: no demo call starts while anyone is on a call."""
    while await live.live_calls():  # noqa: ASYNC110  (other processes change it)
        await asyncio.sleep(BUSY_POLL_S)


async def _place(script: DemoCall, cookie: str) -> str:
    """Place one call and return its session id. Raises: VoiceOpsError saying why not."""
    if script.channel == "browser":
        typed = await place_typed_call(cookie=cookie, says=script.says)
        if not typed.session_id:
            raise TypedCallFailed("the platform gave the call no session")
        return typed.session_id
    said = await trial.utterances([("text", text) for text in script.says])
    agent = await asyncio.to_thread(telephony.agent_for_number, CALLED)
    address = await asyncio.to_thread(
        trial.open_directly,
        agent=agent or "",
        pii_from=script.pii_caller,
        called=CALLED,
    )
    patience = telephony.Patience(answer_ms=600) if script.hang_up_early else None
    await telephony.place_call(
        address.url,
        carrier_ref=address.carrier_ref,
        utterances=said,
        parameters=address.parameters,
        patience=patience,
    )
    return telephony.twilio_session_id(address.carrier_ref)
