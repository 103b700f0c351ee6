"""Attributes of contacts in Brevo.

https://developers.brevo.com/reference/update-batch-contacts
https://developers.brevo.com/reference/get-attributes
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.customers import CustomerTarget, external_id
from connectors.errors import Retry, Split, Stop
from connectors.http import Answer, Client, as_object, require_object
from connectors.tool import Encoded, Limits, Outcome, Window

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
ENVELOPE = b'{"contacts":[%b]}'
EMPTY = ""  # a call has no null: what is empty is an empty text
# Types of attributes by values; Brevo drops a value of another type without a word.
KINDS = {bool: ("boolean",), int: ("float",), float: ("float",), str: ("text", "date")}


@dataclass(frozen=True)
class Contacts(CustomerTarget):
    """Writing attributes twice leaves them as they are."""

    client: Client
    _types: dict[str, str] = field(default_factory=dict)  # of the account's attributes, by name

    limits = Limits(100, body_bytes=500_000, item_bytes=20_000, envelope_bytes=len(ENVELOPE))
    windows = (Window(10, 1.0),)

    def addressable(self, customer_id: str) -> bool:
        """Whether an id is an e-mail address: this call finds nobody by an id of ours."""
        known = super().addressable(customer_id)
        return known and ADDRESS.fullmatch(customer_id) is not None

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One contact. Raises Reject for an address that is too long."""
        email = external_id(customer_id, most_bytes=254)
        attributes = {name: attribute(value) for name, value in change.items()}
        return Encoded(orjson.dumps({"email": email, "attributes": attributes}))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split, and Stop for an attribute that the account lacks."""
        self._require_attributes(records)
        answer = self._call("POST", "/v3/contacts/batch", ENVELOPE % b",".join(records))
        if answer.status == 204:
            return Outcome(rate=answer.rate)
        failed = require_object(answer).get("failureIds")  # a 207 tells Brevo's ids, not ours
        if not isinstance(failed, list):
            raise Retry("the answer is not Brevo's, so nobody knows", status=answer.status)
        return Outcome(unlocated=("Brevo did not write it",) * bool(failed), rate=answer.rate)

    def _require_attributes(self, records: Sequence[bytes]) -> None:
        attributes = [orjson.loads(record)["attributes"] for record in records]
        values = [each for some in attributes for each in some.items() if each[1] != EMPTY]
        if any(name not in self._types for name, _ in values):
            answer = self._call("GET", "/v3/contacts/attributes")
            listed = require_object(answer).get("attributes")
            if not isinstance(listed, list):
                raise Retry("the answer is not Brevo's", status=answer.status)
            found = map(as_object, listed)
            self._types.update((str(each.get("name")), str(each.get("type"))) for each in found)
        for name, value in values:
            kinds = KINDS[type(value)]
            if self._types.get(name) not in kinds:
                kind = " or ".join(kinds)
                raise Stop(f"the account has no attribute {name} of type {kind}: add it in Brevo")

    def _call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Raises Split for a refusal, which is of the whole request; else as the client."""
        answer = self.client.request(method, path, body=body)
        nobody = answer.status == 404 and answer.told.get("code") == "document_not_found"
        if nobody or answer.status in (400, 413, 422):
            reason = self.client.reason(answer.told.get("message"))
            raise Split(ADDRESS.sub("[…]", reason), status=answer.status)
        return answer


def attribute(value: Any) -> str | float | bool:
    """A value as an attribute: lists joined by commas, nothing as an empty text."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return EMPTY if value is None else value
