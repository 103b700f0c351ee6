"""Attributes of contacts in Brevo.

https://developers.brevo.com/reference/update-batch-contacts
https://developers.brevo.com/reference/get-attributes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.attributes import EMPTY, Known, plain
from connectors.customers import AddressTarget, external_id
from connectors.errors import Split
from connectors.http import Answer, Client, as_object, require_list, require_object
from connectors.tool import Encoded, Limits, Outcome, Window

ENVELOPE = b'{"contacts":[%b]}'
# Types of attributes by values; Brevo drops a value of another type without a word.
KINDS = {bool: "boolean", int: "float", float: "float", str: "text"}


@dataclass(frozen=True)
class Contacts(AddressTarget):
    """Writing attributes twice leaves them as they are."""

    client: Client
    _known: Known = field(default_factory=Known)

    limits = Limits(100, body_bytes=500_000, item_bytes=20_000, envelope_bytes=len(ENVELOPE))
    windows = (Window(10, 1.0),)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One contact. Raises Reject for an address that is too long."""
        email = external_id(customer_id, most_bytes=254)
        attributes = {name: plain(value) for name, value in change.items()}
        return Encoded(orjson.dumps({"email": email, "attributes": attributes}))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split, and Stop for an attribute that the account lacks."""
        values = [each for one in records for each in orjson.loads(one)["attributes"].items()]
        needed = {typed(name, KINDS[type(value)]) for name, value in values if value != EMPTY}
        self._known.require(needed, self._listed)
        answer = self._call("POST", "/v3/contacts/batch", ENVELOPE % b",".join(records))
        if answer.status == 204:
            return Outcome(rate=answer.rate)
        failed = require_list(require_object(answer), "failureIds")  # Brevo's ids, not ours
        return Outcome(unlocated=("Brevo did not write it",) * bool(failed), rate=answer.rate)

    def _listed(self) -> set[str]:
        answer = self._call("GET", "/v3/contacts/attributes")
        listed = map(as_object, require_list(require_object(answer), "attributes"))
        return {typed(each.get("name"), each.get("type")) for each in listed}

    def _call(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Raises Split for a refusal, which is of the whole request; else as the client."""
        answer = self.client.request(method, path, body=body)
        nobody = answer.status == 404 and answer.told.get("code") == "document_not_found"
        if nobody or answer.status in (400, 413, 422):
            raise Split(self.client.reason(answer.told.get("message")), status=answer.status)
        return answer


def typed(name: object, kind: object) -> str:
    """An attribute by its name and type; a date is written as a text."""
    return f"{name} of type {'text' if kind == 'date' else kind}"
