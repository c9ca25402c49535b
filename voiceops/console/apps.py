from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "voiceops.console"
    label = "console"

    def ready(self) -> None:
        # Tasks queued by any thread of any Django process go to this platform's broker.
        from voiceops.celery import app

        app.set_default()
