"""How Braze answers: prose without codes, and a 2xx that may be a refusal all the same.

https://www.braze.com/docs/api/errors/
"""

from __future__ import annotations

from typing import Any

from connectors.errors import Split
from connectors.http import Answer, Client, require_object
from connectors.tool import Outcome

PERMANENT = (400, 413)  # malformed, too many, too large: will be refused again as it is
SUCCESS = "success"


def accepted(client: Client, answer: Answer) -> dict[str, Any]:
    """The body of an answer to something that may be sent again.

    Raises Split when the content was refused, Retry when nobody knows what became of it, and Stop
    like ``require_success``.
    """
    if answer.status in PERMANENT:
        raise _refusal(client, answer)
    body = require_object(answer)
    if body.get("message") != SUCCESS:
        raise _refusal(client, answer)
    return body


def outcome(client: Client, answer: Answer, array: str, count: int) -> Outcome:
    """Of a request with ``count`` entries in ``array``. Raises like ``accepted``."""
    errors = accepted(client, answer).get("errors") or []
    refused = []
    for error in errors if isinstance(errors, list) else [errors]:
        entry = error if isinstance(error, dict) else {"type": error}
        index = entry.get("index") if entry.get("input_array", array) == array else None
        refused.append((index, client.reason(entry.get("type", "no reason given"))))
    return Outcome.refusing(refused, count, answer.rate)


def message(client: Client, answer: Answer) -> str:
    """Braze's own words, the most particular first, cleaned."""
    errors = answer.told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if isinstance(first, dict):
        first = first.get("type") or first.get("message")
    return client.reason(first or answer.told.get("message") or f"HTTP {answer.status}")


def _refusal(client: Client, answer: Answer) -> Split:
    return Split(message(client, answer), status=answer.status, request_id=answer.request_id)
