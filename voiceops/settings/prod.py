"""Production: every secret from the environment, TLS in front; passes `check --deploy`."""

from pathlib import Path

from voiceops.settings import env
from voiceops.settings.base import *  # noqa: F403
from voiceops.settings.base import DATA_DIR

SECRET_KEY = env.text("VOICEOPS_SECRET_KEY")
# `localhost` is the container's own health probe.
ALLOWED_HOSTS = [*env.listing("VOICEOPS_ALLOWED_HOSTS"), "localhost"]
DEBUG = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.boolean("VOICEOPS_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
STATIC_ROOT = Path(env.text("VOICEOPS_STATIC_ROOT", str(DATA_DIR / "static")))
WHITENOISE_USE_FINDERS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
