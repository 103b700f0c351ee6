"""Catalog items. Klaviyo has one catalog, whatever ours is called, and keeps making and changing
an item apart: which items are there is asked first.

https://developers.klaviyo.com/en/reference/catalogs_api_overview
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from connectors.errors import Reject
from connectors.http import as_list, as_object
from connectors.klaviyo.api import Api, attributes_of
from connectors.klaviyo.imports import pointed_at, reason_of
from connectors.klaviyo.jobs import finish, tighter
from connectors.klaviyo.profiles import questions
from connectors.tool import Encoded, Limits, Outcome, Window
from settings import vocabulary as v

PUT, DELETE = "put", "delete"  # lanes
CREATE, UPDATE = "create", "update"
LIMITS = Limits(items=100, body_bytes=5_000_000, item_bytes=100_000, envelope_bytes=300)
WINDOWS = (Window(10, 1.0), Window(150, 60.0))  # of jobs; asking and waiting have wider ones
ITEM_ID = re.compile(r"[!-~]{1,200}")
PREFIX = "$custom:::$default:::"  # of the id that Klaviyo gives our own


@dataclass(frozen=True)
class Items:
    """Items of the catalog; all that we know of one also stands in its ``custom_metadata``."""

    api: Api
    limits: Limits = LIMITS
    windows: Sequence[Window] = WINDOWS

    def addressable(self, item_id: str) -> bool:
        return True

    def encode(self, item_id: str, change: Mapping[str, Any]) -> Encoded:
        """``change["item"]`` is the whole item, None removes it. Raises Reject."""
        if not ITEM_ID.fullmatch(item_id):
            raise Reject("an item id has 1 to 200 printable ASCII characters, this one does not")
        if change["item"] is None:
            return Encoded(orjson.dumps({"external_id": item_id}), DELETE)
        fields = _fields(change["item"], item_id)
        return Encoded(orjson.dumps({"external_id": item_id, **fields}), PUT)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One change of at most 100 items, by one or two jobs. Raises Retry, Split or Stop."""
        items = [orjson.loads(record) for record in records]
        there = self._there([item["external_id"] for item in items])
        known = [index for index, item in enumerate(items) if item["external_id"] in there]
        if lane == DELETE:
            return self._job(DELETE, items, known)
        new = [index for index, item in enumerate(items) if item["external_id"] not in there]
        made, changed = self._job(CREATE, items, new), self._job(UPDATE, items, known)
        return Outcome(
            {**made.rejected, **changed.rejected},
            made.unlocated + changed.unlocated,
            tighter(made.rate, changed.rate),
        )

    def _there(self, item_ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for batch in questions([PREFIX + item_id for item_id in item_ids]):
            params = {
                "filter": f"any(ids,{orjson.dumps(batch).decode()})",
                "fields[catalog-item]": "external_id",
            }
            resources = self.api.pages("/api/catalog-items", params)
            found.update(str(attributes_of(each).get("external_id")) for each in resources)
        return found

    def _job(self, kind: str, items: Sequence[dict[str, Any]], places: Sequence[int]) -> Outcome:
        """One job over the items at ``places``; the Outcome counts as ``items`` do."""
        if not places:
            return Outcome()
        job = {
            "type": f"catalog-item-bulk-{kind}-job",
            "attributes": {"items": {"data": [_resource(kind, items[i]) for i in places]}},
        }
        ended = finish(self.api, f"/api/catalog-item-bulk-{kind}-jobs", job)
        errors = map(as_object, as_list(ended.attributes.get("errors")))
        refused = ((pointed_at(error), reason_of(self.api, error)) for error in errors)
        outcome = ended.outcome(refused, len(places))
        return replace(outcome, rejected={places[i]: why for i, why in outcome.rejected.items()})


def _fields(item: Mapping[str, Any], item_id: str) -> dict[str, Any]:
    """An item of ours in Klaviyo's fields. Raises Reject without what Klaviyo needs."""
    if not item.get(v.URL):
        raise Reject("Klaviyo takes no item without url: is it among catalog_fields?")
    title = str(item.get(v.NAME) or item_id)
    described = " · ".join(str(item[name]) for name in (v.BRAND, v.CATEGORY) if item.get(name))
    return {
        "title": title,
        "description": described or title,
        "url": item[v.URL],
        "image_full_url": item.get(v.IMAGE_URL),
        "price": item.get(v.PRICE),
        "published": item.get("sellable", True),
        "custom_metadata": dict(item),
    }


def _resource(kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """As the job of this kind names an item."""
    fields = dict(item)
    named = {"type": "catalog-item", "id": PREFIX + fields.pop("external_id")}
    if kind == DELETE:
        return named
    if kind == UPDATE:
        return {**named, "attributes": fields}
    return {"type": "catalog-item", "attributes": dict(item)}
