"""Addresses below `/api/`."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from voiceops.console.rest import alarms, views

urlpatterns = [
    path("v1/calls/", views.Calls.as_view(), name="api-calls"),
    path("v1/calls/<str:session_id>/", views.Call.as_view(), name="api-call"),
    path("v1/calls/<str:session_id>/audio/", views.CallAudio.as_view(), name="api-call-audio"),
    path("v1/alarms/", alarms.Alarms.as_view(), name="api-alarms"),
    path("v1/alarms/<int:alarm_id>/", alarms.Alarm.as_view(), name="api-alarm"),
    path("v1/alarms/<int:alarm_id>/audio/", alarms.AlarmAudio.as_view(), name="api-alarm-audio"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
]
