"""Catalog items. The whole item is sent each time: PUT replaces an item, makes it when it is
missing and may be repeated, while PATCH edits only what exists and POST fails for what does.

https://www.braze.com/docs/api/endpoints/catalogs/catalog_items/asynchronous/put_update_catalog_items/
https://www.braze.com/docs/api/endpoints/catalogs/catalog_items/asynchronous/delete_catalog_items/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.braze.answers import accepted
from connectors.errors import Reject, Stop, nothing_to_split
from connectors.http import Client, as_list, as_object, require_list, require_success
from connectors.tool import Encoded, Limits, Outcome, Window

PUT, DELETE = "PUT", "DELETE"  # lanes: the method of the request
ENVELOPE = b'{"items":[%b]}'
LIMITS = Limits(50, body_bytes=4_000_000, item_bytes=3_000_000, envelope_bytes=len(ENVELOPE))
WINDOWS = (Window(16_000, 60.0),)
LONGEST_VALUE = 5_000  # characters
ID = "id"
ITEM_ID = re.compile(r"[A-Za-z0-9_-]{1,250}")


@dataclass(frozen=True)
class Items:
    """Items of one catalog. Braze accepts at once (202) and works later."""

    client: Client
    catalog: str
    limits: Limits = LIMITS
    windows: Sequence[Window] = WINDOWS

    def addressable(self, item_id: str) -> bool:
        return True

    def encode(self, item_id: str, change: Mapping[str, Any]) -> Encoded:
        """``change["item"]`` is the whole item, None removes it. Raises Reject."""
        if not ITEM_ID.fullmatch(item_id):
            raise Reject("an item id has 1 to 250 of A-Z a-z 0-9 _ -, this one does not")
        item = change["item"]
        if item is None:
            return Encoded(orjson.dumps({ID: item_id}), DELETE)
        for name, value in item.items():
            if isinstance(value, str) and len(value) > LONGEST_VALUE:
                raise Reject(f"{name} has more than {LONGEST_VALUE} characters")
        return Encoded(orjson.dumps({ID: item_id, **item}), PUT)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request with at most 50 items. Raises Retry, Split or Stop."""
        body = ENVELOPE % b",".join(records)
        answer = self.client.request(lane, f"/catalogs/{self.catalog}/items", body=body)
        accepted(self.client, answer)
        return Outcome(rate=answer.rate)


def declare(client: Client, name: str, fields: Mapping[str, str]) -> None:
    """Make the catalog, or add the fields that it lacks; what else it has stays.

    Raises Retry, and Stop when Braze refuses or a field has another type there.

    https://www.braze.com/docs/api/endpoints/catalogs/catalog_management/synchronous/post_create_catalog/
    https://www.braze.com/docs/api/endpoints/catalogs/catalog_fields/asynchronous/post_create_catalog_fields
    """
    there = _fields(client, name)
    if there is None:
        described = {"name": name, "description": "Items, kept by Rightsend"}
        columns = [{"name": ID, "type": "string"}, *_listed(fields)]
        _post(client, "/catalogs", {"catalogs": [{**described, "fields": columns}]})
        return
    for field, kind in fields.items():
        if there.get(field, kind) != kind:
            raise Stop(
                f"field {field} of catalog {name} is a {client.reason(there[field])}, not a {kind}:"
                " rename it in Braze or leave it out of catalog_fields"
            )
    missing = {field: kind for field, kind in fields.items() if field not in there}
    if missing:
        _post(client, f"/catalogs/{name}/fields", {"fields": _listed(missing)})


def _fields(client: Client, name: str) -> dict[str, str] | None:
    """Field → type of the catalog; None when there is no such catalog."""
    answer = require_success(client.request("GET", "/catalogs"))
    for catalog in map(as_object, require_list(answer.told, "catalogs")):
        if catalog.get("name") == name:
            fields = [field for field in as_list(catalog.get("fields")) if as_object(field)]
            return {str(field.get("name")): str(field.get("type")) for field in fields}
    return None


def _listed(fields: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in fields.items()]


def _post(client: Client, path: str, body: Mapping[str, Any]) -> None:
    with nothing_to_split():
        accepted(client, client.request("POST", path, body=orjson.dumps(body)))
