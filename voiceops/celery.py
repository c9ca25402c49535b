"""The Celery application: `celery -A voiceops worker` and `beat`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceops.settings.dev")
app = Celery("voiceops")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
