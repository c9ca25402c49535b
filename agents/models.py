"""Who speaks, and everything kept of what was said."""

from __future__ import annotations

from django.db import models
from pgvector.django import VectorField

from agents.turn_settings import validate_budget, validate_turn_model

EMBEDDING_DIMENSIONS = 384
"""multilingual-e5-small."""


class Agent(models.Model):
    """A persona that answers calls."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    persona = models.TextField(help_text="System prompt. Fixed text only: facts are retrieved.")
    languages = models.JSONField(default=list, help_text='Language tags, e.g. ["en", "hi"].')
    default_language = models.CharField(max_length=8, default="en")
    voices = models.JSONField(
        default=dict,
        help_text='Per language, voices in order of preference: {"en": [{"provider": "hibari"}]}.',
    )
    lines = models.JSONField(
        default=dict, help_text="Per language, fixed lines by code: greeting, filler, recovery, …"
    )
    budget = models.JSONField(
        default=dict,
        blank=True,
        validators=[validate_budget],
        help_text='Overrides of the turn budget in milliseconds, e.g. {"llm_ms": 400}.',
    )
    turn_model = models.CharField(
        max_length=40,
        default="adaptive",
        validators=[validate_turn_model],
        help_text="Registry name of the turn model that ends the caller's turns.",
    )
    speculation = models.BooleanField(
        default=True, help_text="Answers are planned while the caller still speaks."
    )
    record_calls = models.BooleanField(default=True)
    retention_days = models.PositiveIntegerField(default=90)
    is_active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Intent(models.Model):
    """What a caller may want, and how it is answered."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="intents")
    slug = models.SlugField()
    label = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, help_text="answer, flow, social or handover")
    sources = models.JSONField(default=list, blank=True, help_text="Knowledge sources in order.")
    templates = models.JSONField(
        default=dict, blank=True, help_text="Per language: sentence with {values} of the record."
    )
    line = models.CharField(max_length=32, blank=True, help_text="Fixed line for social, handover.")

    class Meta:
        ordering = ["slug"]
        constraints = [models.UniqueConstraint(fields=["agent", "slug"], name="intent_slug_per_agent")]

    def __str__(self) -> str:
        return self.label


class IntentExample(models.Model):
    intent = models.ForeignKey(Intent, on_delete=models.CASCADE, related_name="examples")
    language = models.CharField(max_length=8, default="en")
    text = models.CharField(max_length=300)
    embedding = VectorField(dimensions=EMBEDDING_DIMENSIONS, null=True, editable=False)

    class Meta:
        ordering = ["language", "text"]

    def __str__(self) -> str:
        return self.text


class Conversation(models.Model):
    """One call (later: one chat), with what came of it."""

    session_id = models.CharField(max_length=64, unique=True)
    agent = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="conversations")
    channel = models.CharField(max_length=32)
    direction = models.CharField(max_length=8, default="inbound")
    pii_caller = models.CharField(max_length=32, blank=True)
    customer_id = models.BigIntegerField(null=True, blank=True)
    customer_name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=8, blank=True)
    started_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(
        max_length=32,
        blank=True,
        db_index=True,
        help_text="booked, answered, handover, abandoned, no_answer_found, failed, …",
    )
    ended_reason = models.CharField(max_length=64, blank=True)
    is_degraded = models.BooleanField(default=False)
    is_demo = models.BooleanField(default=False)
    engines = models.JSONField(default=dict, blank=True, help_text="Engine in use per stage.")
    dropped_traces = models.PositiveIntegerField(default=0)
    dropped_frames = models.PositiveIntegerField(default=0)
    recording = models.CharField(max_length=200, blank=True, help_text="Path below the recordings folder.")
    recording_consent = models.BooleanField(default=False)
    recording_ms = models.PositiveIntegerField(default=0)
    retain_until = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return self.session_id


class Turn(models.Model):
    """The telemetry of one turn and the words of both sides."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    index = models.PositiveIntegerField()
    latency_ms = models.FloatField(null=True)
    stt_ms = models.FloatField(null=True)
    retrieval_ms = models.FloatField(null=True)
    llm_ms = models.FloatField(null=True)
    tts_ms = models.FloatField(null=True)
    language = models.CharField(max_length=8)
    intent = models.CharField(max_length=50, blank=True)
    crm_sync = models.CharField(max_length=16, default="none")
    heard = models.TextField(blank=True)
    said = models.TextField(blank=True)
    planned = models.TextField(blank=True)
    answer_source = models.CharField(max_length=16, blank=True)
    started_ms = models.FloatField(default=0)
    ended_ms = models.FloatField(default=0)
    filler = models.CharField(max_length=300, blank=True)
    filler_ms = models.FloatField(default=0)
    is_interrupted = models.BooleanField(default=False)
    citations = models.JSONField(default=list, blank=True)
    fact_ids = models.JSONField(default=list, blank=True)
    partials = models.JSONField(default=list, blank=True)
    context = models.JSONField(default=dict, blank=True)
    heard_normalised = models.TextField(
        blank=True, help_text="The caller's words with numbers in digits; empty when nothing changed."
    )
    endpoint = models.JSONField(
        default=dict, blank=True, help_text="Why the caller was taken to have finished."
    )
    language_reading = models.JSONField(
        default=dict, blank=True, help_text="Evidence of the language, and what was made of it."
    )
    memory = models.JSONField(
        default=dict, blank=True, help_text="Session memory after the turn: facts and changes."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["conversation", "index"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "index"], name="turn_index_per_conversation")
        ]
        indexes = [models.Index(fields=["intent"]), models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.conversation} #{self.index}"


class Span(models.Model):
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="spans")
    name = models.CharField(max_length=32)
    start_ms = models.FloatField()
    duration_ms = models.FloatField()
    budget_ms = models.FloatField(null=True)
    attributes = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["start_ms"]


class BudgetLog(models.Model):
    """One stage of a turn against its budget: what the caller waited for it."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="budget")
    stage = models.CharField(max_length=16)
    budget_ms = models.FloatField()
    actual_ms = models.FloatField(null=True)
    degraded = models.CharField(max_length=50, blank=True)

    class Meta:
        ordering = ["pk"]


class SpeculationLog(models.Model):
    """Work begun before it was certain to be needed, and what became of it."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="speculations")
    kind = models.CharField(max_length=16)
    basis = models.TextField(blank=True)
    started_ms = models.FloatField()
    outcome = models.CharField(max_length=16)
    compute_ms = models.FloatField(default=0)
    tokens = models.PositiveIntegerField(default=0)
    saved_ms = models.FloatField(default=0)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["started_ms", "pk"]


class RetrievalLog(models.Model):
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="retrievals")
    query = models.TextField()
    source = models.CharField(max_length=32)
    outcome = models.CharField(max_length=16)
    latency_ms = models.FloatField()
    chunk = models.CharField(max_length=100, blank=True, db_index=True)
    version = models.CharField(max_length=64, blank=True)
    score = models.FloatField(null=True)
    age_s = models.FloatField(null=True)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ["pk"]


class ToolCall(models.Model):
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="tools")
    name = models.CharField(max_length=50)
    arguments = models.JSONField(default=dict)
    outcome = models.CharField(max_length=16)
    latency_ms = models.FloatField()
    result = models.JSONField(default=dict)
    fact_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["pk"]


class DecisionLog(models.Model):
    """Something was done differently on purpose, and why."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="decisions")
    turn = models.ForeignKey(Turn, null=True, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=16)
    code = models.CharField(max_length=50)
    reason = models.TextField()
    at_ms = models.FloatField()

    class Meta:
        ordering = ["at_ms", "pk"]


class Alarm(models.Model):
    """Something about a turn that a person should judge."""

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=32, help_text="language: it may have been misjudged.")
    reason = models.TextField()
    language = models.CharField(max_length=8, blank=True, help_text="What the call was taken to be in.")
    start_ms = models.FloatField(null=True, help_text="Of the caller's words in the recording.")
    end_ms = models.FloatField(null=True)
    state = models.CharField(
        max_length=16, default="open", db_index=True, help_text="open, acknowledged or resolved"
    )
    verdict = models.CharField(
        max_length=8, blank=True, help_text="The language that was really spoken, as an operator heard it."
    )
    handled_by = models.CharField(max_length=150, blank=True)
    handled_at = models.DateTimeField(null=True, blank=True)
    raised_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-raised_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["turn", "kind"], name="one_alarm_of_a_kind_per_turn")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.turn}"
