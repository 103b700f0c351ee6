"""Bulk import jobs: many profiles a request; who was refused is asked for.

https://developers.klaviyo.com/en/docs/use_klaviyos_bulk_profile_import_api
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connectors.http import as_object
from connectors.klaviyo.api import Api, attributes_of
from connectors.klaviyo.jobs import finish
from connectors.tool import Limits, Outcome, Window

PATH = "/api/profile-bulk-import-jobs"
LIMITS = Limits(items=10_000, body_bytes=5_000_000, item_bytes=100_000, envelope_bytes=300)
# Of 150 a minute that may be started: each must be asked about, and 150 questions are allowed too.
WINDOWS = (Window(10, 1.0), Window(60, 60.0))
POINTED_AT = re.compile(r"/data/attributes/[a-z]+/data/(\d{1,5})(?:/|\Z)")


def run(api: Api, profiles: Sequence[bytes], list_id: str | None = None) -> Outcome:
    """Import profiles (JSON objects with an ``external_id``), add them to a list if one is given,
    and wait for the end. Raises Retry, Stop, and Split when all were refused together."""
    job: dict[str, Any] = {
        "type": "profile-bulk-import-job",
        "attributes": {"profiles": {"data": [orjson.Fragment(profile) for profile in profiles]}},
    }
    if list_id is not None:
        job["relationships"] = {"lists": {"data": [{"type": "list", "id": list_id}]}}
    ended = finish(api, PATH, job)
    if not ended.failed:
        return Outcome(rate=ended.rate)
    places = {_external_id(orjson.loads(body)): index for index, body in enumerate(profiles)}
    errors = api.pages(f"{PATH}/{ended.job_id}/import-errors", {"page[size]": "100"})
    refused = []
    for error in map(attributes_of, errors):
        index = places.get(_external_id(error.get("original_payload")), pointed_at(error))
        refused.append((index, reason_of(api, error)))
    return ended.outcome(refused, len(profiles))


def reason_of(api: Api, error: Mapping[str, Any]) -> str:
    return api.client.reason(error.get("detail") or error.get("title") or "no reason given")


def pointed_at(error: Mapping[str, Any]) -> int | None:
    """What Klaviyo calls the index of the record that an error is about."""
    pointer = as_object(error.get("source")).get("pointer")
    found = POINTED_AT.search(pointer) if isinstance(pointer, str) else None
    return int(found[1]) if found else None


def _external_id(profile: object) -> str | None:
    """Of a profile as it was sent, or of its attributes alone."""
    own = as_object(profile).get("external_id")
    found = own or attributes_of(profile).get("external_id")
    return found if isinstance(found, str) else None
