"""Every page and endpoint of the web process."""

from django.contrib import admin
from django.urls import include, path

import agents.api
from telephony.urls import routes as telephony_routes
from voiceops.console.metrics import metrics
from voiceops.core.errors import ConfigurationError


def agent_known(slug: str) -> bool:
    """Whether an active agent answers to `slug`; empty: the default one."""
    try:
        agents.api.load_profile(slug)
    except ConfigurationError:
        return False
    return True


urlpatterns = [
    path("admin/", admin.site.urls),
    path("telephony/", include(telephony_routes(agent_known=agent_known))),
    path("api/", include("voiceops.console.rest.urls")),
    path("metrics", metrics),
    path("", include("voiceops.console.urls")),
]
handler404 = "voiceops.console.urls.missing"
