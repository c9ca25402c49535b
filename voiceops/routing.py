"""Websocket routes of this process, joined from every app."""

from channels.routing import URLRouter

application = URLRouter([])
