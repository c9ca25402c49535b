"""Calls as JSON: the field names here are the public contract of `/api/v1/calls/`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from agents import api as agents

Data = dict[str, Any]


class TelemetrySerializer(serializers.Serializer[Any]):
    """Exactly what is measured of every turn."""

    session_id = serializers.CharField()
    latency_ms = serializers.FloatField(
        allow_null=True, help_text="Caller's last speech frame to first audible answer frame."
    )
    stt_ms = serializers.FloatField(allow_null=True)
    retrieval_ms = serializers.FloatField(allow_null=True)
    llm_ms = serializers.FloatField(allow_null=True, help_text="To the first usable clause.")
    tts_ms = serializers.FloatField(allow_null=True, help_text="To the first audio of the first clause.")
    language = serializers.CharField(help_text="English, Hindi")
    intent = serializers.CharField(allow_blank=True)
    crm_sync = serializers.ChoiceField(choices=["none", "queued", "success", "failed"])


class CitationSerializer(serializers.Serializer[Any]):
    source = serializers.CharField(default="")  # type: ignore[assignment]
    chunk = serializers.CharField(default="")
    version = serializers.CharField(default="")
    title = serializers.CharField(default="")
    text = serializers.CharField(default="")


class PartialSerializer(serializers.Serializer[Any]):
    at_ms = serializers.FloatField(default=0.0)
    text = serializers.CharField(default="")
    kind = serializers.CharField(
        default="partial", help_text="partial, stable (words that no later decode takes back) or final"
    )


class SpanSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    start_ms = serializers.FloatField(help_text="Since the call was answered.")
    duration_ms = serializers.FloatField()
    budget_ms = serializers.FloatField(allow_null=True)
    over_budget = serializers.BooleanField()
    attributes = serializers.DictField()


class RetrievalSerializer(serializers.Serializer[Any]):
    query = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    outcome = serializers.CharField(help_text="ok, stale, timed_out, denied, empty or error")
    latency_ms = serializers.FloatField()
    chunk = serializers.CharField(allow_blank=True)
    version = serializers.CharField(allow_blank=True)
    score = serializers.FloatField(allow_null=True)
    age_s = serializers.FloatField(allow_null=True)
    text = serializers.CharField(allow_blank=True)


class ToolSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    arguments = serializers.DictField()
    outcome = serializers.CharField()
    latency_ms = serializers.FloatField()
    result = serializers.DictField()
    fact_id = serializers.CharField(allow_blank=True)


class DecisionSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="degrade, escalation, grounding or refusal")
    code = serializers.CharField()
    reason = serializers.CharField()
    at_ms = serializers.FloatField()
    turn = serializers.IntegerField(allow_null=True)


class EndpointSerializer(serializers.Serializer[Any]):
    """Why the caller was taken to have finished."""

    silence_ms = serializers.FloatField(help_text="From the last voiced frame to the decision.")
    wait_ms = serializers.FloatField(help_text="The silence that the turn model asked for.")
    completeness = serializers.FloatField(help_text="0 (goes on) to 1 (has finished).")
    reason = serializers.CharField(
        allow_blank=True,
        help_text="complete, incomplete, dictation, backchannel, plain, too_long, cut_off, typed or dtmf",
    )
    model = serializers.CharField(allow_blank=True, help_text="Registry name of the turn model.")


class LanguageSignSerializer(serializers.Serializer[Any]):
    source = serializers.CharField(help_text="acoustic, script or words")  # type: ignore[assignment]
    language = serializers.CharField(help_text="Tag: en, hi")
    strength = serializers.FloatField(help_text="0 to 1.")
    detail = serializers.CharField(allow_blank=True)


class LanguageReadingSerializer(serializers.Serializer[Any]):
    """What an utterance said about the caller's language, and what was made of it."""

    signs = LanguageSignSerializer(many=True)
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    doubt = serializers.FloatField(help_text="0 to 1: how near the call is to switching.")
    mixed = serializers.BooleanField(help_text="Two languages in one utterance: no switch.")
    suspicion = serializers.CharField(
        allow_blank=True, help_text="Why the language may be misjudged; empty when nothing says so."
    )


class SpeculationSerializer(serializers.Serializer[Any]):
    """Work begun before it was certain to be needed."""

    kind = serializers.CharField(help_text="prefetch, generation or first_clause")
    basis = serializers.CharField(allow_blank=True, help_text="The words it was planned from.")
    started_ms = serializers.FloatField(help_text="Since the call was answered.")
    outcome = serializers.CharField(help_text="hit, waste or aborted")
    compute_ms = serializers.FloatField()
    tokens = serializers.IntegerField()
    saved_ms = serializers.FloatField(help_text="How much later the turn would have had it; 0 unless a hit.")
    reason = serializers.CharField(allow_blank=True)


class BudgetLineSerializer(serializers.Serializer[Any]):
    """One stage against its budget: what the caller waited for it."""

    stage = serializers.CharField(help_text="endpoint, stt, retrieval, llm, tts or total")
    budget_ms = serializers.FloatField()
    actual_ms = serializers.FloatField(
        allow_null=True, help_text="Null when the stage was not needed; work done in advance costs nothing."
    )
    degraded = serializers.CharField(
        allow_blank=True, help_text="Code of the decision taken because the stage would have been late."
    )
    over_budget = serializers.BooleanField()


class TurnSerializer(TelemetrySerializer):
    """One turn: the telemetry keys stand here and, alone, under `telemetry`."""

    index = serializers.IntegerField()
    telemetry = TelemetrySerializer()
    heard = serializers.CharField(allow_blank=True)
    said = serializers.CharField(allow_blank=True, help_text="What the caller really heard.")
    planned = serializers.CharField(allow_blank=True, help_text="What would have been said.")
    answer_source = serializers.CharField(allow_blank=True, help_text="llm, template, fixed or flow")
    interrupted = serializers.BooleanField()
    started_ms = serializers.FloatField()
    ended_ms = serializers.FloatField()
    filler = serializers.CharField(allow_blank=True)
    filler_ms = serializers.FloatField()
    citations = CitationSerializer(many=True)
    fact_ids = serializers.ListField(child=serializers.CharField())
    spans = SpanSerializer(many=True)
    partials = PartialSerializer(many=True)
    retrievals = RetrievalSerializer(many=True)
    tools = ToolSerializer(many=True)
    decisions = DecisionSerializer(many=True)
    context = serializers.DictField(  # type: ignore[assignment]
        help_text="Snapshot the LLM saw, with token counts."
    )
    heard_normalised = serializers.CharField(
        allow_blank=True, help_text="`heard` with numbers in digits; empty when nothing changed."
    )
    endpoint = EndpointSerializer(allow_null=True)
    language_reading = LanguageReadingSerializer(allow_null=True)
    speculations = SpeculationSerializer(many=True)
    budget = BudgetLineSerializer(many=True)
    memory = serializers.DictField(
        help_text=(
            "Session memory after the turn: facts {name: {value, turn, confidence, said}} and "
            "changes [{name, change: new | corrected | contradicted, before, after}]."
        )
    )


class RecordingSerializer(serializers.Serializer[Any]):
    available = serializers.BooleanField(source="is_available")
    consent = serializers.BooleanField()
    duration_ms = serializers.IntegerField()
    retain_until = serializers.DateField(allow_null=True)
    reason = serializers.CharField(
        allow_blank=True, help_text="Why it is not available: none, no_consent, expired, missing."
    )


class CallSerializer(serializers.Serializer[Any]):
    """One call in a list."""

    session_id = serializers.CharField()
    url = serializers.SerializerMethodField()
    agent = serializers.CharField(source="agent_slug", allow_blank=True)
    agent_name = serializers.CharField(allow_blank=True)
    channel = serializers.CharField(allow_blank=True)
    direction = serializers.CharField()
    caller = serializers.CharField(source="pii_caller", allow_blank=True)
    customer_id = serializers.IntegerField(allow_null=True)
    customer_name = serializers.CharField(allow_blank=True)
    language = serializers.CharField(allow_blank=True, help_text="English, Hindi")
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    duration_s = serializers.FloatField(allow_null=True)
    outcome = serializers.CharField(allow_blank=True, help_text="Empty while the call is live.")
    ended_reason = serializers.CharField(allow_blank=True)
    degraded = serializers.BooleanField(source="is_degraded")
    is_demo = serializers.BooleanField()
    turn_count = serializers.IntegerField()
    intents = serializers.ListField(child=serializers.CharField())
    latency_median_ms = serializers.FloatField(allow_null=True)
    latency_max_ms = serializers.FloatField(allow_null=True)
    crm_sync = serializers.CharField()
    has_recording = serializers.BooleanField()

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, call: agents.CallSummary) -> str:
        return reverse("api-call", [call.session_id], request=self.context.get("request"))


class CallPageSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Of all calls that match.")
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CallSerializer(many=True)


class CallDetailSerializer(CallSerializer):
    """One call with every turn."""

    audio_url = serializers.SerializerMethodField()
    recording = RecordingSerializer()
    engines = serializers.DictField(help_text="Engine in use per stage.")
    dropped_frames = serializers.IntegerField()
    dropped_traces = serializers.IntegerField()
    decisions = DecisionSerializer(many=True)
    turns = TurnSerializer(many=True)

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_audio_url(self, call: agents.CallDetail) -> str | None:
        if not call.recording.is_available:
            return None
        return reverse("api-call-audio", [call.summary.session_id], request=self.context.get("request"))

    def to_representation(self, instance: agents.CallDetail) -> Data:
        listed = CallSerializer(instance.summary, context=self.context).data
        own = {
            name: field.to_representation(field.get_attribute(instance))
            for name, field in self.fields.items()
            if name not in listed
        }
        return {**listed, **own}


class ErrorSerializer(serializers.Serializer[Any]):
    detail = serializers.CharField()
