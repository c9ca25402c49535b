"""A container's health check: exit 0 when a part is warm, else 1 with the reason.

python -m voiceops.launch.probe http://127.0.0.1:8000/healthz
python -m voiceops.launch.probe grpc://127.0.0.1:8013
"""

from __future__ import annotations

import sys
import urllib.error
import urllib.request

TIMEOUT_S = 6.0


def probe(url: str) -> str:
    """Empty when the part is warm, else why not."""
    scheme, _, rest = url.partition("://")
    if scheme == "grpc":
        return _probe_inference(rest)
    # The web process sends plain HTTP to TLS; a probe comes from behind the proxy.
    request = urllib.request.Request(url, headers={"X-Forwarded-Proto": "https", "Host": "localhost"})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT_S):
            return ""
    except urllib.error.HTTPError as error:
        return f"{error.code}: {error.read(2000).decode(errors='replace')}"
    except OSError as error:
        return str(error)


def _probe_inference(target: str) -> str:
    import asyncio

    from voiceops.core.budget import Deadline
    from voiceops.core.errors import VoiceOpsError
    from voiceops.inference.client import InferenceClient

    async def ask() -> str:
        client = InferenceClient(target)
        try:
            body = await client.health(deadline=Deadline.after_ms(TIMEOUT_S * 1000))
        except VoiceOpsError as error:
            return str(error)
        finally:
            await client.aclose()
        return "" if body.get("status") == "ok" else str(body)

    return asyncio.run(ask())


def main() -> int:
    if len(sys.argv) != 2:
        print("give one address: http://… or grpc://HOST:PORT", file=sys.stderr)
        return 2
    if reason := probe(sys.argv[1]):
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
