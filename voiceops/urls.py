"""Every page and endpoint of the web process."""

from django.contrib import admin
from django.urls import include, path

from voiceops.console.metrics import metrics

urlpatterns = [
    path("admin/", admin.site.urls),
    path("telephony/", include("telephony.urls")),
    path("api/", include("voiceops.console.rest.urls")),
    path("metrics", metrics),
    path("", include("voiceops.console.urls")),
]
handler404 = "voiceops.console.urls.missing"
