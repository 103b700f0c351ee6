"""How Braze answers: prose without codes, and a 2xx that may be a refusal all the same.

https://www.braze.com/docs/api/errors/
"""

from __future__ import annotations

from typing import Any

from connectors.errors import Retry, Split
from connectors.http import Answer, Client, require_success
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
    require_success(answer)
    if not isinstance(answer.body, dict):
        raise Retry("a page instead of JSON, so nobody knows", status=answer.status)
    if answer.body.get("message") != SUCCESS:
        raise _refusal(client, answer)
    return answer.body


def outcome(client: Client, answer: Answer, array: str, count: int) -> Outcome:
    """Of a request with ``count`` entries in ``array``. Raises like ``accepted``."""
    errors = accepted(client, answer).get("errors") or []
    rejected: dict[int, str] = {}
    unlocated: list[str] = []
    for error in errors if isinstance(errors, list) else [errors]:
        entry = error if isinstance(error, dict) else {"type": error}
        reason = client.reason(entry.get("type", "no reason given"))
        index = entry.get("index")
        ours = entry.get("input_array", array) == array
        if ours and type(index) is int and 0 <= index < count:
            rejected[index] = reason
        else:
            unlocated.append(reason)
    return Outcome(rejected, tuple(unlocated), answer.rate)


def message(client: Client, answer: Answer) -> str:
    """Braze's own words, the most particular first, cleaned."""
    body = answer.body if isinstance(answer.body, dict) else {}
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if isinstance(first, dict):
        first = first.get("type") or first.get("message")
    return client.reason(first or body.get("message") or f"HTTP {answer.status}")


def _refusal(client: Client, answer: Answer) -> Split:
    return Split(message(client, answer), status=answer.status, request_id=answer.request_id)
