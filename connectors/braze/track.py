"""User attributes through POST /users/track.

https://www.braze.com/docs/api/endpoints/user_data/post_user_track/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.braze.identity import external_id, has_external_id
from connectors.errors import Reject, Retry, Split
from connectors.http import Answer, Client, require_success
from connectors.tool import Encoded, Limits, Outcome, Window

PATH = "/users/track"
HEAD, TAIL = b'{"attributes":[', b"]}"
LIMITS = Limits(
    items=75, body_bytes=4_000_000, item_bytes=100_000, envelope_bytes=len(HEAD) + len(TAIL)
)
WINDOWS = (Window(3_000, 3.0),)
RESERVED = frozenset(
    {"external_id", "user_alias", "braze_id", "email", "phone", "_update_existing_only",
     "_merge_objects", "push_token_import", "push_tokens", "subscription_groups"}
)  # fmt: skip


@dataclass(frozen=True)
class Attributes:
    """Attribute objects, one a customer. Setting a value twice leaves it as it is."""

    client: Client
    update_existing_only: bool
    limits: Limits = LIMITS
    windows: Sequence[Window] = WINDOWS

    def addressable(self, customer_id: str) -> bool:
        return has_external_id(customer_id)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One attributes object. Raises Reject for an id or a name that Braze cannot take."""
        reserved = RESERVED.intersection(change)
        if reserved:
            raise Reject(f"{min(reserved)} is a field of Braze, not a custom attribute")
        record: dict[str, Any] = {"external_id": external_id(customer_id)}
        if self.update_existing_only:
            record["_update_existing_only"] = True
        return Encoded(orjson.dumps({**record, **change}))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Stop, and Split when Braze refuses without saying which."""
        body = HEAD + b",".join(records) + TAIL
        answer = self.client.request("POST", PATH, body=body)
        # 400: malformed or too many objects; 413: body or item too large. Permanent for what is
        # in the request, so the bad one is looked for. https://www.braze.com/docs/api/errors/
        if answer.status in (400, 413):
            raise Split(self._message(answer), status=answer.status, request_id=answer.request_id)
        require_success(answer)
        return self._outcome(answer, len(records))

    def _outcome(self, answer: Answer, count: int) -> Outcome:
        if not isinstance(answer.body, dict):
            raise Retry("a page instead of JSON, so nobody knows", status=answer.status)
        if answer.body.get("message") != "success":
            raise Split(self._message(answer), status=answer.status, request_id=answer.request_id)
        errors = answer.body.get("errors") or []
        rejected: dict[int, str] = {}
        unlocated: list[str] = []
        for error in errors if isinstance(errors, list) else [errors]:
            entry = error if isinstance(error, dict) else {"type": error}
            reason = self.client.reason(entry.get("type", "no reason given"))
            index = entry.get("index")
            ours = entry.get("input_array", "attributes") == "attributes"
            if ours and type(index) is int and 0 <= index < count:
                rejected[index] = reason
            else:
                unlocated.append(reason)
        return Outcome(rejected, tuple(unlocated), answer.rate)

    def _message(self, answer: Answer) -> str:
        """Braze's own words, the most particular first: errors are prose without codes."""
        body = answer.body if isinstance(answer.body, dict) else {}
        errors = body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        if isinstance(first, dict):
            first = first.get("type")
        return self.client.reason(first or body.get("message") or f"HTTP {answer.status}")
