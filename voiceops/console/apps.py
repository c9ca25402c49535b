from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "voiceops.console"
    label = "console"
