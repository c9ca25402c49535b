"""Reads of agents, their intents and the calls they answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from django.db import connection
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from agents.details import call_detail, language_name, recording_of, recordings_dir, summaries
from agents.models import (
    Agent,
    BudgetLog,
    Conversation,
    DecisionLog,
    Intent,
    IntentExample,
    SpeculationLog,
    Turn,
)
from agents.records import (
    OUTCOMES,
    STAGES,
    AgentSummary,
    Attention,
    CallDetail,
    CallFilter,
    CallPage,
    FilterChoices,
    Percentiles,
    SpeculationCount,
    StagePercentiles,
    StageSpending,
    TurnQuality,
)
from agents.turn_settings import turn_budget
from voiceops.core.errors import ConfigurationError
from voiceops.core.plan import LANGUAGE_NAMES, AgentProfile, IntentSpec, VoiceSpec


def language_tag(value: str) -> str | None:
    """The tag of a language given by tag or name, in any case; None when unknown."""
    wanted = value.strip().lower()
    for tag, name in LANGUAGE_NAMES.items():
        if wanted in (tag, name.lower()):
            return tag
    return None


def _moment(value: date | datetime, *, end_of_day: bool) -> datetime:
    if isinstance(value, datetime):
        return value if timezone.is_aware(value) else timezone.make_aware(value)
    day = value + timedelta(days=1) if end_of_day else value
    return timezone.make_aware(datetime.combine(day, time.min))


def _matching(wanted: CallFilter) -> QuerySet[Conversation]:
    calls = Conversation.objects.all()
    if wanted.agent:
        calls = calls.filter(agent__slug=wanted.agent)
    if wanted.intent:
        calls = calls.filter(pk__in=Turn.objects.filter(intent=wanted.intent).values("conversation"))
    if wanted.language:
        tag = language_tag(wanted.language) or wanted.language
        spoken = Turn.objects.filter(language=tag).values("conversation")
        calls = calls.filter(Q(language=tag) | Q(pk__in=spoken))
    if wanted.outcome:
        calls = calls.filter(outcome=wanted.outcome)
    if wanted.min_latency_ms is not None:
        slow = Turn.objects.filter(latency_ms__gte=wanted.min_latency_ms).values("conversation")
        calls = calls.filter(pk__in=slow)
    if wanted.degraded is not None:
        calls = calls.filter(is_degraded=wanted.degraded)
    if wanted.started_after is not None:
        calls = calls.filter(started_at__gte=_moment(wanted.started_after, end_of_day=False))
    if wanted.started_before is not None:
        calls = calls.filter(started_at__lt=_moment(wanted.started_before, end_of_day=True))
    if text := wanted.search.replace("\x00", "").strip():
        words = Turn.objects.filter(Q(heard__icontains=text) | Q(said__icontains=text))
        calls = calls.filter(
            Q(session_id__icontains=text)
            | Q(customer_name__icontains=text)
            | Q(pii_caller__icontains=text)
            | Q(pk__in=words.values("conversation"))
        )
    return calls


def calls(wanted: CallFilter, *, offset: int = 0, limit: int = 25) -> CallPage:
    """One page of calls, newest first."""
    matching = _matching(wanted)
    page = matching.select_related("agent").order_by("-started_at", "-pk")[offset : offset + limit]
    return CallPage(items=summaries(page), total=matching.count())


def call(session_id: str) -> CallDetail | None:
    found = Conversation.objects.select_related("agent").filter(session_id=session_id).first()
    return call_detail(found) if found else None


def recording_path(session_id: str) -> Path | None:
    """The WAV file of a call that may be listened to now; `CallDetail.recording` says why not."""
    found = Conversation.objects.filter(session_id=session_id).first()
    if found is None or not recording_of(found).is_available:
        return None
    return recordings_dir() / found.recording


def stage_percentiles(since: datetime) -> StagePercentiles:
    """Median and 95th percentile of latency and of each stage, over turns of calls since then."""
    columns = ("latency", *STAGES)
    measured = ", ".join(
        f"count(turn.{name}_ms), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY turn.{name}_ms)"
        for name in columns
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), {measured} FROM {Turn._meta.db_table} turn"
            f" JOIN {Conversation._meta.db_table} call ON call.id = turn.conversation_id"
            " WHERE call.started_at >= %s",
            [since],
        )
        turns, *values = cursor.fetchone()
    found: dict[str, Percentiles] = {}
    for position, name in enumerate(columns):
        count, both = values[2 * position], values[2 * position + 1] or (None, None)
        found[name] = Percentiles(count=count, p50_ms=both[0], p95_ms=both[1])
    return StagePercentiles(since=since, turns=turns, **found)


def turn_quality(since: datetime) -> TurnQuality:
    """How the turns of calls since then kept their budget, and what the work done ahead was worth."""
    answered = Turn.objects.filter(conversation__started_at__gte=since).exclude(heard="")
    degraded = DecisionLog.objects.filter(kind="degrade", turn__in=answered)
    began = SpeculationLog.objects.filter(turn__conversation__started_at__gte=since)
    spent = BudgetLog.objects.filter(turn__conversation__started_at__gte=since)
    lost = ~Q(outcome="hit")
    return TurnQuality(
        since=since,
        answered=answered.count(),
        degraded=degraded.values("turn").distinct().count(),
        speculation=tuple(
            SpeculationCount(**row)
            for row in began.order_by("kind")
            .values("kind")
            .annotate(
                hits=Count("pk", filter=Q(outcome="hit")),
                waste=Count("pk", filter=Q(outcome="waste")),
                aborted=Count("pk", filter=Q(outcome="aborted")),
                saved_ms=Coalesce(Sum("saved_ms", filter=Q(outcome="hit")), 0.0),
                wasted_ms=Coalesce(Sum("compute_ms", filter=lost), 0.0),
                wasted_tokens=Coalesce(Sum("tokens", filter=lost), 0),
            )
        ),
        spending=tuple(
            StageSpending(row["stage"], row["needed"], row["over"], row["cheaper"])
            for row in spent.order_by("stage")
            .values("stage")
            .annotate(
                needed=Count("pk", filter=Q(actual_ms__isnull=False)),
                over=Count("pk", filter=Q(actual_ms__gt=F("budget_ms"))),
                cheaper=Count("pk", filter=~Q(degraded="")),
            )
        ),
    )


def waiting_for_attention(since: datetime | None = None) -> Attention:
    """Calls since then (default: the last 24 hours) that went other than well."""
    recent = Conversation.objects.filter(
        started_at__gte=since if since is not None else datetime.now(UTC) - timedelta(hours=24)
    )
    return Attention(
        degraded=recent.filter(is_degraded=True).count(),
        no_answer_found=recent.filter(outcome="no_answer_found").count(),
        failed=recent.filter(outcome="failed").count(),
    )


def default_agent() -> Agent | None:
    """The active agent that was made first: it answers calls that name none."""
    return Agent.objects.filter(is_active=True).order_by("pk").first()


def agents() -> tuple[AgentSummary, ...]:
    default = default_agent()
    return tuple(
        AgentSummary(
            slug=agent.slug,
            name=agent.name,
            languages=tuple(agent.languages),
            default_language=agent.default_language,
            is_active=agent.is_active,
            is_default=default is not None and agent.pk == default.pk,
        )
        for agent in Agent.objects.order_by("-is_active", "name")
    )


def filter_choices() -> FilterChoices:
    intents = set(Intent.objects.values_list("slug", flat=True).distinct())
    intents |= set(Turn.objects.exclude(intent="").values_list("intent", flat=True).distinct())
    seen = set(Conversation.objects.exclude(outcome="").values_list("outcome", flat=True).distinct())
    return FilterChoices(
        agents=agents(),
        intents=tuple(sorted(intents)),
        languages={tag: language_name(tag) for tag in LANGUAGE_NAMES},
        outcomes=(*OUTCOMES, *sorted(seen - set(OUTCOMES))),
    )


def _agent(slug: str) -> Agent:
    if not slug:
        agent = default_agent()
        if agent is None:
            raise ConfigurationError(
                "no active agent answers calls: make one at /admin/agents/agent/, or run manage.py seed_demo"
            )
        return agent
    agent = Agent.objects.filter(slug=slug).first()
    if agent is None:
        known = ", ".join(Agent.objects.filter(is_active=True).values_list("slug", flat=True)) or "none"
        raise ConfigurationError(f"there is no agent {slug!r}: active agents are {known}")
    if not agent.is_active:
        raise ConfigurationError(f"agent {slug!r} is switched off: activate it at /admin/agents/agent/")
    return agent


def load_profile(slug: str = "") -> AgentProfile:
    """The frozen profile of an active agent; "" stands for the default one.

    Raises: ConfigurationError when there is none, or when it is switched off.
    """
    agent = _agent(slug)
    return AgentProfile(
        slug=agent.slug,
        name=agent.name,
        persona=agent.persona,
        languages=tuple(agent.languages),
        default_language=agent.default_language,
        voices={
            language: tuple(VoiceSpec(provider=v["provider"], voice=v.get("voice", "")) for v in voices)
            for language, voices in agent.voices.items()
        },
        lines={language: dict(lines) for language, lines in agent.lines.items()},
        budget=turn_budget(agent.budget or {}),
        turn_model=agent.turn_model,
        speculation=agent.speculation,
        record_calls=agent.record_calls,
        retention_days=agent.retention_days,
    )


def load_intents(slug: str = "") -> tuple[IntentSpec, ...]:
    """The intents of an active agent with their examples' embeddings. Examples that are not
    embedded yet are left out.

    Raises: ConfigurationError as `load_profile` does.
    """
    agent = _agent(slug)
    examples: dict[int, list[tuple[str, str, Sequence[float]]]] = {}
    ready = IntentExample.objects.filter(intent__agent=agent, embedding__isnull=False)
    for intent_id, text, language, embedding in ready.values_list(
        "intent_id", "text", "language", "embedding"
    ):
        vector = tuple(float(x) for x in (() if embedding is None else embedding))
        examples.setdefault(intent_id, []).append((text, language, vector))
    return tuple(
        IntentSpec(
            slug=intent.slug,
            kind=intent.kind,
            sources=tuple(intent.sources),
            templates=dict(intent.templates),
            line=intent.line,
            examples=tuple(examples.get(intent.pk, ())),
        )
        for intent in agent.intents.all()
    )
