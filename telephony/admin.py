"""Numbers and who answers them; calls as the carrier saw them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.utils.module_loading import import_string
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from telephony.models import Call, PhoneNumber
from voiceops.admin import ReadOnlyAdmin

_E164 = re.compile(r"\+[1-9]\d{6,14}")


class PhoneNumberForm(forms.ModelForm):
    agent_slug = forms.ChoiceField(label="Answered by", widget=UnfoldAdminSelectWidget)

    class Meta:
        model = PhoneNumber
        fields = ("e164", "agent_slug", "label")
        labels = {"e164": "Number"}
        help_texts = {"e164": "With country code and no spaces: +918040001000."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agents: Callable[[], list[tuple[str, str]]] = import_string(settings.TELEPHONY_AGENTS)
        choices = agents()
        held = self.instance.agent_slug
        if held and held not in dict(choices):
            choices = [*choices, (held, f"{held} (not there any more)")]
        field = self.fields["agent_slug"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean_e164(self) -> str:
        number = re.sub(r"[\s().-]", "", self.cleaned_data["e164"])
        if not _E164.fullmatch(number):
            raise forms.ValidationError("Write the number with its country code: +918040001000.")
        return number


@admin.register(PhoneNumber)
class PhoneNumberAdmin(ModelAdmin):
    form = PhoneNumberForm
    list_display = ("e164", "label", "agent_slug")
    search_fields = ("e164", "label", "agent_slug")
    fields = ("e164", "agent_slug", "label")


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "pii_from", "pii_to", "transport", "agent_slug", "state", "carrier_ref")
    list_filter = ("status", "transport", "direction")
    search_fields = ("session_id", "carrier_ref", "pii_from", "pii_to")
    date_hierarchy = "created_at"

    @display(
        description="State", ordering="status",
        label={"live": "success", "ringing": "info", "refused": "danger", "ended": "default"},
    )  # fmt: skip
    def state(self, call: Call) -> str:
        return call.status
