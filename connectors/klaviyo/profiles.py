"""Customers as Klaviyo's profiles: attributes, merging and deleting.

https://developers.klaviyo.com/en/reference/profiles_api_overview
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.customers import CustomerTarget, external_id
from connectors.errors import Reject, Stop
from connectors.klaviyo import imports
from connectors.klaviyo.api import Api, attributes_of, resource_id
from connectors.tool import Encoded, Outcome

LONGEST_EXTERNAL_ID_BYTES = 255
IDS_PER_QUESTION = 100
QUESTION_BYTES = 6_000  # of an address, which servers limit
RESERVED = frozenset(
    {"id", "external_id", "email", "phone_number", "first_name", "last_name", "organization",
     "locale", "title", "image", "location", "created", "updated"}
)  # fmt: skip


@dataclass(frozen=True)
class Attributes(CustomerTarget):
    """Custom properties of profiles. Setting a value twice leaves it as it is."""

    api: Api

    limits = imports.LIMITS
    windows = imports.WINDOWS

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One profile; a bulk import overlooks null, so what goes is named apart. Raises Reject
        for an id or a name that Klaviyo cannot take."""
        for name in change:
            if name in RESERVED or name.startswith("$"):
                raise Reject(f"{name} is a field of Klaviyo, not a custom property")
        record = profile(customer_id)
        properties = {name: value for name, value in change.items() if value is not None}
        gone = [name for name, value in change.items() if value is None]
        if properties:
            record["attributes"]["properties"] = properties
        if gone:
            record["meta"] = {"patch_properties": {"unset": gone}}
        return Encoded(orjson.dumps(record))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One job, waited for. Raises Retry, Stop, and Split when Klaviyo refuses all of it."""
        return imports.run(self.api, records)


def profile(customer_id: str) -> dict[str, Any]:
    """Raises Reject for an id that is too long."""
    known_as = external_id(customer_id, most_bytes=LONGEST_EXTERNAL_ID_BYTES)
    return {"type": "profile", "attributes": {"external_id": known_as}}


def ids_of(api: Api, customer_ids: Sequence[str]) -> dict[str, str]:
    """Customer id → Klaviyo's own id of the profile, of those that are there. Raises Retry or
    Stop."""
    found: dict[str, str] = {}
    for batch in questions(customer_ids):
        params = {
            "filter": f"any(external_id,{orjson.dumps(batch).decode()})",
            "fields[profile]": "external_id",
            "page[size]": str(IDS_PER_QUESTION),
        }
        for resource in api.pages("/api/profiles", params):
            customer_id = attributes_of(resource).get("external_id")
            profile_id = resource_id(resource)
            if isinstance(customer_id, str) and profile_id is not None:
                found[customer_id] = profile_id
    return found


def merge(api: Api, pairs: Sequence[tuple[str, str]]) -> None:
    """(gone customer id, staying one). Without a staying profile the gone one takes its name.
    Raises Retry, Split or Stop."""
    ids = ids_of(api, [customer_id for pair in pairs for customer_id in pair])
    for gone, staying in pairs:
        if gone not in ids:
            continue
        if staying in ids:
            source = [{"type": "profile", "id": ids[gone]}]
            _do(api, "POST", "/api/profile-merge", {
                "type": "profile-merge", "id": ids[staying],
                "relationships": {"profiles": {"data": source}},
            })  # fmt: skip
        else:
            renamed = {**profile(staying), "id": ids[gone]}
            _do(api, "PATCH", f"/api/profiles/{ids[gone]}", renamed)
            ids[staying] = ids.pop(gone)


def erase(api: Api, customer_ids: Sequence[str]) -> None:
    """Ask for the deletion of profiles; Klaviyo carries it out later. Raises Retry, Split or
    Stop."""
    for profile_id in ids_of(api, customer_ids).values():
        _do(api, "POST", "/api/data-privacy-deletion-jobs", {
            "type": "data-privacy-deletion-job",
            "attributes": {"profile": {"data": {"type": "profile", "id": profile_id}}},
        })  # fmt: skip


def _do(api: Api, method: str, path: str, resource: Mapping[str, Any]) -> None:
    """One call, patiently: the windows of these calls are narrow. It may be repeated: a profile
    that is no longer there was merged or deleted by the call whose answer was lost."""
    try:
        api.patiently(lambda: api.call(method, path, {"data": resource}))
    except Stop as error:
        if error.status != 404:
            raise


def questions(ids: Sequence[str]) -> Iterator[list[str]]:
    """Batches of ids that fit into an address, in which a byte may take three."""
    batch: list[str] = []
    size = 0
    for each in ids:
        cost = 3 * len(each.encode()) + 9
        if batch and (len(batch) == IDS_PER_QUESTION or size + cost > QUESTION_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += cost
    if batch:
        yield batch
