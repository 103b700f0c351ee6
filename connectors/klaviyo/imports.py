"""Bulk import jobs: many profiles a request, carried out later; who was refused is asked for.

https://developers.klaviyo.com/en/docs/use_klaviyos_bulk_profile_import_api
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from connectors.errors import Retry, Split
from connectors.http import Answer
from connectors.klaviyo.api import Api, attributes_of, resource_id
from connectors.rate import Rate
from connectors.tool import Limits, Outcome, Window

PATH = "/api/profile-bulk-import-jobs"
LIMITS = Limits(items=10_000, body_bytes=5_000_000, item_bytes=100_000, envelope_bytes=300)
WINDOWS = (Window(10, 1.0), Window(150, 60.0))
POINTED_AT = re.compile(r"/profiles/data/(\d{1,5})(/|\Z)")


def run(api: Api, profiles: Sequence[bytes], list_id: str | None = None) -> Outcome:
    """Import profiles (JSON objects with an ``external_id``), add them to a list if one is given,
    and wait for the end. Raises Retry, Stop, and Split when all were refused together."""
    started = api.call("POST", PATH, _job(profiles, list_id))
    if not isinstance(started.body, dict):
        raise Retry("a page instead of JSON, so nobody knows", status=started.status)
    job_id = resource_id(started.body.get("data"))
    if job_id is None:
        raise Split("Klaviyo took the request and named no job", status=started.status)
    ended = api.patiently(lambda: _ended(api, job_id))
    job = attributes_of(ended.body["data"])
    if job.get("status") == "cancelled":
        raise Retry("the import was cancelled in Klaviyo")
    failed = job.get("failed_count")
    rate = _tighter(started.rate, ended.rate)
    if not failed:
        return Outcome(rate=rate)
    rejected, unlocated = _refused(api, job_id, profiles)
    missing = failed - len(rejected) - len(unlocated) if type(failed) is int else 1
    if missing > 0:
        unlocated.append("refused, and Klaviyo did not say which")
    return Outcome(rejected, tuple(unlocated), rate)


def _job(profiles: Sequence[bytes], list_id: str | None) -> dict[str, Any]:
    job: dict[str, Any] = {
        "type": "profile-bulk-import-job",
        "attributes": {"profiles": {"data": [orjson.Fragment(profile) for profile in profiles]}},
    }
    if list_id is not None:
        job["relationships"] = {"lists": {"data": [{"type": "list", "id": list_id}]}}
    return {"data": job}


def _ended(api: Api, job_id: str) -> Answer:
    answer = api.read(f"{PATH}/{job_id}")
    status = attributes_of(answer.body["data"]).get("status")
    if status in ("complete", "cancelled"):
        return answer
    raise Retry(f"the import is {api.client.reason(status)}")


def _refused(api: Api, job_id: str, profiles: Sequence[bytes]) -> tuple[dict[int, str], list[str]]:
    """Index → reason, and the reasons of those that cannot be told from the others."""
    places = {_external_id(orjson.loads(body)): index for index, body in enumerate(profiles)}
    rejected: dict[int, str] = {}
    unlocated: list[str] = []
    for entry in api.pages(f"{PATH}/{job_id}/import-errors", {"page[size]": "100"}):
        error = attributes_of(entry)
        reason = api.client.reason(error.get("detail") or error.get("title") or "no reason given")
        index = _place(error, places)
        if index is None:
            unlocated.append(reason)
        else:
            rejected[index] = reason
    return rejected, unlocated


def _place(error: Mapping[str, Any], places: Mapping[str | None, int]) -> int | None:
    """By the profile that comes with the error, else by what it points at."""
    index = places.get(_external_id(error.get("original_payload")))
    if index is not None:
        return index
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    found = POINTED_AT.search(pointer) if isinstance(pointer, str) else None
    return int(found[1]) if found and int(found[1]) < len(places) else None


def _external_id(profile: object) -> str | None:
    """Of a profile as it was sent, or of its attributes alone."""
    if not isinstance(profile, dict):
        return None
    found = profile.get("external_id") or attributes_of(profile).get("external_id")
    return found if isinstance(found, str) else None


def _tighter(a: Rate, b: Rate) -> Rate:
    """Each call has windows of its own: go by the one with less left."""
    if a.remaining is None or b.remaining is None:
        return b if a.remaining is None else a
    return a if a.remaining < b.remaining else b
