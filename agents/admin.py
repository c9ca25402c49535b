"""Agents and intents, to be edited; calls, to be found."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from agents import services, tasks
from agents.details import language_name
from agents.forms import (
    BUDGET_FIELDS,
    REQUIRED_LINES,
    TEMPLATE_FIELDS,
    AgentForm,
    IntentForm,
    line_codes,
    line_field,
)
from agents.models import Agent, Conversation, Intent, IntentExample, Turn
from voiceops.admin import ReadOnlyAdmin, ReadOnlyInline, explained
from voiceops.core.plan import LANGUAGE_NAMES

_OUTCOME_COLOURS = {
    "answered": "success", "booked": "success", "handover": "info", "no_answer_found": "warning",
    "abandoned": "warning", "failed": "danger",
}  # fmt: skip


def _line_fieldsets() -> list[tuple[str, dict[str, Any]]]:
    own = [code for code in line_codes() if code not in REQUIRED_LINES]
    sets: list[tuple[str, dict[str, Any]]] = []
    for language, name in LANGUAGE_NAMES.items():
        sets.append(
            (
                f"{name} lines",
                {
                    "classes": ["tab"],
                    "fields": [line_field(language, code) for code in (*REQUIRED_LINES, *own)],
                    "description": explained(
                        "What is always said the same way. An empty field says the grey text; the first "
                        f"{len(REQUIRED_LINES)} are required in the default language."
                    ),
                },
            )
        )
    return sets


@admin.register(Agent)
class AgentAdmin(ModelAdmin):
    form = AgentForm
    list_display = ("name", "slug", "spoken", "intent_count", "state", "updated_at")
    list_display_links = ("name",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": (("name", "slug"), "is_active", "persona", "languages", "default_language")}),
        ("Voices", {"classes": ["tab"], "fields": tuple(f"voices_{tag}" for tag in LANGUAGE_NAMES)}),
        *_line_fieldsets(),
        (
            "Turn budget",
            {
                "classes": ["tab"],
                "fields": BUDGET_FIELDS,
                "description": explained(
                    "Milliseconds. An empty field keeps the platform's own, in grey. A stage that would "
                    "miss its share is answered a cheaper way while there is still time; the trace of a "
                    "call tells which."
                ),
            },
        ),
        (
            "Turn-taking",
            {
                "classes": ["tab"],
                "fields": ("turn_model", "speculation"),
                "description": explained("When the agent answers, and how early it prepares to."),
            },
        ),
        ("Recording", {"classes": ["tab"], "fields": ("record_calls", "retention_days")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        agents: QuerySet[Agent] = super().get_queryset(request)
        return agents.annotate(intents_total=Count("intents"))

    @display(description="Languages")
    def spoken(self, agent: Agent) -> str:
        return ", ".join(language_name(tag) for tag in agent.languages)

    @display(description="Intents")
    def intent_count(self, agent: Any) -> SafeString:
        address = f"{reverse('admin:agents_intent_changelist')}?agent__id__exact={agent.pk}"
        return format_html(
            '<a class="text-primary-600 underline" href="{}">{}</a>', address, agent.intents_total
        )

    @display(description="State", label={"answers calls": "success", "off": "warning"})
    def state(self, agent: Agent) -> str:
        return "answers calls" if agent.is_active else "off"


class ExampleForm(forms.ModelForm):
    language = forms.ChoiceField(choices=list(LANGUAGE_NAMES.items()), widget=UnfoldAdminSelectWidget)
    text = forms.CharField(max_length=300, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = IntentExample
        fields = ("language", "text")


class ExampleInline(TabularInline):
    model = IntentExample
    form = ExampleForm
    fields = ("language", "text", "state")
    readonly_fields = ("state",)
    extra = 1
    tab = True
    verbose_name = "example"
    verbose_name_plural = "Examples: what callers say"

    @display(description="Recognised", label={"yes": "success", "soon": "warning"})
    def state(self, example: IntentExample) -> str:
        if example.pk is None:
            return ""
        return "yes" if example.embedding is not None else "soon"


@admin.register(Intent)
class IntentAdmin(ModelAdmin):
    form = IntentForm
    inlines = (ExampleInline,)
    list_display = ("label", "slug", "agent", "kind", "asks", "example_count", "state")
    list_filter = ("agent", "kind")
    search_fields = ("label", "slug", "examples__text")
    list_select_related = ("agent",)
    prepopulated_fields = {"slug": ("label",)}
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("agent", ("label", "slug"), "kind", "source_names", "line")}),
        (
            "Sentences",
            {
                "classes": ["tab"],
                "fields": TEMPLATE_FIELDS,
                "description": explained(
                    "How an answer is said when it is built from the record: plain text with placeholders "
                    "such as {project}, {locality}, {property_type}, {price}, {units_available}."
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Intent]:
        intents: QuerySet[Intent] = super().get_queryset(request)
        return intents.annotate(
            examples_total=Count("examples", distinct=True),
            examples_waiting=Count("examples", filter=Q(examples__embedding=None), distinct=True),
        )

    @display(description="Knowledge")
    def asks(self, intent: Intent) -> str:
        return ", ".join(intent.sources) or "–"

    @display(description="Examples", ordering="examples_total")
    def example_count(self, intent: Any) -> int:
        return int(intent.examples_total)

    @display(
        description="State",
        label={"recognised": "success", "learning": "warning", "no examples": "danger", "fallback": "info"},
    )
    def state(self, intent: Any) -> str:
        if intent.slug == "unknown":
            return "fallback"
        if not intent.examples_total:
            return "no examples"
        return "learning" if intent.examples_waiting else "recognised"

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is IntentExample:
            changed = [example.pk for example, _ in formset.changed_objects]
            services.forget_embeddings(example_ids=changed)
            if changed or formset.new_objects:
                # A broker that is away must not lose the edit: the beat embeds what waits.
                transaction.on_commit(tasks.embed_examples.delay, robust=True)


class TurnInline(ReadOnlyInline):
    model = Turn
    fields = ("index", "heard", "said", "intent", "latency", "crm_sync")
    readonly_fields = fields

    @display(description="Latency")
    def latency(self, turn: Turn) -> str:
        return "–" if turn.latency_ms is None else f"{turn.latency_ms:.0f} ms"


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    inlines = (TurnInline,)
    list_display = (
        "started_at", "customer", "agent", "channel", "spoken", "result", "degraded", "trace",
    )  # fmt: skip
    list_filter = ("outcome", "is_degraded", "channel", "agent", "is_demo")
    search_fields = ("session_id", "customer_name", "pii_caller")
    date_hierarchy = "started_at"
    list_select_related = ("agent",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("trace", "session_id"), ("started_at", "ended_at"), ("agent", "channel"),
                    ("customer", "spoken"), ("result", "ended_reason"), ("degraded", "is_demo"), "engines",
                )
            },
        ),
        (
            "Recording",
            {"classes": ["tab"], "fields": ("recording_consent", "recording_ms", "retain_until")},
        ),
        ("Losses", {"classes": ["tab"], "fields": ("dropped_frames", "dropped_traces")}),
    )  # fmt: skip
    readonly_fields = ("trace", "customer", "spoken", "result", "degraded")

    @display(description="Customer")
    def customer(self, call: Conversation) -> str:
        return call.customer_name or call.pii_caller or "–"

    @display(description="Language")
    def spoken(self, call: Conversation) -> str:
        return language_name(call.language) or "–"

    @display(description="Outcome", ordering="outcome", label=_OUTCOME_COLOURS)
    def result(self, call: Conversation) -> str:
        return call.outcome or "live"

    @display(description="Ran", ordering="is_degraded", label={"degraded": "warning"})
    def degraded(self, call: Conversation) -> str:
        return "degraded" if call.is_degraded else "normally"

    @display(description="Trace")
    def trace(self, call: Conversation) -> SafeString:
        return format_html(
            '<a class="text-primary-600 underline" href="{}">Every decision</a>',
            reverse("trace", args=[call.session_id]),
        )
