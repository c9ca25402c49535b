"""One inference server: `python -m voiceops.inference.serve --engines whisper,e5 --listen HOST:PORT`.

Answers Health at once and everything else when an engine is warm. SIGTERM and SIGINT finish
what runs (up to `GRACE_S`), drop what waits, and exit 0. A bad flag, a missing or broken model or a
busy port exits 2 with one line.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence

import grpc.aio

from voiceops.core.errors import ConfigurationError, VoiceOpsError
from voiceops.inference import wire
from voiceops.inference.engines import REGISTRY
from voiceops.inference.engines.base import Options
from voiceops.inference.house import EngineHouse
from voiceops.inference.servicer import Servicer
from voiceops.launch.weights import model_path
from voiceops.settings import env

log = logging.getLogger(__name__)

GRACE_S = 2.0


def model_options(name: str, arguments: argparse.Namespace) -> Options:
    """The options of engine `name`: flag, else environment, else the installed model files.

    Raises: LaunchError when no model file is installed.
    """
    options: dict[str, str] = {}
    if name == "whisper":
        options["threads"] = str(arguments.threads)
        options["whisper_model"] = _model_path(
            arguments.whisper_model, "VOICEOPS_WHISPER_MODEL", "whisper-base"
        )
    if name == "e5":
        options["e5_model"] = str(model_path("e5-small", env.data_dir()))
        options["e5_cache"] = str(env.data_dir() / "models" / "e5-small-int8")
    if name == "piper":
        options["piper_voice"] = _model_path(arguments.piper_voice, "VOICEOPS_PIPER_VOICE", "piper-joe")
    return options


def _model_path(flag: str | None, variable: str, weights_name: str) -> str:
    return flag or env.raw(variable) or str(model_path(weights_name, env.data_dir()))


async def serve(names: Sequence[str], listen: str, options: dict[str, Options]) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError when an engine or the port fails."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    house = EngineHouse(names, options)
    server = grpc.aio.server(options=[*wire.LIMITS, ("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Servicer(house).handler(),))
    try:
        port = server.add_insecure_port(listen)
    except RuntimeError:
        port = 0
    if not port:
        raise ConfigurationError(f"cannot listen on {listen}: the port is busy or the address is wrong")
    await server.start()
    log.info("inference server listens address=%s engines=%s", listen, ",".join(names))
    try:
        loading = asyncio.create_task(house.load(), name="load")
        stopping = asyncio.create_task(stop.wait(), name="stop")
        await asyncio.wait({loading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if loading.done():
            loading.result()
            await stopping
        loading.cancel()
        stopping.cancel()
    finally:
        await server.stop(GRACE_S)
        house.close()


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="voiceops.inference.serve", description=__doc__.split("\n")[0])
    parser.add_argument("--engines", required=True, help=f"comma-separated: {', '.join(REGISTRY)}")
    parser.add_argument("--listen", required=True, help="HOST:PORT or unix:PATH")
    parser.add_argument("--whisper-model", help="CTranslate2 model folder (VOICEOPS_WHISPER_MODEL)")
    parser.add_argument("--piper-voice", help="Piper .onnx file (VOICEOPS_PIPER_VOICE)")
    parser.add_argument(
        "--threads", type=int, default=1,
        help="threads of one Whisper request; more pay where cores are free of everything else",
    )  # fmt: skip
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse(argv)
    logging.basicConfig(
        level=os.environ.get("VOICEOPS_LOG_LEVEL", "INFO"),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    names = [name.strip() for name in arguments.engines.split(",") if name.strip()]
    try:
        if not names:
            raise ConfigurationError(f"--engines names none: use some of {', '.join(REGISTRY)}")
        unknown = [name for name in names if name not in REGISTRY]
        if unknown:
            raise ConfigurationError(f"--engines {unknown[0]!r}: use some of {', '.join(REGISTRY)}")
        options = {name: model_options(name, arguments) for name in names}
        asyncio.run(serve(names, arguments.listen, options))
    except VoiceOpsError as error:
        print(f"voiceops.inference.serve: {error}", file=sys.stderr, flush=True)
        # Engine threads may still be inside a native call that nothing can interrupt.
        os._exit(2)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
