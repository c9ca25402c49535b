"""ASGI entry point: HTTP to Django, websockets to the consumers."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceops.settings.dev")
http = get_asgi_application()

from voiceops.routing import application as websockets  # noqa: E402  (needs the app registry)

application = ProtocolTypeRouter({"http": http, "websocket": websockets})
