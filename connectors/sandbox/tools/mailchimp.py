"""Mailchimp's Marketing API: contacts and static segments of an audience.

https://mailchimp.com/developer/marketing/api/
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import NO_RATE_HEADERS
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble

LIST_ID = "a1b2c3d4e5"
BODY_BYTES = 2_000_000
MEMBERS = 500
ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
TAGS = ("FNAME", "LNAME", "RS_PROB", "RS_ITEMS")
TITLES = {400: "Invalid Resource", 401: "API Key Invalid", 403: "Forbidden",
          404: "Resource Not Found", 429: "Too Many Requests"}  # fmt: skip


class Mailchimp(ToolDouble):
    """One audience. What a contact lacks of a name or a consent is no matter of ours."""

    name = "mailchimp"
    rate_headers = NO_RATE_HEADERS
    other_message = b'{"detail":"Try again"}'

    def routes(self) -> Sequence[Route]:
        audience = f"/3.0/lists/{LIST_ID}"
        return [
            ("GET", audience, lambda: _object(id=LIST_ID)),
            ("POST", audience, self.batch),
            ("GET", f"{audience}/merge-fields", self.merge_fields),
            ("GET", f"{audience}/segments", self.segments),
            ("POST", f"{audience}/segments", self.create),
            ("PATCH", f"{audience}/segments/<int:number>", self.rename),
            ("POST", f"{audience}/segments/<int:number>", self.change),
        ]

    def authorised(self) -> bool:
        """Any user name, and the key for a password."""
        return self.authorised_by_basic()

    def refused(self, status: int, text: str) -> Response:
        body = {"title": TITLES.get(status, "Error"), "status": status, "detail": text}
        return make_response(jsonify(type="about:blank", instance="sandbox", **body), status)

    def members(self, segment_id: str) -> list[str]:
        segments = self.shelf("segments").all()
        numbers = [n for n, each in segments.items() if f"(Rightsend {segment_id})" in each["name"]]
        return sorted(who for number in numbers for who in self.shelf(f"members {number}").all())

    def batch(self) -> Response:
        """POST /lists/{list_id}"""
        body = self.json_body(BODY_BYTES)
        members = self._some(body, "members")
        errors = []
        for index, member in enumerate(members):
            who = str(member.get("email_address"))
            problem = self.problem(index, who) or self._wrong(member, body.get("update_existing"))
            if problem is None:
                self._take(who, member.get("merge_fields", {}))
            else:
                named = {"email_address": who} if self.tells_index else {}
                errors.append({**named, "error": problem, "error_code": "ERROR_GENERIC"})
        return _object(new_members=[], updated_members=[], errors=errors, error_count=len(errors))

    def merge_fields(self) -> Response:
        """GET /lists/{list_id}/merge-fields"""
        found = [{"merge_id": n, "tag": tag} for n, tag in enumerate(TAGS, start=1)]
        return self._page("merge_fields", found)

    def segments(self) -> Response:
        """GET /lists/{list_id}/segments"""
        found = [{"id": int(n), **each} for n, each in self.shelf("segments").all().items()]
        return self._page("segments", found)

    def create(self) -> Response:
        """POST /lists/{list_id}/segments"""
        body = self.json_body(BODY_BYTES)
        if body.get("static_segment") != []:
            raise RefusedCallError(400, "static_segment: an empty one is all that is known here")
        number = len(self.shelf("segments").all()) + 1
        self.shelf("segments").put(str(number), {"name": self._name(body), "type": "static"})
        return _object(id=number)

    def rename(self, number: int) -> Response:
        """PATCH /lists/{list_id}/segments/{segment_id}"""
        self._known(number)
        self.shelf("segments").merge(str(number), {"name": self._name(self.json_body(BODY_BYTES))})
        return _object(id=number)

    def change(self, number: int) -> Response:
        """POST /lists/{list_id}/segments/{segment_id}"""
        self._known(number)
        body = self.json_body(BODY_BYTES)
        members = self.shelf(f"members {number}")
        errors: list[dict[str, Any]] = []
        for lane in body:
            for index, who in enumerate(self._some(body, lane)):
                problem = self.problem(index, who)
                if problem is not None:
                    named = [who] if self.tells_index else []
                    errors.append({"email_addresses": named, "error": problem})
                elif lane == "members_to_remove":
                    members.remove(who)
                elif self.shelf("profiles").get(who) is not None:  # others are left out, unsaid
                    members.put(who, {})
        return _object(errors=errors, error_count=len(errors))

    def _take(self, who: str, change: dict[str, Any]) -> None:
        self.shelf("profiles").merge(
            who,
            {n: None if value == "" else value for n, value in change.items() if n in TAGS},
        )  # what the audience does not know is dropped without a word

    def _wrong(self, member: dict[str, Any], update_existing: object) -> str | None:
        who = str(member.get("email_address"))
        fields = member.get("merge_fields", {})
        known = self.shelf("profiles").get(who) is not None
        if not ADDRESS.fullmatch(who):
            return "Please provide a valid email address."
        if not known and not {"status", "status_if_new"} & set(member):
            return "status: This value should not be blank."
        if known and update_existing is not True:
            return f"{who} is already a list member."
        if any(not isinstance(value, str | int | float) for value in fields.values()):
            return "Your merge fields were invalid."
        if any(len(str(value).encode()) > 255 for value in fields.values()):
            return "Your merge fields were invalid."
        return None

    def _page(self, name: str, found: list[dict[str, Any]]) -> Response:
        start = request.args.get("offset", 0, type=int)
        count = min(1000, request.args.get("count", 10, type=int))
        return _object(**{name: found[start : start + count]}, total_items=len(found))

    def _some(self, body: dict[str, Any], name: str) -> list[Any]:
        records = body.get(name)
        if not isinstance(records, list) or not 0 < len(records) <= MEMBERS:
            raise RefusedCallError(400, f"{name} must be 1 to {MEMBERS}")
        return records

    def _name(self, body: dict[str, Any]) -> str:
        name = body.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise RefusedCallError(400, "name must be 1 to 100 characters")
        return name

    def _known(self, number: int) -> None:
        if self.shelf("segments").get(str(number)) is None:
            raise RefusedCallError(404, "There is no such segment")


def _object(**content: Any) -> Response:
    return jsonify(**content, _links=[])
