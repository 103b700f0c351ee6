"""Klaviyo's endpoints, as far as Rightsend uses them. A bulk import is carried out at once, but
says that it is still being processed when it is asked about for the first ``PENDING`` times.

https://developers.klaviyo.com/en/reference/api_overview
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import orjson
from flask import Response, g, make_response, request

from connectors.sandbox.gate import RateHeaders, RateWindows
from connectors.sandbox.tools.base import Bench, RefusedCallError, Route, ToolDouble
from connectors.tool import Window

BODY_BYTES, PROFILE_BYTES = 5_000_000, 100_000
PROFILES, MEMBERS, ITEMS = 10_000, 1_000, 100
PENDING = 0
MEDIA_TYPE = "application/vnd.api+json"
SMALL = (Window(3, 1.0), Window(60, 60.0))
MEDIUM = (Window(10, 1.0), Window(150, 60.0))
LARGE = (Window(75, 1.0), Window(750, 60.0))
FILTER = re.compile(r"any\((external_id|ids),(\[.*\])\)")
PREFIX = "$custom:::$default:::"
NEEDED = ("title", "description", "url")
Views = tuple[str, str, Sequence[Window], Callable[..., Response]]


class KlaviyoDouble(ToolDouble):
    name = "klaviyo"
    rate_headers = RateHeaders(
        "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After", with_429=False
    )
    other_message = b'{"meta":{"message":"Internal processing problem"}}'

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self.dials.reset_as_seconds = True

    def routes(self) -> Sequence[Route]:
        jobs = "/api/profile-bulk-import-jobs"
        views: list[Views] = [
            ("POST", jobs, MEDIUM, self.start_import),
            ("GET", f"{jobs}/<job_id>", MEDIUM, self.import_job),
            ("GET", f"{jobs}/<job_id>/import-errors", MEDIUM, self.import_errors),
            ("GET", "/api/profiles", LARGE, self.profiles),
            ("PATCH", "/api/profiles/<profile_id>", LARGE, self.update_profile),
            ("POST", "/api/profile-merge", MEDIUM, self.merge),
            ("POST", "/api/data-privacy-deletion-jobs", SMALL, self.delete),
            ("GET", "/api/catalog-items", LARGE, self.items),
            *self._item_jobs(),
            ("GET", "/api/lists", LARGE, self.lists),
            ("POST", "/api/lists", MEDIUM, self.create_list),
            ("PATCH", "/api/lists/<list_id>", MEDIUM, self.rename_list),
            ("DELETE", "/api/lists/<list_id>/relationships/profiles", MEDIUM, self.remove),
        ]
        return [(method, path, self._paced(windows, view)) for method, path, windows, view in views]

    def authorised(self) -> bool:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Klaviyo-API-Key" and self.keys.accept(key)

    def refused(self, status: int, text: str) -> Response:
        return _answer({"errors": [_error("/data", text, status=status, meta={})]}, status)

    def held(self) -> dict[str, dict[str, Any]]:
        return {who: entry["properties"] for who, entry in self.shelf("profiles").all().items()}

    def members(self, segment_id: str) -> list[str]:
        mark = f"(Rightsend {segment_id})"
        ids = {k for k, v in self.shelf("lists").all().items() if mark in v["name"]}
        profiles = self.shelf("profiles").all()
        return sorted(who for who, entry in profiles.items() if ids & set(entry["lists"]))

    def start_import(self) -> Response:
        """POST /api/profile-bulk-import-jobs"""
        job = self._resource("profile-bulk-import-job")
        profiles = job["attributes"]["profiles"]["data"]
        relationships = job.get("relationships", {})
        lists = [self._list(each["id"]) for each in relationships.get("lists", {}).get("data", [])]
        if not 0 < len(profiles) <= PROFILES:
            raise RefusedCallError(400, f"a job takes 1 to {PROFILES} profiles")
        if any(len(orjson.dumps(profile)) > PROFILE_BYTES for profile in profiles):
            raise RefusedCallError(400, "a profile is larger than 100 kB")
        errors = []
        for index, profile in enumerate(profiles):
            problem = self.problem(index, profile["attributes"]["external_id"])
            if problem is None:
                self._import(profile, lists)
            else:
                errors.append(self._import_error(index, profile, problem))
        return self._start(len(profiles), errors)

    def import_job(self, job_id: str) -> Response:
        """GET /api/profile-bulk-import-jobs/{job_id}"""
        job = self._job(job_id)
        job["asked"] += 1
        self.shelf("jobs").put(job_id, job)
        return _answer({"data": _job(job_id, job)})

    def import_errors(self, job_id: str) -> Response:
        """GET /api/profile-bulk-import-jobs/{id}/import-errors"""
        errors = [
            {"type": "import-error", "id": error["id"], "attributes": error}
            for error in self._job(job_id)["errors"]
        ]
        start = request.args.get("page[cursor]", 0, type=int)
        end = start + request.args.get("page[size]", 20, type=int)
        following = f"{request.base_url}?page[cursor]={end}" if end < len(errors) else None
        return _answer({"data": errors[start:end], "links": {"next": following}})

    def profiles(self) -> Response:
        """GET /api/profiles, filtered by external id."""
        found = FILTER.fullmatch(request.args.get("filter", ""))
        wanted = orjson.loads(found[2]) if found and found[1] == "external_id" else []
        if not 0 < len(wanted) <= request.args.get("page[size]", 20, type=int) <= 100:
            raise RefusedCallError(400, "ask for 1 to 100 external ids, and no more than a page")
        profiles = self.shelf("profiles")
        return _answer(
            {
                "data": [
                    {"type": "profile", "id": entry["id"], "attributes": {"external_id": who}}
                    for who in wanted
                    if (entry := profiles.get(who)) is not None
                ],
                "links": {"next": None},
            }
        )

    def update_profile(self, profile_id: str) -> Response:
        """PATCH /api/profiles/{id}: a new external id."""
        who, entry = self._profile(profile_id)
        called = self._resource("profile")["attributes"]["external_id"]
        self.shelf("profiles").remove(who)
        self.shelf("profiles").put(called, entry)
        return _answer({"data": {"type": "profile", "id": profile_id}})

    def merge(self) -> Response:
        """POST /api/profile-merge"""
        job = self._resource("profile-merge")
        staying, entry = self._profile(job["id"])
        gone, source = self._profile(job["relationships"]["profiles"]["data"][0]["id"])
        properties = {**source["properties"], **entry["properties"]}
        lists = sorted({*source["lists"], *entry["lists"]})
        self.shelf("profiles").remove(gone)
        self.shelf("profiles").put(staying, {**entry, "properties": properties, "lists": lists})
        return _answer({"data": {"type": "profile", "id": job["id"]}}, 201)

    def delete(self) -> Response:
        """POST /api/data-privacy-deletion-jobs"""
        profile = self._resource("data-privacy-deletion-job")["attributes"]["profile"]["data"]
        who, _ = self._profile(profile["id"])
        self.shelf("profiles").remove(who)
        return _answer({}, 202)

    def items(self) -> Response:
        """GET /api/catalog-items, filtered by Klaviyo's ids."""
        found = FILTER.fullmatch(request.args.get("filter", ""))
        wanted = orjson.loads(found[2]) if found and found[1] == "ids" else []
        if not 0 < len(wanted) <= ITEMS:
            raise RefusedCallError(400, f"ask for 1 to {ITEMS} items")
        items = self.shelf("items").all()
        there = [item_id.removeprefix(PREFIX) for item_id in wanted]
        data = [
            {"type": "catalog-item", "id": PREFIX + who, "attributes": {"external_id": who}}
            for who in there
            if who in items
        ]
        return _answer({"data": data, "links": {"next": None}})

    def _item_jobs(self) -> list[Views]:
        """POST /api/catalog-item-bulk-create-jobs, -update-, -delete-; and how they went."""
        views: list[Views] = []
        for kind in ("create", "update", "delete"):
            path = f"/api/catalog-item-bulk-{kind}-jobs"
            views.append(("POST", path, LARGE, partial(self.start_items, kind)))
            views.append(("GET", f"{path}/<job_id>", LARGE, self.import_job))
        return views

    def start_items(self, kind: str) -> Response:
        """Make, change or delete items: what is there cannot be made, what is not not changed."""
        job = self._resource(f"catalog-item-bulk-{kind}-job")
        resources, shelf = job["attributes"]["items"]["data"], self.shelf("items")
        if not 0 < len(resources) <= ITEMS:
            raise RefusedCallError(400, f"a job takes 1 to {ITEMS} items")
        errors = []
        for index, resource in enumerate(resources):
            fields = resource.get("attributes", {})
            who = fields.pop("external_id", resource.get("id", "").removeprefix(PREFIX))
            incomplete = kind == "create" and not all(map(fields.get, NEEDED))
            if (shelf.get(who) is None) != (kind == "create") or incomplete:
                errors.append(_error(f"/data/attributes/items/data/{index}", "not so"))
            elif kind == "delete":
                shelf.remove(who)
            else:
                shelf.put(who, fields)
        return self._start(len(resources), errors)

    def catalog(self, name: str) -> dict[str, dict[str, Any]]:
        return {who: item["custom_metadata"] for who, item in self.shelf("items").all().items()}

    def lists(self) -> Response:
        """GET /api/lists: ten a page."""
        found = [
            {"type": "list", "id": list_id, "attributes": {"name": entry["name"]}}
            for list_id, entry in self.shelf("lists").all().items()
        ]
        start = request.args.get("page[cursor]", 0, type=int)
        more = start + 10 < len(found)
        following = f"{request.base_url}?page%5Bcursor%5D={start + 10}" if more else None
        return _answer({"data": found[start : start + 10], "links": {"next": following}})

    def create_list(self) -> Response:
        """POST /api/lists"""
        name = self._resource("list")["attributes"]["name"]
        list_id = f"L{len(self.shelf('lists').all()):05}"
        self.shelf("lists").put(list_id, {"name": name})
        return _answer({"data": {"type": "list", "id": list_id}}, 201)

    def rename_list(self, list_id: str) -> Response:
        """PATCH /api/lists/{id}"""
        name = self._resource("list")["attributes"]["name"]
        self.shelf("lists").put(self._list(list_id), {"name": name})
        return _answer({"data": {"type": "list", "id": list_id}})

    def remove(self, list_id: str) -> Response:
        """DELETE /api/lists/{id}/relationships/profiles"""
        leaving = {profile["id"] for profile in self.json_body(BODY_BYTES)["data"]}
        if not 0 < len(leaving) <= MEMBERS:
            raise RefusedCallError(400, f"a call takes 1 to {MEMBERS} profiles")
        profiles = self.shelf("profiles")
        entries = [(who, e) for who, e in profiles.all().items() if e["id"] in leaving]
        for index, (who, entry) in enumerate(entries):
            if self.problem(index, who) is not None:
                raise RefusedCallError(400, "a profile cannot be removed")
            lists = [each for each in entry["lists"] if each != self._list(list_id)]
            profiles.put(who, {**entry, "lists": lists})
        return make_response("", 204)

    def _paced(self, windows: Sequence[Window], view: Callable[..., Response]) -> Any:
        """Each call has windows of its own; a dial replaces them by one for all calls."""
        taken = RateWindows(self.now)

        def paced(**values: Any) -> Response:
            if not request.headers.get("revision"):
                raise RefusedCallError(400, "the revision header is required")
            if not self.dials.rate_limit:
                g.seat = taken.take(windows)
                if not g.seat.allowed:
                    raise RefusedCallError(429, "Request was throttled.")
            return view(**values)

        return paced

    def _resource(self, kind: str) -> dict[str, Any]:
        resource = self.json_body(BODY_BYTES).get("data")
        if not isinstance(resource, dict) or resource.get("type") != kind:
            raise RefusedCallError(400, f"data must be a {kind}")
        return resource

    def _import_error(self, index: int, profile: dict[str, Any], problem: str) -> dict[str, Any]:
        if not self.tells_index:
            return _error("", problem)
        place = f"/data/attributes/profiles/data/{index}"
        return _error(place, problem, original_payload=profile["attributes"])

    def _start(self, total: int, errors: list[Any]) -> Response:
        job_id = f"job-{len(self.shelf('jobs').all())}"
        job = {"total": total, "errors": errors, "asked": 0}
        self.shelf("jobs").put(job_id, job)
        return _answer({"data": _job(job_id, job)}, 202)

    def _import(self, profile: dict[str, Any], lists: Sequence[str]) -> None:
        """Create or update; a null changes nothing, ``unset`` removes."""
        attributes, profiles = profile["attributes"], self.shelf("profiles")
        who = attributes["external_id"]
        new: dict[str, Any] = {
            "id": sha256(who.encode()).hexdigest()[:26],
            "properties": {},
            "lists": [],
        }
        entry = profiles.get(who) or new
        given = {k: v for k, v in attributes.get("properties", {}).items() if v is not None}
        unset = profile.get("meta", {}).get("patch_properties", {}).get("unset", [])
        properties = {**entry["properties"], **given}
        properties = {k: v for k, v in properties.items() if k not in unset}
        lists = sorted({*entry["lists"], *lists})
        profiles.put(who, {**entry, "properties": properties, "lists": lists})

    def _job(self, job_id: str) -> dict[str, Any]:
        return _known(self.shelf("jobs").get(job_id), "job")

    def _list(self, list_id: str) -> str:
        _known(self.shelf("lists").get(list_id), "list")
        return list_id

    def _profile(self, profile_id: str) -> tuple[str, dict[str, Any]]:
        for who, entry in self.shelf("profiles").all().items():
            if entry["id"] == profile_id:
                return who, entry
        raise RefusedCallError(404, "no such profile")


def _known(entry: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if entry is None:
        raise RefusedCallError(404, f"A {what} with this id does not exist.")
    return entry


def _job(job_id: str, job: Mapping[str, Any]) -> dict[str, Any]:
    failed, total = len(job["errors"]), job["total"]
    status = "complete" if job["asked"] > PENDING else "processing"
    counts = {"total_count": total, "completed_count": total - failed, "failed_count": failed}
    created = "2026-11-22T08:00:00+00:00"
    attributes = {"status": status, "created_at": created, "errors": job["errors"], **counts}
    return {"type": "job", "id": job_id, "attributes": attributes}


def _error(pointer: str, detail: str, **more: Any) -> dict[str, Any]:
    error = {"id": "0", "code": "invalid", "title": "Invalid input.", "detail": detail}
    return {**error, "source": {"pointer": pointer}, **more}


def _answer(document: Mapping[str, Any], status: int = 200) -> Response:
    response = make_response(orjson.dumps(document), status)
    response.mimetype = MEDIA_TYPE
    return response
