from django.apps import AppConfig
from django.core import checks


class CrmConfig(AppConfig):
    name = "crm"

    def ready(self) -> None:
        from crm.checks import connector_is_known

        checks.register(connector_is_known)
