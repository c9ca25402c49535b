"""The embedded language model: llama.cpp's OpenAI-compatible HTTP server around one GGUF file.

python -m voiceops.launch.llm_server --model FILE.gguf --port 8012
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

CONTEXT_TOKENS = 6144
"""Shared by the slots: 3072 each."""
SLOTS = 2
THREADS = 2
"""An answer to a 40-token question takes 0.77 to 0.85 s with two threads on two idle cores and 1.0 to
1.2 s with one. When other programs keep both cores busy it is the other way round, 8 to 23 s against
2.5 to 3.9 s, because llama.cpp's threads spin while they wait for each other: use 1 there."""
NICE = 5
"""It yields to hearing and speaking, which somebody always waits for; most of its work is guesses."""
PROMPT_CACHE_MIB = 256
REUSED_CHUNK_TOKENS = 64
"""Smallest piece of an earlier prompt that is taken over when the text before it changed."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="voiceops.launch.llm_server")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--alias", default="smollm2-135m-instruct")
    parser.add_argument("--threads", type=int, default=THREADS)
    options = parser.parse_args()
    if options.model is None:
        from voiceops.launch.weights import model_path

        options.model = model_path("smollm2-135m-instruct")
    if not options.model.is_file():
        sys.exit(f"voiceops.launch.llm_server: no model file {options.model}")

    from voiceops.launch.requantise import NotConvertible, as_q8
    from voiceops.settings import env

    with contextlib.suppress(NotConvertible, OSError):  # then it is read as it is, more slowly
        options.model = as_q8(options.model, env.data_dir() / "models")
    with contextlib.suppress(OSError):
        os.nice(NICE)
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(options.model)
    settings.model_alias = {options.alias}
    settings.hostnames = [options.host]
    settings.port = options.port
    settings.n_ctx = CONTEXT_TOKENS
    settings.n_parallel = SLOTS
    settings.cpuparams.n_threads = options.threads
    settings.cpuparams_batch.n_threads = options.threads
    if key := os.environ.get("VOICEOPS_LLM_API_KEY"):
        settings.api_keys = [key]
    settings.cache_prompt = True
    settings.n_cache_reuse = REUSED_CHUNK_TOKENS
    settings.endpoint_slots = True
    settings.endpoint_metrics = True
    settings.cache_ram_mib = PROMPT_CACHE_MIB
    settings.verbosity = 2
    settings.ui = False
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = xllamacpp.Server(settings)
    print(f"llm: {options.alias} at {server.listening_address}", flush=True)
    stop.wait()
    # The native server owns threads that no destructor waits for.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
