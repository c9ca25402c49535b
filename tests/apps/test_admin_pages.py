"""The admin: every page opens with real data, and what operators may break says so before it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token

from agents.forms import REQUIRED_LINES, line_field
from agents.models import Agent, Conversation, Intent
from agents.services import record
from crm.models import Customer, FactLog, HandoverRequest, OutboxEntry, SiteVisit, VisitSlot
from knowledge.models import Document, KnowledgeBase, Project
from knowledge.tasks import index_pending
from telephony.models import Call, PhoneNumber
from tests.apps.agents_data import ended, started, turn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("desk")]


@pytest.fixture
def client(desk: None) -> Client:
    client = Client()
    client.force_login(User.objects.get(username="demo"))
    return client


@pytest.fixture
def worked(desk: None) -> None:
    """A platform that has been in use: calls, promises, deliveries."""
    record("call.started", started("s1"))
    record("turn", turn("s1", 1))
    record("call.ended", ended("s1"))
    Call.objects.create(session_id="s1", transport="twilio", pii_from="+919800000001")
    asha = Customer.objects.get(pii_phone="+919800000001")
    slot = VisitSlot.objects.exclude(visits__status="booked").filter(starts_at__gt=timezone.now())[0]
    booked = _fact("f-visit", "site_visit_booked")
    SiteVisit.objects.create(fact=booked, slot=slot, customer=asha)
    _entry(booked, "success")
    asked = _fact("f-handover", "handover_requested")
    HandoverRequest.objects.create(fact=asked, customer=asha, reason="Wants a person")
    _entry(asked, "failed")
    Token.objects.create(user=User.objects.get(username="demo"))


def _fact(fact_id: str, kind: str) -> FactLog:
    return FactLog.objects.create(fact_id=fact_id, kind=kind, session_id="s1", turn_index=1, payload={})


def _entry(fact: FactLog, state: str) -> OutboxEntry:
    return OutboxEntry.objects.create(
        fact=fact, connector="http", idempotency_key=fact.fact_id, payload={"kind": fact.kind}, state=state,
        attempts=8, next_attempt_at=timezone.now() + timedelta(days=1), last_error="CRM said 500",
    )  # fmt: skip


OWN = ("agents", "knowledge", "telephony", "crm")
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in OWN), key=lambda m: m._meta.label
)


@pytest.mark.usefixtures("worked")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_list_and_every_record_opens(client: Client, model: Any) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    listed = client.get(reverse(f"{name}_changelist"))
    assert listed.status_code == 200
    first = model.objects.first()
    assert first is not None, f"the seeded desk has no {model._meta.verbose_name}"
    assert listed.context["cl"].result_count == model.objects.count()
    assert client.get(reverse(f"{name}_change", args=[first.pk])).status_code == 200
    found = client.get(reverse(f"{name}_changelist"), {"q": "lake"})
    assert found.status_code == 200
    assert client.get(reverse(f"{name}_add")).status_code == (
        200 if admin.site._registry[model].has_add_permission(found.wsgi_request) else 403
    )


@pytest.mark.usefixtures("worked")
def test_the_sidebar_leads_to_every_page_and_back_to_the_console(client: Client) -> None:
    page = client.get(reverse("admin:index"))
    groups = page.context["sidebar_navigation"]
    links = [str(item["link"]) for group in groups for item in group["items"]]
    assert links[0] == reverse("home")
    for link in links:
        assert client.get(link).status_code == 200, link
    shown = {reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in MODELS}
    assert shown - set(links) == {reverse("admin:crm_factlog_changelist")}


def _form(client: Client, address: str) -> dict[str, Any]:
    """What a browser would send back when nothing was touched."""
    page = client.get(address)
    data: dict[str, Any] = {}
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            widget = bound.field.widget
            if hasattr(widget, "decompress") and not isinstance(value, list):
                parts = widget.decompress(value)
                data |= {f"{bound.html_name}_{i}": p or "" for i, p in enumerate(parts)}
            elif value not in (None, False):
                data[bound.html_name] = value
    return data


# Agents -------------------------------------------------------------------------------------


@pytest.fixture
def agent_page(desk: None) -> str:
    return reverse("admin:agents_agent_change", args=[Agent.objects.get().pk])


def test_saving_an_agent_untouched_changes_nothing(client: Client, agent_page: str) -> None:
    before = Agent.objects.values().get()
    answer = client.post(agent_page, _form(client, agent_page))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    after = Agent.objects.values().get()
    assert {k: v for k, v in after.items() if k != "updated_at"} == {
        k: v for k, v in before.items() if k != "updated_at"
    }


def test_an_operator_changes_words_voices_and_budget_without_writing_json(
    client: Client, agent_page: str
) -> None:
    data = _form(client, agent_page) | {
        line_field("en", "greeting"): "Namaste, property desk.",
        "voices_en": "piper, espeak:en-gb",
        "budget_llm_ms": "350",
    }
    assert client.post(agent_page, data).status_code == 302
    agent = Agent.objects.get()
    assert agent.lines["en"]["greeting"] == "Namaste, property desk."
    assert agent.voices["en"] == [{"provider": "piper"}, {"provider": "espeak", "voice": "en-gb"}]
    assert agent.budget == {"llm_ms": 350}


@pytest.mark.parametrize("code", REQUIRED_LINES)
def test_an_agent_without_a_required_line_is_refused_by_name(
    client: Client, agent_page: str, code: str
) -> None:
    answer = client.post(agent_page, _form(client, agent_page) | {line_field("en", code): "  "})
    errors = answer.context["adminform"].form.errors
    assert list(errors) == [line_field("en", code)]
    assert "every agent has it in its default language" in errors[line_field("en", code)][0]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"voices_en": "hibary"}, "voices_en", "no voice provider 'hibary': use one of hibari, piper"),
        ({"voices_hi": ""}, "voices_hi", "speaks Hindi: name at least one voice"),
        ({"languages": ["hi"]}, "default_language", "one of the agent's languages"),
        ({"languages": []}, "languages", "required"),
        ({line_field("en", "greeting"): "Hi {name}"}, line_field("en", "greeting"), "no value for {name}"),
        ({line_field("en", "several"): "I found {items"}, line_field("en", "several"), "no partner"),
        ({"budget_llm_ms": "0"}, "budget_llm_ms", "greater than or equal to 1"),
    ],
)
def test_what_would_break_a_call_is_refused_with_a_clear_message(
    client: Client, agent_page: str, change: dict[str, Any], field: str, message: str
) -> None:
    answer = client.post(agent_page, _form(client, agent_page) | change)
    assert answer.status_code == 200
    assert message in answer.context["adminform"].form.errors[field][0]


# Intents ------------------------------------------------------------------------------------


@pytest.fixture
def intent_page(desk: None) -> str:
    return reverse("admin:agents_intent_change", args=[Intent.objects.get(slug="price_enquiry").pk])


def test_saving_an_intent_untouched_changes_nothing_and_embeds_nothing_again(
    client: Client, intent_page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Intent.objects.values().get(slug="price_enquiry")

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing changed")

    monkeypatch.setattr("voiceops.inference.embedder.embed_sync", never)
    answer = client.post(intent_page, _form(client, intent_page))
    assert answer.status_code == 302, answer.context["errors"]
    assert Intent.objects.values().get(slug="price_enquiry") == before


def test_a_changed_example_is_learned_after_the_save(
    client: Client, intent_page: str, django_capture_on_commit_callbacks: Any
) -> None:
    data = _form(client, intent_page)
    before = Intent.objects.get(slug="price_enquiry").examples.order_by("pk").first()
    assert before is not None
    field = next(name for name, value in data.items() if name.endswith("-id") and value == before.pk)
    data[field.replace("-id", "-text")] = "kitne ka padega"
    with django_capture_on_commit_callbacks() as queued:
        assert client.post(intent_page, data).status_code == 302
    before_embedding = list(before.embedding)
    before.refresh_from_db()
    assert before.embedding is None  # not recognised by the old words any more
    for callback in queued:
        callback()
    before.refresh_from_db()
    assert before.text == "kitne ka padega"
    assert list(before.embedding) != before_embedding


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"template_en": "It costs {cost}."}, "template_en", "Unknown placeholder {cost}"),
        ({"template_hi": "क़ीमत {price"}, "template_hi", "no partner"),
        ({"source_names": "listing"}, "source_names", "no source 'listing': use listings, documents"),
        ({"source_names": ""}, "source_names", "name at least one source"),
        ({"source_names": "listings, listings"}, "source_names", "twice"),
        ({"kind": "social", "line": ""}, "line", "Choose the line"),
    ],
)
def test_an_intent_that_could_not_answer_is_refused(
    client: Client, intent_page: str, change: dict[str, Any], field: str, message: str
) -> None:
    answer = client.post(intent_page, _form(client, intent_page) | change)
    assert answer.status_code == 200
    assert message in answer.context["adminform"].form.errors[field][0]


# Knowledge ----------------------------------------------------------------------------------


def test_a_new_wording_is_searched_after_indexing_and_the_page_says_when(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    document = Document.objects.filter(kind="policy").first()
    assert document is not None
    address = reverse("admin:knowledge_document_change", args=[document.pk])
    with django_capture_on_commit_callbacks() as queued:
        data = _form(client, address) | {"body": "Bookings are refunded in full within 7 days."}
        assert client.post(address, data).status_code == 302
    listed = reverse("admin:knowledge_document_changelist")
    assert "indexing" in client.get(listed).content.decode()
    assert queued  # a worker is asked to index
    index_pending()
    assert "indexing" not in client.get(listed).content.decode()
    document.refresh_from_db()
    assert document.indexed_version == document.version == 2
    assert document.chunks.get().text.startswith("Bookings are refunded")


def test_a_document_is_made_from_an_empty_form(client: Client) -> None:
    data = {
        "title": "Visitors", "slug": "visitor-parking", "kind": "article", "language": "en",
        "base": KnowledgeBase.objects.get().pk, "body": "Two cars a flat.", "is_published": "on",
    }  # fmt: skip
    answer = client.post(reverse("admin:knowledge_document_add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    assert Document.objects.get(slug="visitor-parking").version == 1


def test_a_price_and_amenities_are_edited_in_place(client: Client) -> None:
    project = Project.objects.get(slug="lakeview-residency")
    address = reverse("admin:knowledge_project_change", args=[project.pk])
    data = _form(client, address)
    price = next(name for name, value in data.items() if value == 12_000_000)
    assert client.post(address, data | {price: 12_500_000, "amenity_names": "pool, gym ,"}).status_code == 302
    project.refresh_from_db()
    assert project.amenities == ["pool", "gym"]
    assert project.listings.get(property_type="3BHK").price_inr == 12_500_000
    refused = client.post(address, data | {price: 0})
    assert "more than zero rupees" in refused.content.decode()


# Promises and numbers -----------------------------------------------------------------------


@pytest.mark.usefixtures("worked")
def test_only_failed_writes_are_delivered_again(client: Client) -> None:
    entries = OutboxEntry.objects.filter(
        pk__in=OutboxEntry.objects.filter(fact_id__in=["f-visit", "f-handover"])
    )
    answer = client.post(
        reverse("admin:crm_outboxentry_changelist"),
        {"action": "deliver_again", "_selected_action": [entry.pk for entry in entries]},
        follow=True,
    )
    said = [str(message) for message in answer.context["messages"]]
    assert said == [
        "1 will be delivered in a moment.",
        "1 left alone: only failed entries are delivered again.",
    ]
    assert dict(entries.values_list("fact_id", "state")) == {"f-visit": "success", "f-handover": "queued"}


@pytest.mark.usefixtures("worked")
def test_a_call_back_is_ticked_off(client: Client) -> None:
    waiting = HandoverRequest.objects.get(fact_id="f-handover")
    client.post(
        reverse("admin:crm_handoverrequest_changelist"),
        {"action": "mark_done", "_selected_action": [waiting.pk]},
    )
    waiting.refresh_from_db()
    assert waiting.is_done


@pytest.mark.usefixtures("worked")
def test_a_stored_call_cannot_be_rewritten_and_leads_to_its_trace(client: Client) -> None:
    call = Conversation.objects.get(session_id="s1")
    address = reverse("admin:agents_conversation_change", args=[call.pk])
    assert reverse("trace", args=["s1"]) in client.get(address).content.decode()
    assert client.post(address, {"outcome": "booked"}).status_code == 403
    assert client.post(reverse("admin:agents_conversation_delete", args=[call.pk])).status_code == 403


@pytest.mark.parametrize("number", ["080 4000 1000", "+0123456789", "call us"])
def test_a_number_without_country_code_is_refused(client: Client, number: str) -> None:
    data = {"e164": number, "agent_slug": "property-desk", "label": ""}
    answer = client.post(reverse("admin:telephony_phonenumber_add"), data)
    assert "country code" in answer.context["adminform"].form.errors["e164"][0]


def test_a_number_is_answered_by_an_agent_that_exists(client: Client) -> None:
    page = reverse("admin:telephony_phonenumber_add")
    data = {"e164": "+91 80 4000 2000", "agent_slug": "nobody", "label": ""}
    assert "agent_slug" in client.post(page, data).context["adminform"].form.errors
    assert client.post(page, data | {"agent_slug": "property-desk"}).status_code == 302
    assert PhoneNumber.objects.filter(e164="+918040002000").exists()
