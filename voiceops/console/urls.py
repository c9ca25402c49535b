"""Addresses of the operator's pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from voiceops.console import alarms, trace, views
from voiceops.console.health import healthz
from voiceops.console.security import page, strict

missing = strict(views.missing)
urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", page(views.home), name="home"),
    path("login/", strict(views.Login.as_view()), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("call/", page(views.softphone), name="softphone"),
    path("alarms/", page(alarms.alarms), name="alarms"),
    path("alarms/<int:alarm_id>/", page(alarms.alarm), name="alarm"),
    path("calls/", page(views.calls), name="calls"),
    path("calls/<str:session_id>/", page(trace.trace), name="trace"),
    path("calls/<str:session_id>/turns/<int:index>/", page(trace.turn), name="turn"),
    path("calls/<str:session_id>/peaks/", page(trace.call_peaks), name="call-peaks"),
]
