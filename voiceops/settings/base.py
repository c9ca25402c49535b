"""Settings shared by every environment."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from voiceops.settings import admin, database, env

BASE_DIR = env.ROOT
DATA_DIR = env.data_dir()

SECRET_KEY = env.text("VOICEOPS_SECRET_KEY", "development-only-not-for-production")
DEBUG = False
ALLOWED_HOSTS = env.listing("VOICEOPS_ALLOWED_HOSTS", "*")
CSRF_TRUSTED_ORIGINS = env.listing("VOICEOPS_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    # Its runserver speaks ASGI. Only there: it brings Twisted, 0.6 s of every other start.
    *(["daphne"] if "runserver" in sys.argv[1:2] else []),
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_prometheus",
    "agents",
    "knowledge",
    "telephony",
    "crm",
    "voiceops.console",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "voiceops.urls"
ASGI_APPLICATION = "voiceops.asgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASE_URL = env.text("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/voiceops")
DATABASES = {"default": database.parse(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.url("REDIS_URL", "redis://127.0.0.1:6379/0", schemes=("redis", "rediss", "unix"))
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "voiceops"},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/login/"

LANGUAGE_CODE = "en"
TIME_ZONE = "Asia/Kolkata"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "voiceops" / "console" / "assets"]
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "PAGE_SIZE": 25,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "VoiceOps",
    "DESCRIPTION": "Calls, turns and every decision behind them.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 600
# A task whose worker was killed comes back after this; no task may run as long.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
# On SIGTERM, running tasks get this long; then they go back to the queue.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3.0
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "deliver-outbox": {"task": "crm.tasks.deliver_due", "schedule": timedelta(seconds=2)},
    "extend-visit-slots": {"task": "crm.tasks.ensure_slots", "schedule": timedelta(hours=6)},
    "heartbeat": {"task": "voiceops.console.tasks.heartbeat", "schedule": timedelta(seconds=5)},
    "embed-examples": {"task": "agents.tasks.embed_examples", "schedule": timedelta(minutes=1)},
    "index-documents": {"task": "knowledge.tasks.index_pending", "schedule": timedelta(minutes=1)},
    "expire-recordings": {"task": "agents.tasks.expire_recordings", "schedule": timedelta(hours=6)},
}

# The voice platform ---------------------------------------------------------------------------

VOICEOPS: dict[str, Any] = {
    "STT": env.text("VOICEOPS_STT", "faster_whisper"),
    "STT_FALLBACKS": env.listing("VOICEOPS_STT_FALLBACKS", "pocketsphinx"),
    "LLM": env.text("VOICEOPS_LLM", "openai"),
    "LLM_URL": env.url("VOICEOPS_LLM_URL", "http://127.0.0.1:8012/v1", schemes=("http", "https")),
    "LLM_MODEL": env.text("VOICEOPS_LLM_MODEL", "smollm2-135m-instruct"),
    # Languages in which the model may answer; others are answered by template.
    "LLM_LANGUAGES": env.listing("VOICEOPS_LLM_LANGUAGES", "en"),
    "LLM_API_KEY": env.raw("VOICEOPS_LLM_API_KEY") or "",
    "TTS": env.text("VOICEOPS_TTS", "hibari"),
    "TTS_FALLBACKS": env.listing("VOICEOPS_TTS_FALLBACKS", "piper,espeak"),
    "VAD": env.text("VOICEOPS_VAD", "silero"),
    "SIM_STT_MS": env.integer("VOICEOPS_SIM_STT_MS", 120),
    "SIM_LLM_FIRST_TOKEN_MS": env.integer("VOICEOPS_SIM_LLM_FIRST_TOKEN_MS", 250),
    "SIM_LLM_TOKEN_MS": env.integer("VOICEOPS_SIM_LLM_TOKEN_MS", 15),
    "SIM_TTS_FIRST_AUDIO_MS": env.integer("VOICEOPS_SIM_TTS_FIRST_AUDIO_MS", 120),
    # gRPC targets of the inference servers.
    "SPEECH_TARGET": env.text("VOICEOPS_SPEECH_TARGET", "127.0.0.1:8013"),
    "VOICE_TARGET": env.text("VOICEOPS_VOICE_TARGET", "127.0.0.1:8014"),
    "PIPER_TARGET": env.text("VOICEOPS_PIPER_TARGET", "127.0.0.1:8015"),
    # Where the web process relays call sockets to; empty: it serves them itself (runserver).
    "MEDIA_URL": env.optional_url("VOICEOPS_MEDIA_URL", schemes=("ws", "wss")),
    # The demo is seeded here: the sign-in page tells its login.
    "DEMO": env.boolean("VOICEOPS_DEMO", False),
    "PUBLIC_URL": env.optional_url("VOICEOPS_PUBLIC_URL", schemes=("http", "https")),
    "CRM_CONNECTOR": env.text("VOICEOPS_CRM_CONNECTOR", "http"),
    "CRM_URL": env.url("VOICEOPS_CRM_URL", "http://127.0.0.1:8016", schemes=("http", "https")),
    "RECORDINGS_DIR": DATA_DIR / "recordings",
    # Answers are planned while callers still speak, up to so many live calls a process (0: any number).
    "SPECULATION": env.boolean("VOICEOPS_SPECULATION", True),
    "SPECULATION_MAX_CALLS": env.integer("VOICEOPS_SPECULATION_MAX_CALLS", 4),
    "STREAM_TOKEN_TTL_S": env.integer("VOICEOPS_STREAM_TOKEN_TTL_S", 60, minimum=5),
    # Limits of a call socket; see telephony/limits.py. MAX_CALLS counts the whole platform, 0: none.
    "MAX_CALLS": env.integer("VOICEOPS_MAX_CALLS", 200),
    "MAX_CALL_S": env.integer("VOICEOPS_MAX_CALL_S", 3600, minimum=10),
    "MEDIA_IDLE_S": env.integer("VOICEOPS_MEDIA_IDLE_S", 30, minimum=5),
    "MEDIA_SILENCE_S": env.integer("VOICEOPS_MEDIA_SILENCE_S", 300, minimum=10),
    "WEB_URL": env.url("VOICEOPS_WEB_URL", "http://127.0.0.1:8000", schemes=("http", "https")),
}
CRM_ON_DELIVERY = "voiceops.console.hooks.note_delivery"
AGENTS_CRM_STATE = "voiceops.console.hooks.crm_state"
AGENTS_SOURCES = "voiceops.console.hooks.source_names"
TELEPHONY_AGENTS = "voiceops.console.hooks.agent_choices"
UNFOLD = admin.UNFOLD
TWILIO_AUTH_TOKEN = env.raw("TWILIO_AUTH_TOKEN") or ""

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.text("VOICEOPS_LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
