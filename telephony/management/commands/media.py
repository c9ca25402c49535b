"""`manage.py media`: the process that answers calls."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

MAX_FRAME_BYTES = 256 * 1024
SHUTDOWN_S = 6
"""For calls to end; the socket limits' grace lies below it."""


class Command(BaseCommand):
    help = "Answer calls: serve the media sockets with the call pipeline behind them."
    # Pages and admin are not this process's; its engines are checked by warming them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8001, help="port to listen on (default 8001)")
        parser.add_argument(
            "--workers", type=int, default=1, help="processes that share the port (default 1)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        if not 1 <= port <= 65535:
            raise CommandError(f"--port {port} is not a port: use 1 to 65535")
        if workers < 1:
            raise CommandError(f"--workers {workers} is not a number of processes: use 1 or more")
        listener = _listen(host, port)

        from uvicorn import Config, Server
        from uvicorn.supervisors import Multiprocess

        config = Config(
            "voiceops.asgi_media:application",
            host=host,
            port=port,
            workers=workers,
            loop="uvloop",
            http="httptools",
            ws="telephony.protocol:MediaProtocol",
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=20.0,
            ws_ping_timeout=20.0,
            lifespan="on",
            access_log=False,
            # The server's own lines would print stream tokens, which stand in paths.
            log_config=None,
            log_level="warning",
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        self.stderr.write(f"media: listening on {host}:{port}, {workers} process(es)")
        if workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"cannot listen on {host}:{port}: {error.strerror}. Choose another --port or --host, "
            "or stop the program that uses it"
        ) from None
    # At once, not when a worker is up: a second server must find the port taken.
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener
