"""`manage.py place_test_call`: call the running platform as a carrier would."""

from __future__ import annotations

import asyncio
import json
import re
from argparse import Action, ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

import telephony.api as telephony
from voiceops.console import trial
from voiceops.core.errors import VoiceOpsError

_E164 = re.compile(r"\+[1-9]\d{5,14}")


class _Spoken(Action):
    """Keeps `--wav` and `--text` in the order of the command line."""

    def __call__(
        self, parser: Any, namespace: Namespace, values: Any, option_string: str | None = None
    ) -> None:
        spoken = getattr(namespace, "spoken", None) or []
        namespace.spoken = [*spoken, ((option_string or "").lstrip("-"), values)]


class Command(BaseCommand):
    help = "Place a call over the Twilio socket of the running platform and print what came of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.set_defaults(spoken=[])
        parser.add_argument(
            "--wav",
            action=_Spoken,
            dest="wav",
            metavar="FILE",
            help="say this recording; repeat for more turns",
        )
        parser.add_argument(
            "--text",
            action=_Spoken,
            dest="text",
            metavar="WORDS",
            help="say these words in a synthetic voice",
        )
        parser.add_argument("--agent", default="", metavar="SLUG", help="who answers (default: by number)")
        parser.add_argument(
            "--from", dest="pii_from", default="+919800000001", metavar="E164", help="the caller's number"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--save", metavar="FILE", help="write what the caller heard to this WAV file")
        parser.add_argument(
            "--timeout", type=float, default=30.0, metavar="SECONDS", help="for the trace to be stored"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["spoken"]:
            raise CommandError("nothing to say: give --wav FILE or --text WORDS, as often as you like")
        if not _E164.fullmatch(options["pii_from"]):
            raise CommandError(f"--from {options['pii_from']!r} is not a number like +919800000001")
        try:
            said = asyncio.run(trial.utterances(options["spoken"]))
            address = self._address(options["agent"], options["pii_from"])
            call = asyncio.run(
                telephony.place_call(
                    address.url,
                    carrier_ref=address.carrier_ref,
                    utterances=said,
                    parameters=address.parameters,
                )
            )
            if options["save"]:
                telephony.write_wav(Path(options["save"]), call.played_pcm, rate_hz=telephony.TWILIO_RATE_HZ)
            session_id = telephony.twilio_session_id(address.carrier_ref)
            detail = trial.wait_for_trace(session_id, timeout_s=options["timeout"])
        except VoiceOpsError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"the database cannot be reached: {error}. Is ./run running?") from error
        except redis.RedisError as error:
            raise CommandError(f"Redis cannot be reached: {error}. Is ./run running?") from error
        except OSError as error:
            raise CommandError(f"{options['save']} cannot be written: {error.strerror}") from error
        report = trial.report(detail)
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2, default=str))
        else:
            self.stdout.write(trial.as_text(report, call.exchanges))
        if len(call.exchanges) < len(said):
            raise CommandError(f"the agent hung up after {len(call.exchanges)} of {len(said)} utterances")

    def _address(self, agent: str, pii_from: str) -> telephony.StreamAddress:
        platform = settings.VOICEOPS
        called = telephony.first_number() or "+10000000000"
        if settings.TWILIO_AUTH_TOKEN and platform["PUBLIC_URL"]:
            return asyncio.run(
                telephony.ask_webhook(
                    web_url=platform["WEB_URL"],
                    public_url=platform["PUBLIC_URL"],
                    auth_token=settings.TWILIO_AUTH_TOKEN,
                    agent=agent,
                    pii_from=pii_from,
                    called=called,
                )
            )
        self.stderr.write(
            "TWILIO_AUTH_TOKEN or VOICEOPS_PUBLIC_URL is not set: the token comes from the platform's "
            "own store instead of the signed webhook"
        )
        slug = agent or telephony.agent_for_number(called) or ""
        return trial.open_directly(agent=slug, pii_from=pii_from, called=called)
