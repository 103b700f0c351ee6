"""Klaviyo's endpoints, as far as Rightsend uses them. A bulk import is carried out at once, but
says that it is still being processed when it is asked about for the first ``PENDING`` times.

https://developers.klaviyo.com/en/reference/api_overview
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
from flask import Response, g, make_response, request

from connectors.sandbox.gate import RateHeaders, RateWindows
from connectors.sandbox.tools.base import Bench, RefusedCallError, Route, ToolDouble
from connectors.tool import Window

BODY_BYTES, PROFILE_BYTES = 5_000_000, 100_000
PROFILES, MEMBERS = 10_000, 1_000
PENDING = 0
MEDIA_TYPE = "application/vnd.api+json"
SMALL = (Window(3, 1.0), Window(60, 60.0))
MEDIUM = (Window(10, 1.0), Window(150, 60.0))
LARGE = (Window(75, 1.0), Window(750, 60.0))
FILTER = re.compile(r"any\(external_id,(\[.*\])\)")
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
        self._taken: dict[str, RateWindows] = {}

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
        error = {
            "id": "0", "status": status, "code": "invalid", "title": "Invalid input.",
            "detail": text, "source": {"pointer": "/data"}, "meta": {},
        }  # fmt: skip
        return _answer({"errors": [error]}, status)

    def held(self) -> dict[str, dict[str, Any]]:
        return {who: entry["properties"] for who, entry in self.shelf("profiles").all().items()}

    def members(self, segment_id: str) -> list[str]:
        mark = f"(Rightsend {segment_id})"
        ids = {k for k, v in self.shelf("lists").all().items() if v["name"].endswith(mark)}
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
                errors.append(_import_error(index, profile, problem, located=self.tells_index))
        job_id = f"job-{len(self.shelf('jobs').all())}"
        kept = {"total": len(profiles), "errors": errors, "asked": 0}
        self.shelf("jobs").put(job_id, kept)
        return _answer({"data": _job(job_id, kept)}, 202)

    def import_job(self, job_id: str) -> Response:
        """GET /api/profile-bulk-import-jobs/{job_id}"""
        job = self._job(job_id)
        job["asked"] += 1
        self.shelf("jobs").put(job_id, job)
        return _answer({"data": _job(job_id, job)})

    def import_errors(self, job_id: str) -> Response:
        """GET /api/profile-bulk-import-jobs/{id}/import-errors"""
        errors = self._job(job_id)["errors"]
        start = request.args.get("page[cursor]", 0, type=int)
        end = start + request.args.get("page[size]", 20, type=int)
        following = f"{request.base_url}?page[cursor]={end}" if end < len(errors) else None
        return _answer({"data": errors[start:end], "links": {"next": following}})

    def profiles(self) -> Response:
        """GET /api/profiles, filtered by external id."""
        found = FILTER.fullmatch(request.args.get("filter", ""))
        wanted = orjson.loads(found[1]) if found else []
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
        taken = self._taken.setdefault(view.__name__, RateWindows(self.now))

        def paced(**values: Any) -> Response:
            if not request.headers.get("revision"):
                raise RefusedCallError(400, "the revision header is required")
            if not self.dials.rate_limit:
                g.seat = taken.take(windows)
                if not g.seat.allowed:
                    raise RefusedCallError(429, "Request was throttled.")
            return view(**values)

        paced.__name__ = view.__name__
        return paced

    def _resource(self, kind: str) -> dict[str, Any]:
        resource = self.json_body(BODY_BYTES).get("data")
        if not isinstance(resource, dict) or resource.get("type") != kind:
            raise RefusedCallError(400, f"data must be a {kind}")
        return resource

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
    attributes = {"status": status, "created_at": "2026-11-22T08:00:00+00:00", **counts}
    return {"type": "profile-bulk-import-job", "id": job_id, "attributes": attributes}


def _import_error(index: int, profile: Any, problem: str, *, located: bool) -> dict[str, Any]:
    place = f"/data/attributes/profiles/data/{index}" if located else ""
    payload = {"original_payload": profile["attributes"]} if located else {}
    error = {"code": "invalid", "title": "Invalid input.", "detail": problem}
    attributes = {**error, "source": {"pointer": place}, **payload}
    return {"type": "import-error", "id": f"error-{index}", "attributes": attributes}


def _answer(document: Mapping[str, Any], status: int = 200) -> Response:
    response = make_response(orjson.dumps(document), status)
    response.mimetype = MEDIA_TYPE
    return response
