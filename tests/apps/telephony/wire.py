"""Messages as a carrier sends them."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import Any

CAPTURES = Path(__file__).parents[2] / "captures"
STREAM_SID = "MZ18ad3ab5a668481ce02b83e7395059f0"
SILENCE = bytes([0xFF]) * 160
TONE = bytes([0x10, 0x90]) * 80
"""A frame well above the noise floor."""


def capture(name: str) -> list[str]:
    """The messages of tests/captures/NAME.jsonl, one a line."""
    return (CAPTURES / f"{name}.jsonl").read_text().splitlines()


class Carrier:
    """Builds the messages of one stream, with growing sequence numbers."""

    def __init__(self, call_sid: str) -> None:
        self.call_sid = call_sid
        self._sequence = itertools.count(1)
        self._frames = itertools.count()

    def connected(self) -> str:
        return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self, **changes: Any) -> str:
        start = {
            "accountSid": "AC" + "0" * 32,
            "streamSid": STREAM_SID,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"from": "+15550001"},
            **changes,
        }
        return self._event("start", start=start)

    def media(self, codes: bytes = TONE, **changes: Any) -> str:
        frame = next(self._frames)
        media = {
            "track": "inbound",
            "chunk": str(frame + 1),
            "timestamp": str(frame * 20),
            "payload": base64.b64encode(codes).decode(),
            **changes,
        }
        return self._event("media", media=media)

    def mark(self, name: str) -> str:
        return self._event("mark", mark={"name": name})

    def dtmf(self, digit: str) -> str:
        return self._event("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def stop(self) -> str:
        return self._event("stop", stop={"accountSid": "AC" + "0" * 32, "callSid": self.call_sid})

    def _event(self, event: str, **parts: Any) -> str:
        sequence = str(next(self._sequence))
        return json.dumps({"event": event, "sequenceNumber": sequence, "streamSid": STREAM_SID, **parts})
