"""Background work of the platform itself."""

from __future__ import annotations

import time

import redis
from celery import shared_task
from django.conf import settings

from voiceops.console.heartbeat import EXPIRES_S, HEARTBEAT_KEY


@shared_task(expires=EXPIRES_S)
def heartbeat() -> None:
    """Write the key that `/healthz` reads: one beat, one queue and one worker took part."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
        client.set(HEARTBEAT_KEY, int(time.time()), ex=EXPIRES_S)
