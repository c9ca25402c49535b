"""`python -m crm.demo_server`: the demo's CRM on a port of its own. It needs no Django."""

from __future__ import annotations

from argparse import ArgumentParser

import uvicorn

from crm.demo_server.app import DemoCrm
from crm.demo_server.store import Activities
from voiceops.settings import env


def main() -> None:
    parser = ArgumentParser(prog="crm.demo_server", description="The demo CRM that bookings reach.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8016)
    options = parser.parse_args()
    activities = Activities(env.data_dir() / "demo-crm.sqlite3")
    try:
        uvicorn.run(
            DemoCrm(activities), host=options.host, port=options.port, lifespan="off",
            log_level="warning", access_log=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
    finally:
        activities.close()


if __name__ == "__main__":
    main()
