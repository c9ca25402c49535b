"""Every page and endpoint of the web process."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("telephony/", include("telephony.urls")),
    path("", include("voiceops.console.urls")),
    path("", include("django_prometheus.urls")),
]
