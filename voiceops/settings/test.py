"""The test suite: real embedded PostgreSQL and Valkey, started by `tests/conftest.py`."""

from voiceops.settings.base import *  # noqa: F403
from voiceops.settings.base import VOICEOPS

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
VOICEOPS = {**VOICEOPS, "MEDIA_URL": None}
