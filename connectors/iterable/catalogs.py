"""Catalog items. The whole item is sent each time, which replaces it or makes it.

https://api.iterable.com/api/docs#catalogs_bulkCreateCatalogItems
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.errors import Reject, Stop
from connectors.http import Client, as_object
from connectors.iterable.answers import accepted, required
from connectors.tool import Encoded, Limits, Outcome, Window

PUT, DELETE = "POST", "DELETE"  # lanes: the method of the request
ENVELOPES = {
    PUT: b'{"replaceUploadedFieldsOnly":false,"documents":{%b}}',
    DELETE: b'{"itemIds":[%b]}',
}
LIMITS = Limits(1_000, body_bytes=4_000_000, item_bytes=30_000, envelope_bytes=len(ENVELOPES[PUT]))
WINDOWS = (Window(100, 1.0),)
ITEM_ID = re.compile(r"[A-Za-z0-9-]{1,255}")
TYPES = {"string": "string", "number": "double", "boolean": "boolean", "time": "date"}


@dataclass(frozen=True)
class Items:
    """Items of one catalog. Iterable accepts at once (202) and works later."""

    client: Client
    catalog: str
    limits: Limits = LIMITS
    windows: Sequence[Window] = WINDOWS

    def addressable(self, item_id: str) -> bool:
        return True

    def encode(self, item_id: str, change: Mapping[str, Any]) -> Encoded:
        """``change["item"]`` is the whole item, None removes it. Raises Reject."""
        if not ITEM_ID.fullmatch(item_id):
            raise Reject("an item id has 1 to 255 of A-Z a-z 0-9 -, this one does not")
        item = change["item"]
        if item is None:
            return Encoded(orjson.dumps(item_id), DELETE)
        if any("." in name for name in item):
            raise Reject("a field's name has a period, which Iterable's cannot have")
        return Encoded(orjson.dumps(item_id) + b":" + orjson.dumps(item), PUT)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request with at most 1,000 items. Raises Retry, Split or Stop."""
        body = ENVELOPES[lane] % b",".join(records)
        answer = self.client.request(lane, f"{_path(self.catalog)}/items", body=body)
        accepted(self.client, answer)
        return Outcome(rate=answer.rate)


def declare(client: Client, name: str, fields: Mapping[str, str]) -> None:
    """Make the catalog, or give types to the fields that lack one. Raises Retry, and Stop when
    Iterable refuses or a field has another type there."""
    mappings = f"{_path(name)}/fieldMappings"
    answer = client.request("GET", mappings)
    known: dict[str, Any] = {}
    if answer.status == 404:
        required(client, client.request("POST", _path(name)))
    else:
        known = as_object(required(client, answer).get("definedMappings"))
    for field, kind in fields.items():
        if known.get(field, TYPES[kind]) != TYPES[kind]:
            raise Stop(
                f"field {field} of catalog {name} is a {client.reason(known[field])}, not a"
                f" {TYPES[kind]}: rename it in Iterable or leave it out of catalog_fields"
            )
    missing = [
        {"fieldName": field, "fieldType": TYPES[kind]}
        for field, kind in fields.items()
        if field not in known
    ]
    if missing:
        body = orjson.dumps({"mappingsUpdates": missing})
        required(client, client.request("PUT", mappings, body=body))


def _path(name: str) -> str:
    """Raises Stop for a name that is none."""
    if not ITEM_ID.fullmatch(name):
        raise Stop("the name of a catalog has 1 to 255 of A-Z a-z 0-9 -, this one does not")
    return f"/api/catalogs/{name}"
