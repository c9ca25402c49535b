"""Websocket routes of the web and of the media process, joined from every app."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, cast

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.urls import path, re_path

from telephony.api import (
    BROWSER_PATH,
    MEDIA_UNAVAILABLE,
    TWILIO_PATH,
    CallJournal,
    MediaRelay,
    websocket_routes,
)
from voiceops.console.consumers import LiveConsumer
from voiceops.console.metrics import CountingCallLog
from voiceops.core.events import WireEvent
from voiceops.core.plan import CallOffer
from voiceops.core.ports import Listener, Outbound
from voiceops.core.streams import DropOldest

logger = logging.getLogger("voiceops.routing")

journal = CallJournal()
"""This process's record of the calls on its sockets."""


async def answer(
    offer: CallOffer, inbound: DropOldest[WireEvent], outbound: Outbound, listeners: Sequence[Listener]
) -> None:
    """`wiring.answer`, imported with the first call: a web process that relays never loads it."""
    from voiceops import wiring

    await wiring.answer(offer, inbound, outbound, listeners)


async def _nowhere(scope: Any, receive: Any, send: Any) -> None:
    """A path nobody serves: refuse the handshake."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


_unknown: Any = re_path(r"", cast(Any, _nowhere))


def _web() -> URLRouter:
    live = path("console/live/", AllowedHostsOriginValidator(AuthMiddlewareStack(LiveConsumer.as_asgi())))
    media_url = settings.VOICEOPS["MEDIA_URL"]
    if media_url:
        carriers: Any = MediaRelay(media_url)
        browsers: Any = MediaRelay(media_url, notice=MEDIA_UNAVAILABLE)
        calls: list[Any] = [re_path(TWILIO_PATH, carriers), re_path(BROWSER_PATH, browsers)]
    else:
        calls = websocket_routes(answer=answer, log=CountingCallLog(journal))
    return URLRouter([live, *calls, _unknown])


application = _web()
media_application = URLRouter([*websocket_routes(answer=answer, log=CountingCallLog(journal)), _unknown])
