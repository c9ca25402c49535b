"""The demo: made once, an operator's own from then on."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from agents.demo import INTENTS, PROFILE
from agents.models import Agent, Intent, IntentExample
from crm.models import Customer, Quote
from knowledge.models import Document, Listing
from telephony.models import PhoneNumber
from voiceops.console.demo_login import LOGIN
from voiceops.core.errors import SourceError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("without_model")]


def _seed(*flags: str) -> str:
    out = StringIO()
    call_command("seed_demo", *flags, stdout=out)
    return out.getvalue()


def test_a_fresh_start_can_answer_and_be_logged_in_to() -> None:
    assert "agent property-desk created" in _seed()
    assert authenticate(username=LOGIN[0], password=LOGIN[1])
    assert Intent.objects.count() == len(INTENTS)
    assert IntentExample.objects.count() == sum(len(set(intent["examples"])) for intent in INTENTS)
    assert not IntentExample.objects.filter(embedding=None).exists()
    assert Listing.objects.get(project__locality="Whitefield", property_type="3BHK").price_inr == 12_000_000
    assert Customer.objects.get(pii_phone="+919800000001").quotes.exists()
    assert PhoneNumber.objects.get().agent_slug == PROFILE["slug"]
    assert not [d.slug for d in Document.objects.all() if d.indexed_version != d.version]


def test_a_second_start_keeps_what_operators_changed_and_took_away() -> None:
    _seed()
    Agent.objects.update(name="Ravi")
    Intent.objects.get(slug="thanks").delete()
    Listing.objects.filter(property_type="3BHK").update(price_inr=1)
    Quote.objects.update(price_inr=2)
    Customer.objects.filter(pii_phone="+919800000001").update(pii_name="Asha R.")
    PhoneNumber.objects.update(label="Front desk")
    assert "agent property-desk kept" in _seed()
    assert Agent.objects.get().name == "Ravi"
    assert not Intent.objects.filter(slug="thanks").exists()
    assert set(Listing.objects.filter(property_type="3BHK").values_list("price_inr", flat=True)) == {1}
    assert set(Quote.objects.values_list("price_inr", flat=True)) == {2}
    assert Customer.objects.get(pii_phone="+919800000001").pii_name == "Asha R."
    assert PhoneNumber.objects.get().label == "Front desk"


def test_a_reset_restores_the_demo_and_leaves_other_data_alone() -> None:
    _seed()
    agent = Agent.objects.get()
    agent.intents.create(slug="parking", label="Parking", kind="answer")
    IntentExample.objects.filter(intent__slug="greeting").delete()
    Agent.objects.update(name="Ravi")
    Listing.objects.update(price_inr=1)
    Customer.objects.create(pii_name="Own Customer", pii_phone="+911234567890")
    assert "agent property-desk restored" in _seed("--reset")
    assert Agent.objects.get().name == PROFILE["name"]
    assert Intent.objects.filter(slug="parking").exists()
    assert IntentExample.objects.filter(intent__slug="greeting", embedding__isnull=False).exists()
    assert not Listing.objects.filter(price_inr=1).exists()
    assert Customer.objects.filter(pii_phone="+911234567890").exists()


def test_a_seed_without_its_inference_server_says_what_to_start_and_goes_on_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(texts: Any, **_: Any) -> list[list[float]]:
        raise SourceError("no answer from 127.0.0.1:8013", code="unavailable")

    with monkeypatch.context() as patch:
        patch.setattr("voiceops.console.demo.embed_sync", away)
        with pytest.raises(CommandError, match=r"start \./run, or set VOICEOPS_SPEECH_TARGET"):
            _seed()
    _seed()
    assert not [d.slug for d in Document.objects.all() if d.indexed_version != d.version]
    assert not IntentExample.objects.filter(embedding=None).exists()
