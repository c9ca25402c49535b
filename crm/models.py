"""Who the customer is, and what we promised."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Customer(models.Model):
    pii_name = models.CharField(max_length=120)
    pii_phone = models.CharField(max_length=20, unique=True, help_text="E.164")
    pii_email = models.EmailField(blank=True)
    language = models.CharField(max_length=8, default="en")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pii_name"]

    def __str__(self) -> str:
        return self.pii_name


class Interaction(models.Model):
    """Something that happened with a customer, in any channel."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="interactions")
    kind = models.CharField(max_length=32, help_text="call, email, visit, note, …")
    at = models.DateTimeField()
    summary = models.CharField(max_length=300)
    summary_hi = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.kind}, {self.at:%d %b %Y}"


class Quote(models.Model):
    """A price and instalment that was quoted to a customer."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="quotes")
    project_slug = models.SlugField()
    project_name = models.CharField(max_length=100)
    property_type = models.CharField(max_length=16)
    price_inr = models.BigIntegerField()
    emi_inr = models.BigIntegerField()
    tenure_months = models.PositiveIntegerField()
    annual_rate_percent = models.DecimalField(max_digits=5, decimal_places=2)
    quoted_at = models.DateTimeField()

    class Meta:
        ordering = ["-quoted_at"]

    def __str__(self) -> str:
        return f"{self.property_type} {self.project_name}"


class VisitSlot(models.Model):
    """A time at which one party can be shown round a project."""

    project_slug = models.SlugField()
    project_name = models.CharField(max_length=100)
    starts_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["project_slug", "starts_at"], name="slot_per_project_time")
        ]

    def __str__(self) -> str:
        return f"{self.project_name} {self.starts_at:%d %b %H:%M}"


class FactLog(models.Model):
    """Durable append log of what was promised; the first thing written."""

    fact_id = models.CharField(max_length=64, primary_key=True)
    kind = models.CharField(max_length=32)
    session_id = models.CharField(max_length=64, db_index=True)
    turn_index = models.PositiveIntegerField()
    payload = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.fact_id


class SiteVisit(models.Model):
    """A booked visit. One booked visit a slot, by constraint."""

    fact = models.OneToOneField(FactLog, on_delete=models.PROTECT, related_name="site_visit")
    slot = models.ForeignKey(VisitSlot, on_delete=models.PROTECT, related_name="visits")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, related_name="visits")
    pii_name = models.CharField(max_length=120, blank=True)
    pii_phone = models.CharField(max_length=20, blank=True)
    status = models.CharField(max_length=16, default="booked", help_text="booked or cancelled")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["slot"], condition=Q(status="booked"), name="one_booked_visit_per_slot"
            )
        ]

    def __str__(self) -> str:
        return f"Visit to {self.slot}"


class HandoverRequest(models.Model):
    """A caller who must be called back by a person."""

    fact = models.OneToOneField(FactLog, on_delete=models.PROTECT, related_name="handover")
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, related_name="handovers")
    pii_phone = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=200)
    is_done = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Call back: {self.reason}"


class OutboxEntry(models.Model):
    """One write that a CRM must receive exactly once; written with its business row."""

    fact = models.OneToOneField(FactLog, on_delete=models.PROTECT, related_name="outbox")
    connector = models.CharField(max_length=32)
    idempotency_key = models.CharField(max_length=64, unique=True)
    payload = models.JSONField()
    state = models.CharField(max_length=16, default="queued", help_text="queued, delivering, success, failed")
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_index=True)
    claimed_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    external_ref = models.CharField(max_length=64, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "outbox entries"

    def __str__(self) -> str:
        return f"{self.fact_id} to {self.connector}"
