"""One machine: `./run` and `runserver`."""

from voiceops.settings import env
from voiceops.settings.base import *  # noqa: F403

DEBUG = env.boolean("VOICEOPS_DEBUG", False)
