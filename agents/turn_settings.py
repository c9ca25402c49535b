"""How an agent takes turns: its milliseconds and its turn model, checked before a call uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ValidationError

from agents.providers.turn import REGISTRY
from voiceops.core.budget import TurnBudget
from voiceops.core.errors import ConfigurationError

STAGE_KEYS = ("endpoint_ms", "stt_ms", "retrieval_ms", "llm_ms", "tts_ms")
"""Shares of one turn; none may be longer than the whole, `total_ms`."""
LONGEST_MS = 60_000


def budget_problem(overrides: object) -> tuple[str, str] | None:
    """(key, what is wrong with it) of the first entry that cannot be used; the key is empty when
    the whole is of a wrong shape."""
    if not isinstance(overrides, Mapping):
        return "", f'a budget is a JSON object of milliseconds such as {{"llm_ms": 400}}, not {overrides!r}'
    defaults = {field.name: field.default for field in fields(TurnBudget)}
    for key, value in overrides.items():
        if key not in defaults:
            near = get_close_matches(str(key), defaults, 1, 0.5)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            return str(key), (
                f"budget {key!r} is not one of {', '.join(sorted(defaults))}{hint}; "
                "every key is in milliseconds and ends in _ms"
            )
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LONGEST_MS:
            return key, (
                f"budget {key!r} must be a positive whole number of milliseconds up to {LONGEST_MS}, "
                f"not {value!r}"
            )
    whole = overrides.get("total_ms", defaults["total_ms"])
    for key in STAGE_KEYS:
        allowed = overrides.get(key, defaults[key])
        if allowed > whole:
            return key, (
                f"budget {key!r} is {allowed} ms, more than the {whole} ms of the whole turn ('total_ms')"
            )
    return None


def turn_budget(overrides: Mapping[str, Any]) -> TurnBudget:
    """The default budget with an agent's own milliseconds in place of some.

    Raises: ConfigurationError naming the key, the unit and what would be right.
    """
    problem = budget_problem(overrides)
    if problem is not None:
        raise ConfigurationError(problem[1])
    return TurnBudget(**overrides)


def validate_budget(value: Any) -> None:
    """For the model's field. Raises: ValidationError."""
    problem = budget_problem(value)
    if problem is not None:
        raise ValidationError(f"{problem[1][:1].upper()}{problem[1][1:]}.")


def turn_models() -> tuple[str, ...]:
    """Registry names of every turn model."""
    return REGISTRY.names()


def validate_turn_model(value: str) -> None:
    """For the model's field. Raises: ValidationError naming the known ones."""
    known = turn_models()
    if value not in known:
        raise ValidationError(f"There is no turn model {value!r}: use one of {', '.join(known)}.")
