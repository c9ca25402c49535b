"""What every console page shares: login and a strict Content-Security-Policy.

Scoped to console pages by decorator: the admin's Alpine needs `unsafe-eval`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase

View = Callable[..., HttpResponseBase]


def _policy(request: HttpRequest) -> str:
    host = request.get_host()
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' ws://{host} wss://{host}",
            "media-src 'self' blob:",
            "worker-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def strict(view: View) -> View:
    """Add the policy headers to what `view` answers."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = _policy(request)
        response["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
        response["Cache-Control"] = "no-store"
        return response

    return answer


def page(view: View) -> View:
    """A console page: strict policy, login required."""
    return strict(login_required(view))
