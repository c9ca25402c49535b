"""Addresses below `/api/`."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from voiceops.console.rest import views

urlpatterns = [
    path("v1/calls/", views.Calls.as_view(), name="api-calls"),
    path("v1/calls/<str:session_id>/", views.Call.as_view(), name="api-call"),
    path("v1/calls/<str:session_id>/audio/", views.CallAudio.as_view(), name="api-call-audio"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
]
