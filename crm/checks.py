"""System checks: registry names in the settings."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from crm.connectors import CONNECTORS


def connector_is_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    name = str(settings.VOICEOPS["CRM_CONNECTOR"])
    if name in CONNECTORS:
        return []
    known = ", ".join(CONNECTORS)
    return [Error(f"VOICEOPS_CRM_CONNECTOR={name!r} is not one of {known}", id="crm.E001")]
