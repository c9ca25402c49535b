"""What stops a start: one line that says what to do."""

from voiceops.core.errors import ConfigurationError


class LaunchError(ConfigurationError):
    """The platform cannot start or go on; the message is for the person at the terminal."""
