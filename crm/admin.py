"""Customers and promises: people may be edited, what was promised is only looked at."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from crm import outbox
from crm.models import (
    Customer,
    FactLog,
    HandoverRequest,
    Interaction,
    OutboxEntry,
    Quote,
    SiteVisit,
    VisitSlot,
)
from voiceops.admin import ReadOnlyAdmin, ReadOnlyInline
from voiceops.core.rupees import in_words


def _trace_link(session_id: str) -> SafeString | str:
    if not session_id:
        return "–"
    return format_html(
        '<a class="text-primary-600 underline" href="{}">Open the call</a>',
        reverse("trace", args=[session_id]),
    )


class InteractionInline(ReadOnlyInline):
    model = Interaction
    fields = ("at", "kind", "summary")
    readonly_fields = fields


class QuoteInline(ReadOnlyInline):
    model = Quote
    fields = ("quoted_at", "project_name", "property_type", "price", "emi")
    readonly_fields = fields

    @display(description="Price")
    def price(self, quote: Quote) -> str:
        return in_words(quote.price_inr)

    @display(description="Monthly instalment")
    def emi(self, quote: Quote) -> str:
        return in_words(quote.emi_inr)


class VisitInline(ReadOnlyInline):
    model = SiteVisit
    fields = ("slot", "status", "created_at")
    readonly_fields = fields


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    inlines = (QuoteInline, InteractionInline, VisitInline)
    list_display = ("pii_name", "pii_phone", "pii_email", "language", "created_at")
    list_filter = ("language",)
    search_fields = ("pii_name", "pii_phone", "pii_email")
    fields = (("pii_name", "language"), ("pii_phone", "pii_email"))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.label = str(db_field.verbose_name).removeprefix("pii ").capitalize()
        return field


@admin.register(Quote)
class QuoteAdmin(ReadOnlyAdmin):
    list_display = ("quoted_at", "customer", "project_name", "property_type", "price", "emi", "terms")
    list_filter = ("project_name", "property_type")
    search_fields = ("customer__pii_name", "customer__pii_phone", "project_name")
    list_select_related = ("customer",)

    @display(description="Price", ordering="price_inr")
    def price(self, quote: Quote) -> str:
        return in_words(quote.price_inr)

    @display(description="Monthly instalment", ordering="emi_inr")
    def emi(self, quote: Quote) -> str:
        return in_words(quote.emi_inr)

    @display(description="Terms")
    def terms(self, quote: Quote) -> str:
        return f"{quote.tenure_months} months at {quote.annual_rate_percent}%"


class FreeFilter(admin.SimpleListFilter):
    title = "availability"
    parameter_name = "availability"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("free", "Free"), ("booked", "Booked"), ("past", "Past")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[VisitSlot]) -> QuerySet[VisitSlot]:
        booked, now = Q(visits__status="booked"), timezone.now()
        if self.value() == "free":
            return queryset.filter(starts_at__gte=now).exclude(booked)
        if self.value() == "booked":
            return queryset.filter(booked, starts_at__gte=now)
        return queryset.filter(starts_at__lt=now) if self.value() == "past" else queryset


@admin.register(VisitSlot)
class VisitSlotAdmin(ModelAdmin):
    list_display = ("starts_at", "project_name", "state")
    list_filter = (FreeFilter, "project_name")
    search_fields = ("project_name", "project_slug")
    date_hierarchy = "starts_at"
    fields = (("project_name", "project_slug"), "starts_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[VisitSlot]:
        slots: QuerySet[VisitSlot] = super().get_queryset(request)
        return slots.prefetch_related("visits")

    @display(description="State", label={"free": "success", "booked": "info", "past": "default"})
    def state(self, slot: VisitSlot) -> str:
        if any(visit.status == "booked" for visit in slot.visits.all()):
            return "booked"
        return "free" if slot.starts_at >= timezone.now() else "past"


@admin.register(SiteVisit)
class SiteVisitAdmin(ReadOnlyAdmin):
    list_display = ("slot", "visitor", "status", "delivery", "created_at", "trace")
    list_filter = ("status", "slot__project_name")
    search_fields = ("pii_name", "pii_phone", "slot__project_name")
    list_select_related = ("slot", "fact", "fact__outbox")
    fields = (("slot", "status"), ("pii_name", "pii_phone"), "customer", "delivery", "trace", "created_at")
    readonly_fields = ("delivery", "trace")

    @display(description="Visitor")
    def visitor(self, visit: SiteVisit) -> str:
        return visit.pii_name or visit.pii_phone or "–"

    @display(
        description="CRM",
        label={"success": "success", "queued": "warning", "delivering": "warning", "failed": "danger"},
    )
    def delivery(self, visit: SiteVisit) -> str:
        entry = getattr(visit.fact, "outbox", None)
        return entry.state if entry else "none"

    @display(description="Trace")
    def trace(self, visit: SiteVisit) -> SafeString | str:
        return _trace_link(visit.fact.session_id)


@admin.register(HandoverRequest)
class HandoverRequestAdmin(ModelAdmin):
    list_display = ("created_at", "caller", "reason", "state", "trace")
    list_filter = ("is_done",)
    search_fields = ("pii_phone", "reason", "customer__pii_name")
    list_select_related = ("customer", "fact")
    actions = ("mark_done",)
    fields = ("is_done", "caller", "reason", "trace", "created_at")
    readonly_fields = ("caller", "reason", "trace", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Caller")
    def caller(self, request: HandoverRequest) -> str:
        name = request.customer.pii_name if request.customer else ""
        return ", ".join(filter(None, (name, request.pii_phone))) or "unknown"

    @display(description="State", ordering="is_done", label={"called back": "success", "waits": "warning"})
    def state(self, request: HandoverRequest) -> str:
        return "called back" if request.is_done else "waits"

    @display(description="Trace")
    def trace(self, request: HandoverRequest) -> SafeString | str:
        return _trace_link(request.fact.session_id)

    @action(description="Mark as called back", permissions=["change"])
    def mark_done(self, request: HttpRequest, queryset: QuerySet[HandoverRequest]) -> None:
        done = queryset.filter(is_done=False).update(is_done=True)
        self.message_user(request, f"{done} marked as called back.", messages.SUCCESS)


@admin.register(OutboxEntry)
class OutboxEntryAdmin(ReadOnlyAdmin):
    list_disable_select_all = False
    list_display = ("promised", "connector", "status", "attempts", "next_attempt_at", "last_error", "trace")
    list_filter = ("state", "connector")
    search_fields = ("idempotency_key", "external_ref", "fact__session_id")
    list_select_related = ("fact",)
    actions = ("deliver_again",)
    actions_detail = ("deliver_this_again",)
    fields = (
        ("promised", "trace"), ("connector", "status"), ("attempts", "next_attempt_at"),
        ("delivered_at", "external_ref"), "last_error", "idempotency_key", "what",
    )  # fmt: skip
    readonly_fields = ("promised", "trace", "status", "what")

    @display(description="Promise")
    def promised(self, entry: OutboxEntry) -> str:
        return f"{entry.fact.kind.replace('_', ' ')}, {timezone.localtime(entry.fact.created_at):%d %b %H:%M}"

    @display(
        description="State", ordering="state",
        label={"success": "success", "queued": "warning", "delivering": "info", "failed": "danger"},
    )  # fmt: skip
    def status(self, entry: OutboxEntry) -> str:
        return entry.state

    @display(description="Trace")
    def trace(self, entry: OutboxEntry) -> SafeString | str:
        return _trace_link(entry.fact.session_id)

    @display(description="What is sent")
    def what(self, entry: OutboxEntry) -> SafeString:
        text = json.dumps(entry.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="whitespace-pre-wrap">{}</pre>', text)

    def has_deliver_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delivering again writes nothing here; whoever may change entries may ask for it."""
        return bool(request.user.has_perm("crm.change_outboxentry"))

    @action(description="Deliver again", permissions=["deliver"])
    def deliver_again(self, request: HttpRequest, queryset: QuerySet[OutboxEntry]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        self._requeue(request, chosen)

    @action(description="Deliver again", permissions=["deliver"])
    def deliver_this_again(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        self._requeue(request, [int(object_id)])
        return HttpResponseRedirect(reverse("admin:crm_outboxentry_change", args=[object_id]))

    def _requeue(self, request: HttpRequest, chosen: list[int]) -> None:
        queued = outbox.requeue(chosen)
        if queued:
            self.message_user(request, f"{queued} will be delivered in a moment.", messages.SUCCESS)
        if left := len(chosen) - queued:
            self.message_user(
                request, f"{left} left alone: only failed entries are delivered again.", messages.WARNING
            )


@admin.register(FactLog)
class FactLogAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind", "session_id", "turn_index")
    list_filter = ("kind",)
    search_fields = ("fact_id", "session_id")
