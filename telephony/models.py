"""How calls arrive: the carrier's side of a call."""

from __future__ import annotations

from django.db import models


class PhoneNumber(models.Model):
    """A number people call, and the agent that answers it."""

    e164 = models.CharField(max_length=20, unique=True)
    agent_slug = models.SlugField()
    label = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["e164"]

    def __str__(self) -> str:
        return self.e164


class Call(models.Model):
    """One call as the carrier sees it."""

    session_id = models.CharField(max_length=64, unique=True)
    transport = models.CharField(max_length=32)
    carrier_ref = models.CharField(max_length=64, blank=True, db_index=True)
    pii_from = models.CharField(max_length=32, blank=True)
    pii_to = models.CharField(max_length=32, blank=True)
    direction = models.CharField(max_length=8, default="inbound")
    agent_slug = models.SlugField(blank=True)
    status = models.CharField(max_length=16, default="ringing", help_text="ringing, live, ended, refused")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.session_id
