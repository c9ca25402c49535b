"""How the admin looks and what its sidebar holds (django-unfold)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

_PRIMARY = {
    "50": "oklch(0.975 0.014 192)", "100": "oklch(0.955 0.022 192)", "200": "oklch(0.9 0.04 192)",
    "300": "oklch(0.84 0.06 192)", "400": "oklch(0.79 0.115 188)", "500": "oklch(0.62 0.1 192)",
    "600": "oklch(0.48 0.085 195)", "700": "oklch(0.42 0.078 198)", "800": "oklch(0.36 0.066 198)",
    "900": "oklch(0.3 0.054 198)", "950": "oklch(0.22 0.04 200)",
}  # fmt: skip
"""The console's accent: its light tone is 600, its dark one 400."""

_BASE = {
    "50": "oklch(0.985 0.003 200)", "100": "oklch(0.965 0.005 200)", "200": "oklch(0.912 0.007 210)",
    "300": "oklch(0.84 0.01 212)", "400": "oklch(0.685 0.016 218)", "500": "oklch(0.51 0.018 220)",
    "600": "oklch(0.44 0.02 222)", "700": "oklch(0.34 0.018 225)", "800": "oklch(0.265 0.016 225)",
    "900": "oklch(0.205 0.014 225)", "950": "oklch(0.168 0.012 225)",
}  # fmt: skip


def _may_view(model: str) -> Callable[[Any], bool]:
    app, _, name = model.partition(".")
    return lambda request: bool(request.user.has_perm(f"{app}.view_{name}"))


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model.replace('.', '_')}_changelist"),
        "permission": _may_view(model),
    }


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "VoiceOps admin",
    "SITE_HEADER": "VoiceOps",
    "SITE_SUBHEADER": "Agents, knowledge, customers",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("console/favicon.svg"),
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("console/favicon.svg"),
        }
    ],
    "SHOW_BACK_BUTTON": True,
    "COLORS": {"primary": _PRIMARY, "base": _BASE},
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "items": [
                    {
                        "title": "Console",
                        "icon": "arrow_back",
                        "link": reverse_lazy("home"),
                        "active": lambda request: False,
                    },
                ],
            },
            {
                "title": "Who speaks",
                "separator": True,
                "items": [
                    _page("Agents", "support_agent", "agents.agent"),
                    _page("Intents", "psychology", "agents.intent"),
                    _page("Conversations", "forum", "agents.conversation"),
                ],
            },
            {
                "title": "What is true",
                "separator": True,
                "items": [
                    _page("Documents", "description", "knowledge.document"),
                    _page("Projects and prices", "apartment", "knowledge.project"),
                    _page("Knowledge bases", "folder", "knowledge.knowledgebase"),
                ],
            },
            {
                "title": "Customers and promises",
                "separator": True,
                "items": [
                    _page("Customers", "group", "crm.customer"),
                    _page("Quotes", "request_quote", "crm.quote"),
                    _page("Visit slots", "event_available", "crm.visitslot"),
                    _page("Site visits", "tour", "crm.sitevisit"),
                    _page("Call backs", "phone_callback", "crm.handoverrequest"),
                    _page("CRM outbox", "outbox", "crm.outboxentry"),
                ],
            },
            {
                "title": "Platform",
                "separator": True,
                "items": [
                    _page("Phone numbers", "dialpad", "telephony.phonenumber"),
                    _page("Carrier calls", "call_log", "telephony.call"),
                    _page("Users", "person", "auth.user"),
                    _page("API tokens", "key", "authtoken.tokenproxy"),
                    {"title": "API documentation", "icon": "api", "link": reverse_lazy("api-docs")},
                ],
            },
        ],
    },
}
