"""Agents and intents as operators edit them: sentences in fields of their own, not JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields as dataclass_fields
from typing import Any

from django import forms
from django.conf import settings
from django.utils.module_loading import import_string
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from agents.models import Agent, Intent
from agents.pipeline.lines import DEFAULT_LINES
from agents.pipeline.templates import validate_template
from agents.providers.tts import REGISTRY as VOICES
from agents.turn_settings import LONGEST_MS, budget_problem, turn_models
from voiceops.core.budget import TurnBudget
from voiceops.core.plan import LANGUAGE_NAMES

REQUIRED_LINES = {
    "greeting": "first words of the call",
    "filler": "said when an answer takes a moment",
    "recovery": "said when the language model did not answer in time",
    "no_knowledge": "said when no record answers the question",
    "apology": "said when something went wrong",
    "handover": "said when a person will call back",
    "still_there": "said after a long silence",
    "goodbye": "last words of the call",
    "not_understood": "said when nothing was understood",
    "stt_down": "said when the caller cannot be heard",
}
"""Fixed lines no agent is without, by code."""

BUDGET_LABELS = {
    "endpoint_ms": "End of turn",
    "stt_ms": "Speech to text",
    "retrieval_ms": "Retrieval",
    "llm_ms": "Language model, first clause",
    "tts_ms": "Voice, first audio",
    "total_ms": "Whole turn",
    "filler_ms": "Filler after, if the answer will be late",
    "silence_filler_ms": "Filler after, in any case",
    "llm_timeout_ms": "Language model gives up after",
    "retrieval_timeout_ms": "Retrieval gives up after",
    "tts_timeout_ms": "Voice gives up after",
    "stt_timeout_ms": "Speech to text gives up after",
    "fact_timeout_ms": "Booking gives up after",
}
BUDGET_HELP = {
    "total_ms": "From the caller's last word to the first word of the answer.",
    "endpoint_ms": "Silence in which the end of the turn is made out, before any other stage.",
    "filler_ms": "Silence after which a filler is said when the answer is predicted to come too late.",
    "silence_filler_ms": "Silence after which a filler is said when no answer has begun.",
    "llm_timeout_ms": "The recovery line or a template answers instead.",
}
TURN_MODEL_NOTES = {
    "adaptive": "adaptive: by the words, the voice and the caller's own pauses",
    "silence": "silence: after a fixed silence, whatever was said",
}
KINDS = {
    "answer": "Answer: look it up and say it",
    "flow": "Flow: book a site visit",
    "social": "Social: say a fixed line",
    "handover": "Handover: say a fixed line and ask for a call back",
}
_TEMPLATE_KEYS = tuple(key for tag in LANGUAGE_NAMES for key in (tag, f"{tag}.item"))
_BRACES = re.compile(r"\{([^{}]*)\}")


def line_codes() -> tuple[str, ...]:
    """Required lines first, then those that have a default of their own."""
    return (*REQUIRED_LINES, *(code for code in DEFAULT_LINES["en"] if code not in REQUIRED_LINES))


def line_field(language: str, code: str) -> str:
    return f"line_{language}_{code}"


def template_field(key: str) -> str:
    return "template_" + key.replace(".", "_")


def knowledge_sources() -> tuple[str, ...]:
    """Names an intent may ask, as the composition root knows them."""
    names: Callable[[], tuple[str, ...]] = import_string(settings.AGENTS_SOURCES)
    return names()


def _line(language: str, code: str) -> forms.CharField:
    default = DEFAULT_LINES.get(language, {}).get(code, "")
    note = REQUIRED_LINES.get(code, "")
    return forms.CharField(
        label=code.replace("_", " ").capitalize(),
        required=False,
        max_length=400,
        help_text=f"{note.capitalize()}." if note else "",
        widget=UnfoldAdminExpandableTextareaWidget(attrs={"placeholder": default, "lang": language}),
    )


def _voices(language: str) -> forms.CharField:
    return forms.CharField(
        label=f"{LANGUAGE_NAMES[language]} voices",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "hibari, piper, espeak"}),
        help_text=(
            "In order of preference; the later ones stand in when one fails. "
            f"Known: {', '.join(VOICES.names())}. A provider's own voice follows a colon: espeak:hi."
        ),
    )


def _budget(name: str, default: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=(BUDGET_LABELS.get(name) or name.removesuffix("_ms").replace("_", " ").capitalize()) + " (ms)",
        required=False,
        min_value=1,
        max_value=LONGEST_MS,
        help_text=BUDGET_HELP.get(name, ""),
        widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": str(default)}),
    )


def _placeholder_problem(language: str, code: str, text: str) -> str:
    rest = _BRACES.sub("", text)
    if "{" in rest or "}" in rest:
        return "A { or } has no partner."
    default = DEFAULT_LINES.get(language, {}).get(code) or DEFAULT_LINES["en"].get(code, "")
    known = set(_BRACES.findall(default))
    if unknown := sorted(set(_BRACES.findall(text)) - known):
        allowed = ", ".join(f"{{{name}}}" for name in sorted(known)) or "none"
        return f"This line has no value for {{{unknown[0]}}}; placeholders here: {allowed}."
    return ""


class AgentFormBase(forms.ModelForm):
    languages = forms.MultipleChoiceField(
        choices=list(LANGUAGE_NAMES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What it hears and speaks.",
    )
    default_language = forms.ChoiceField(
        choices=list(LANGUAGE_NAMES.items()),
        widget=UnfoldAdminSelectWidget,
        help_text="Spoken first, and where a line has no translation.",
    )
    turn_model = forms.ChoiceField(
        label="Turn model",
        widget=UnfoldAdminSelectWidget,
        help_text="Decides when the caller has finished.",
    )
    speculation = forms.BooleanField(
        label="Plan answers while the caller speaks",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Faster answers for more compute. Under load it is the first thing to go.",
    )

    class Meta:
        model = Agent
        fields = (
            "slug", "name", "persona", "languages", "default_language", "record_calls",
            "retention_days", "is_active", "turn_model", "speculation",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agent = self.instance
        names = dict.fromkeys((*turn_models(), agent.turn_model))
        choices = [(name, TURN_MODEL_NOTES.get(name, name)) for name in names]
        self.fields["turn_model"].choices = choices  # type: ignore[attr-defined]
        for language in LANGUAGE_NAMES:
            self.initial[f"voices_{language}"] = ", ".join(
                ":".join(filter(None, (voice["provider"], voice.get("voice"))))
                for voice in agent.voices.get(language, [])
            )
            for code in line_codes():
                self.initial[line_field(language, code)] = agent.lines.get(language, {}).get(code, "")
        for name, value in (agent.budget or {}).items():
            self.initial[f"budget_{name}"] = value

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        languages, default = data.get("languages") or [], data.get("default_language")
        if default and languages and default not in languages:
            self.add_error("default_language", "Choose one of the agent's languages.")
        for language in LANGUAGE_NAMES:
            self._clean_voices(language, needed=language in languages)
            for code in line_codes():
                self._clean_line(language, code, needed=language == default and code in REQUIRED_LINES)
        if problem := budget_problem(self._budget()):
            self.add_error(f"budget_{problem[0]}", f"{problem[1][:1].upper()}{problem[1][1:]}.")
        return data

    def _budget(self) -> dict[str, int]:
        """What the form overrides."""
        data = self.cleaned_data
        return {name: data[f"budget_{name}"] for name in _BUDGET if data.get(f"budget_{name}") is not None}

    def _clean_voices(self, language: str, *, needed: bool) -> None:
        field = f"voices_{language}"
        voices = []
        for part in filter(None, (part.strip() for part in (self.cleaned_data.get(field) or "").split(","))):
            provider, _, voice = (piece.strip() for piece in part.partition(":"))
            if provider not in VOICES:
                self.add_error(
                    field, f"There is no voice provider {provider!r}: use one of {', '.join(VOICES.names())}."
                )
                return
            voices.append({"provider": provider, **({"voice": voice} if voice else {})})
        if needed and not voices:
            self.add_error(field, f"The agent speaks {LANGUAGE_NAMES[language]}: name at least one voice.")
        self.cleaned_data[field] = voices

    def _clean_line(self, language: str, code: str, *, needed: bool) -> None:
        field = line_field(language, code)
        text = self.cleaned_data.get(field) or ""
        if needed and not text:
            self.add_error(
                field,
                f"Write this line: every agent has it in its default language ({REQUIRED_LINES[code]}).",
            )
        elif problem := _placeholder_problem(language, code, text):
            self.add_error(field, problem)

    def save(self, commit: bool = True) -> Agent:
        data, agent = self.cleaned_data, self.instance
        agent.languages = data["languages"]
        agent.voices = {
            language: data[f"voices_{language}"] for language in LANGUAGE_NAMES if data[f"voices_{language}"]
        }
        agent.lines = {
            language: lines
            for language in {**agent.lines, **LANGUAGE_NAMES}
            if (lines := self._lines(language))
        }
        agent.budget = self._budget()
        return super().save(commit)

    def _lines(self, language: str) -> dict[str, str]:
        """What the form says, and lines of codes or languages that it does not show."""
        lines = dict(self.instance.lines.get(language, {}))
        if language in LANGUAGE_NAMES:
            for code in line_codes():
                lines[code] = self.cleaned_data[line_field(language, code)]
        return {code: text for code, text in lines.items() if text}


_BUDGET = {field.name: int(str(field.default)) for field in dataclass_fields(TurnBudget)}
_AGENT_FIELDS: dict[str, Any] = {
    **{f"voices_{language}": _voices(language) for language in LANGUAGE_NAMES},
    **{
        line_field(language, code): _line(language, code)
        for language in LANGUAGE_NAMES
        for code in line_codes()
    },
    **{f"budget_{name}": _budget(name, default) for name, default in _BUDGET.items()},
}
AgentForm: type[AgentFormBase] = type("AgentForm", (AgentFormBase,), _AGENT_FIELDS)
BUDGET_FIELDS = tuple(f"budget_{name}" for name in _BUDGET)


class IntentFormBase(forms.ModelForm):
    kind = forms.ChoiceField(
        choices=list(KINDS.items()), widget=UnfoldAdminSelectWidget, label="What happens"
    )
    source_names = forms.CharField(
        label="Knowledge sources",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "listings, documents"}),
        help_text="Asked for the answer, most important first, separated by commas.",
    )
    line = forms.ChoiceField(
        label="Fixed line",
        required=False,
        choices=[("", "None"), *((code, code.replace("_", " ")) for code in line_codes())],
        widget=UnfoldAdminSelectWidget,
        help_text="For social and handover: which of the agent's lines is said.",
    )

    class Meta:
        model = Intent
        fields = ("agent", "slug", "label", "kind", "line")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["source_names"] = ", ".join(self.instance.sources)
        for key in _TEMPLATE_KEYS:
            self.initial[template_field(key)] = self.instance.templates.get(key, "")
        if "source_names" in self.fields:
            self.fields["source_names"].help_text += f" Known: {', '.join(knowledge_sources())}."

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        kind = data.get("kind")
        if kind in ("social", "handover") and not data.get("line"):
            self.add_error("line", "Choose the line that is said.")
        names = [name.strip() for name in (data.get("source_names") or "").split(",") if name.strip()]
        known = knowledge_sources()
        if unknown := [name for name in names if name not in known]:
            self.add_error("source_names", f"There is no source {unknown[0]!r}: use {', '.join(known)}.")
        elif len(set(names)) < len(names):
            self.add_error("source_names", "A source stands here twice.")
        elif kind == "answer" and not names:
            self.add_error("source_names", "An answer is looked up: name at least one source.")
        data["source_names"] = names
        for key in _TEMPLATE_KEYS:
            text = data.get(template_field(key)) or ""
            if text:
                for problem in validate_template(text):
                    self.add_error(template_field(key), problem)
        return data

    def save(self, commit: bool = True) -> Intent:
        data, intent = self.cleaned_data, self.instance
        intent.sources = data["source_names"]
        templates = {**intent.templates, **{key: data[template_field(key)] for key in _TEMPLATE_KEYS}}
        intent.templates = {key: text for key, text in templates.items() if text}
        return super().save(commit)


def _template(key: str) -> forms.CharField:
    tag, _, part = key.partition(".")
    what = "one line of a list" if part else "the answer"
    return forms.CharField(
        label=f"{LANGUAGE_NAMES[tag]}: {what}",
        required=False,
        max_length=400,
        widget=UnfoldAdminExpandableTextareaWidget(attrs={"lang": tag}),
    )


IntentForm: type[IntentFormBase] = type(
    "IntentForm", (IntentFormBase,), {template_field(key): _template(key) for key in _TEMPLATE_KEYS}
)
TEMPLATE_FIELDS = tuple(template_field(key) for key in _TEMPLATE_KEYS)
