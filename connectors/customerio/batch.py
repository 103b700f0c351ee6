"""POST /api/v2/batch of the Track API: many changes of people in one request.

https://docs.customer.io/integrations/api/track/#operation/batch
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from connectors.customers import external_id
from connectors.errors import Split, Stop, nothing_to_split
from connectors.http import Answer, Client, as_object, require_object
from connectors.tool import Limits, Outcome, Window, in_batches

PATH = "/api/v2/batch"
ENVELOPE = b'{"batch":[%b]}'
LONGEST_ID_BYTES = 150
# Under 500 kB, and 32 kB a change. Their number is not limited; two hundred keep the search for a
# bad one short.
LIMITS = Limits(200, body_bytes=499_999, item_bytes=32_000, envelope_bytes=len(ENVELOPE))
WINDOWS = (Window(100, 1.0),)


def person(customer_id: str, action: str, **more: Any) -> bytes:
    """A change of one person. Raises Reject for an id that Customer.io cannot hold."""
    identifiers = {"id": external_id(customer_id, most_bytes=LONGEST_ID_BYTES)}
    return orjson.dumps({"type": "person", "identifiers": identifiers, "action": action, **more})


def send(client: Client, changes: Sequence[bytes]) -> Outcome:
    """One request. Raises Retry, Stop, and Split when it is refused without saying which."""
    answer = client.request("POST", PATH, body=ENVELOPE % b",".join(changes))
    refused = (
        (as_object(error).get("batch_index"), client.reason(_text(error)))
        for error in _errors(understood(client, answer))
    )
    return Outcome.refusing(refused, len(changes), answer.rate)


def send_all(client: Client, changes: Iterable[bytes]) -> None:
    """Any number of changes. Raises Retry, and Stop when one was refused: all others are done."""
    refused: list[str] = []
    for batch in in_batches(changes, LIMITS.items):
        with nothing_to_split():
            outcome = send(client, batch)
        refused += [*outcome.rejected.values(), *outcome.unlocated]
    if refused:
        raise Stop(f"Customer.io refused {len(refused)} people: {refused[0]}")


def understood(client: Client, answer: Answer) -> Mapping[str, Any]:
    """The body of a success. Raises Split for what is refused as a whole, Retry and Stop."""
    if answer.status in (400, 413, 422):  # malformed or too large; permanent for what is in it
        first = next(iter(_errors(answer.told)), f"HTTP {answer.status}")
        raise Split(client.reason(_text(first)), status=answer.status)
    return require_object(answer)


def _errors(body: Mapping[str, Any]) -> list[Any]:
    """Errors stand in ``errors`` or in ``meta``, as objects or as prose."""
    meta = as_object(body.get("meta"))
    found = body.get("errors") or meta.get("errors") or meta.get("error") or []
    return found if isinstance(found, list) else [found]


def _text(error: Any) -> Any:
    if not isinstance(error, dict):
        return error
    parts = (error.get("field"), error.get("message") or error.get("detail") or error.get("reason"))
    return ": ".join(str(part) for part in parts if part) or "no reason given"
