"""Small words of the console templates: icons, milliseconds, masked phones, bars."""

from __future__ import annotations

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from voiceops.core.plan import LANGUAGE_NAMES

register = template.Library()

NARROW = "\u202f"
"""Thin space between a number and its unit."""

OUTCOMES: dict[str, tuple[str, str]] = {
    "booked": ("Visit booked", "ok"),
    "answered": ("Answered", "ok"),
    "handover": ("Handed over", "warn"),
    "abandoned": ("Caller left", ""),
    "no_answer_found": ("No answer found", "warn"),
    "failed": ("Failed", "bad"),
}
"""Outcome slug: (what a person reads, badge tone)."""

ACRONYMS = frozenset({"crm", "emi", "llm", "stt", "tts", "dtmf"})
SYNC_TONES = {"success": "ok", "queued": "warn", "failed": "bad"}


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """One icon of the local sprite, hidden from screen readers."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        extra,
        static("console/icons.svg"),
        name,
    )


@register.filter
def ms(value: float | None) -> str:
    """812 ms, 1.24 s; an en dash for nothing."""
    if value is None:
        return "–"
    if value < 1000:
        return f"{value:.0f}{NARROW}ms"
    return f"{value / 1000:.2f}{NARROW}s"


@register.filter
def clock_ms(value: float | None) -> str:
    """Position in a call: 1:07."""
    seconds = int((value or 0) / 1000)
    return f"{seconds // 60}:{seconds % 60:02d}"


@register.filter
def clock_tenths(value: float | None) -> str:
    """Position in a call, for things that last less than a second: 1:07.4."""
    tenths = int((value or 0) / 100)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


@register.filter
def share(value: float | None) -> str:
    """0.914 → 91 %."""
    return "–" if value is None else f"{100 * value:.0f}{NARROW}%"


@register.filter
def minus(value: float) -> float:
    return -value


@register.filter
def words_of(text: str) -> list[str]:
    """ "a b" → ["a", "b"], to loop over."""
    return text.split()


@register.filter
def unchanged(items: Any) -> int:
    """How many remembered facts this turn left as they were."""
    return sum(not item.change for item in items)


@register.filter
def clock_s(value: float | None) -> str:
    return "–" if value is None else clock_ms(value * 1000)


@register.filter
def age(seconds: float) -> str:
    """45 s, 12 min, 5 h, 3 days."""
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count}{NARROW}{'day' if unit == 'days' and count == 1 else unit}"
    return f"{seconds:.0f}{NARROW}s"


@register.filter
def masked(phone: str | None) -> str:
    """+91••••••0001: enough to recognise, too little to call."""
    if not phone:
        return ""
    return phone if len(phone) <= 6 else f"{phone[:3]}{'•' * (len(phone) - 7)}{phone[-4:]}"


@register.filter
def language(tag: str | None) -> str:
    return LANGUAGE_NAMES.get(tag or "", tag or "–")


@register.filter
def words(slug: str | None) -> str:
    """price_enquiry → Price enquiry."""
    parts = (slug or "").replace("_", " ").replace("-", " ").split()
    text = " ".join(part.upper() if part.lower() in ACRONYMS else part for part in parts)
    return text[:1].upper() + text[1:]


@register.filter
def outcome_name(slug: str) -> str:
    return OUTCOMES.get(slug, (words(slug), ""))[0]


@register.filter
def outcome_tone(slug: str) -> str:
    return OUTCOMES.get(slug, ("", ""))[1]


@register.filter
def sync_tone(state: str) -> str:
    return SYNC_TONES.get(state, "")


@register.filter
def get(mapping: Any, key: str) -> Any:
    """`mapping[key]` in a template, empty when missing."""
    return mapping.get(key, "") if hasattr(mapping, "get") else ""


@register.simple_tag
def percent(value: float, whole: float) -> str:
    """`value` of `whole` as an SVG length, between 0% and 100%."""
    return f"{min(100.0, max(0.0, 100 * value / whole if whole else 0.0)):.2f}%"
