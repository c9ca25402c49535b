"""A CRM with a small JSON interface, the demo's among them:

POST {url}/api/activities with `Idempotency-Key` writes once a key and answers `{"id": …}`, again
with the same record; GET {url}/api/activities?key=… answers `{"activities": […]}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from voiceops.core.errors import SourceError
from voiceops.core.ports import Delivery

TIMEOUT_S = 5.0
TRY_AGAIN = frozenset({408, 409, 425, 429})
"""Client errors that the same request may survive later."""


class HttpConnector:
    """A `CrmConnector` over HTTP."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s

    def apply(self, fact: Mapping[str, Any], idempotency_key: str) -> Delivery:
        body = {key.removeprefix("pii_"): value for key, value in fact.items()}
        answer = self._ask("POST", "/api/activities", json=body, headers={"Idempotency-Key": idempotency_key})
        return _delivery(answer, replayed=bool(answer.get("replayed")))

    def read_back(self, idempotency_key: str) -> Delivery | None:
        answer = self._ask("GET", "/api/activities", params={"key": idempotency_key})
        found = answer.get("activities")
        if not isinstance(found, list):
            raise SourceError("the CRM's answer has no list of activities", code="bad_output")
        return _delivery(found[0], replayed=True) if found else None

    def _ask(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """The JSON object in the answer. Raises SourceError; 4xx is permanent but for TRY_AGAIN."""
        try:
            response = httpx.request(method, self._url + path, timeout=self._timeout_s, **request)
        except httpx.TimeoutException as error:
            raise SourceError(
                f"the CRM did not answer within {self._timeout_s:g} s", code="timeout"
            ) from error
        except httpx.TransportError as error:
            raise SourceError(f"the CRM cannot be reached: {error}", code="unavailable") from error
        if not response.is_success:
            permanent = 300 <= response.status_code < 500 and response.status_code not in TRY_AGAIN
            raise SourceError(
                f"the CRM answered {response.status_code}: {response.text[:120]}",
                code="refused" if permanent else "unavailable",
                permanent=permanent,
            )
        try:
            answer = response.json()
        except ValueError as error:
            raise SourceError("the CRM's answer is not JSON", code="bad_output") from error
        if not isinstance(answer, dict):
            raise SourceError("the CRM's answer is not a JSON object", code="bad_output")
        return answer


def _delivery(record: Mapping[str, Any], *, replayed: bool) -> Delivery:
    if not record.get("id"):
        raise SourceError("the CRM's record has no id", code="bad_output")
    return Delivery(str(record["id"]), replayed, dict(record))
