"""One error tree. A stage error carries a stable `code` and whether trying again can help."""

from __future__ import annotations


class VoiceOpsError(Exception):
    """Root of every error this platform raises on purpose."""


class ConfigurationError(VoiceOpsError):
    """A setting is missing or wrong; the message names the variable and what to do."""


class AtCapacity(VoiceOpsError):
    """Refused before any work was done; not a time-out."""

    def __init__(self, message: str, *, retry_after_ms: int = 1000) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class StageError(VoiceOpsError):
    """A stage of a turn failed.

    `code` is a stable word for metrics and traces (`timeout`, `unavailable`, `bad_output`…);
    `permanent` says that the same request will fail again.
    """

    stage = "stage"

    def __init__(self, message: str, *, code: str = "error", permanent: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent


class SttError(StageError):
    stage = "stt"


class LlmError(StageError):
    stage = "llm"


class TtsError(StageError):
    stage = "tts"


class VadError(StageError):
    stage = "vad"


class SourceError(StageError):
    stage = "retrieval"


class TransportError(StageError):
    """A wire message was refused. `code` names why; `permanent` means the socket must close."""

    stage = "transport"


class FactRejected(VoiceOpsError):
    """A durable write was refused by a business rule; nothing was written."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
        """`slot_taken`, `slot_unknown`, `invalid`."""
