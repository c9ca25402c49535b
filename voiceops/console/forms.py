"""The filters of the call list."""

from __future__ import annotations

from typing import Any

from django import forms

from agents.api import CallFilter, FilterChoices
from voiceops.console.templatetags.console import outcome_name, words

NO_YES = (("", "Any"), ("1", "Degraded"), ("0", "Not degraded"))


class CallFilterForm(forms.Form):
    q = forms.CharField(required=False, max_length=100)
    agent = forms.ChoiceField(required=False)
    intent = forms.ChoiceField(required=False)
    language = forms.ChoiceField(required=False)
    outcome = forms.ChoiceField(required=False)
    degraded = forms.ChoiceField(required=False, choices=NO_YES)
    latency = forms.FloatField(
        required=False,
        min_value=0,
        error_messages={"invalid": "Minimum latency is a number of milliseconds."},
    )
    after = forms.DateField(required=False, error_messages={"invalid": "“From” is a date, like 2026-01-31."})
    before = forms.DateField(required=False, error_messages={"invalid": "“To” is a date, like 2026-01-31."})

    def __init__(self, choices: FilterChoices, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        options: dict[str, list[tuple[str, str]]] = {
            "agent": [(agent.slug, agent.name) for agent in choices.agents],
            "intent": [(slug, words(slug)) for slug in choices.intents],
            "language": list(choices.languages.items()),
            "outcome": [(slug, outcome_name(slug)) for slug in choices.outcomes],
        }
        for name, values in options.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "Any"), *values]
            field.error_messages["invalid_choice"] = f"{words(name)} “%(value)s” is not known: choose one."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        after, before = cleaned.get("after"), cleaned.get("before")
        if after and before and after > before:
            self.add_error("before", "“To” is before “From”: no call can match.")
        return cleaned

    def wanted(self) -> CallFilter:
        """What is valid of the form; an invalid field does not narrow."""
        value = self.cleaned_data.get
        degraded = value("degraded")
        return CallFilter(
            agent=value("agent") or "",
            intent=value("intent") or "",
            language=value("language") or "",
            outcome=value("outcome") or "",
            min_latency_ms=value("latency"),
            degraded=degraded == "1" if degraded else None,
            started_after=value("after"),
            started_before=value("before"),
            search=value("q") or "",
        )

    @property
    def active(self) -> int:
        """How many filters narrow the list."""
        return sum(1 for value in self.cleaned_data.values() if value not in (None, ""))
