"""Addresses of the operator's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from voiceops.console import health, views
from voiceops.console.health import healthz
from voiceops.console.security import page, strict

missing = strict(views.missing)
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", page(views.home), name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("login/", strict(views.Login.as_view()), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("call/", page(views.softphone), name="softphone"),
    path("calls/", page(views.calls), name="calls"),
    path("calls/<str:session_id>/", page(views.trace), name="trace"),
    path("calls/<str:session_id>/turns/<int:index>/", page(views.turn), name="turn"),
    path("calls/<str:session_id>/peaks/", page(views.call_peaks), name="call-peaks"),
]
