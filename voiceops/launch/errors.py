"""What stops a start: one line that says what to do."""

from voiceops.core.errors import VoiceOpsError


class LaunchError(VoiceOpsError):
    """The platform cannot start or go on; the message is for the person at the terminal."""
