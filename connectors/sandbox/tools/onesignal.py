"""OneSignal: users by external id, segments by a filter, messages by template.

https://documentation.onesignal.com/reference/rest-api-overview
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import RateHeaders
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble
from connectors.tool import Window

BODY_BYTES = 1_000_000
TAGS = 100
NAME_CHARACTERS = 128


class OneSignal(ToolDouble):
    """A user comes to be with the first tag."""

    name = "onesignal"
    windows = (Window(1_000, 1.0),)
    rate_headers = RateHeaders("", "", "", "Retry-After")
    other_message = b'["queued"]'

    def routes(self) -> Sequence[Route]:
        user = "/apps/<app_id>/users/by/external_id/<path:customer_id>"
        segment = "/apps/<app_id>/segments"
        return [
            ("PATCH", f"{user}/identity", self.add_aliases),
            ("PATCH", user, self.update_user),
            ("GET", user, self.view_user),
            ("DELETE", user, self.delete_user),
            ("PATCH", "/apps/<app_id>/subscriptions/<number>/owner", self.transfer),
            ("GET", segment, self.view_segments),
            ("POST", segment, self.create_segment),
            ("PATCH", f"{segment}/<number>", self.update_segment),
            ("POST", "/notifications", self.create_message),
        ]

    def authorised(self) -> bool:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Key" and self.keys.accept(key)

    def refused(self, status: int, text: str) -> Response:
        return make_response(jsonify(errors=[{"code": f"sandbox-{status}", "title": text}]), status)

    def held(self) -> dict[str, dict[str, Any]]:
        """Tags of users, without those by which segments are made."""
        segments = {each["filters"][0]["key"] for each in self.shelf("segments").all().values()}
        return {
            customer_id: {name: tag for name, tag in user["tags"].items() if name not in segments}
            for customer_id, user in self.shelf("profiles").all().items()
        }

    def members(self, segment_id: str) -> list[str]:
        """Users to whom the filters of the segment about the tag of ``segment_id`` apply."""
        for segment in self.shelf("segments").all().values():
            key, value = segment["filters"][0]["key"], segment["filters"][0]["value"]
            if key.endswith(f"_{segment_id}"):
                users = self.shelf("profiles").all()
                return [each for each, user in users.items() if user["tags"].get(key) == value]
        return []

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        messages = self.shelf("messages").all().values()
        return [message for message in messages if message["template_id"] == campaign_id]

    def update_user(self, app_id: str, customer_id: str) -> Response:
        properties = self.json_body(BODY_BYTES).get("properties")
        tags = properties.get("tags") if isinstance(properties, dict) else None
        if not isinstance(tags, dict) or not all(isinstance(each, str) for each in tags.values()):
            raise RefusedCallError(400, "tags must be texts")
        if len(tags) > TAGS:
            raise RefusedCallError(400, f"a request takes {TAGS} tags")
        problem = self.problem(0, customer_id)
        if problem is not None:
            raise RefusedCallError(400, problem)
        user = self._user(customer_id) or {"tags": {}, "aliases": {}, "subscriptions": []}
        merged = {**user["tags"], **tags}
        user["tags"] = {name: value for name, value in merged.items() if value != ""}
        self.shelf("profiles").put(customer_id, user)
        return make_response(jsonify(properties={"tags": user["tags"]}), 202)

    def add_aliases(self, app_id: str, customer_id: str) -> Response:
        aliases = self.json_body(BODY_BYTES).get("identity")
        if not isinstance(aliases, dict) or not all(isinstance(a, str) for a in aliases.values()):
            raise RefusedCallError(400, "identity must hold aliases")
        user = self._known(customer_id)
        for other_id, other in self.shelf("profiles").all().items():
            if other_id != customer_id and aliases.items() & other["aliases"].items():
                raise RefusedCallError(409, "the alias belongs to another user")
        user["aliases"].update(aliases)
        self.shelf("profiles").put(customer_id, user)
        return jsonify(identity={"external_id": customer_id, **user["aliases"]})

    def view_user(self, app_id: str, customer_id: str) -> Response:
        user = self._known(customer_id)
        subscriptions = [{"id": number, "type": "AndroidPush"} for number in user["subscriptions"]]
        identity = {"external_id": customer_id, **user["aliases"]}
        return jsonify(
            identity=identity, properties={"tags": user["tags"]}, subscriptions=subscriptions
        )

    def delete_user(self, app_id: str, customer_id: str) -> Response:
        self._known(customer_id)
        self.shelf("profiles").remove(customer_id)
        return make_response(jsonify(identity={"external_id": customer_id}), 202)

    def transfer(self, app_id: str, number: str) -> Response:
        identity = self.json_body(BODY_BYTES).get("identity")
        if not isinstance(identity, dict) or not isinstance(identity.get("external_id"), str):
            raise RefusedCallError(400, "identity must hold one alias")
        owner = identity["external_id"]
        for customer_id, user in self.shelf("profiles").all().items():
            if number in user["subscriptions"]:
                user["subscriptions"].remove(number)
                self.shelf("profiles").put(customer_id, user)
        new = self._user(owner) or {"tags": {}, "aliases": {}, "subscriptions": []}
        new["subscriptions"].append(number)
        self.shelf("profiles").put(owner, new)
        return jsonify(identity={"external_id": owner})

    def view_segments(self, app_id: str) -> Response:
        found = self.shelf("segments").all()
        listed = [{"id": number, "name": each["name"]} for number, each in found.items()]
        return jsonify(total_count=len(listed), offset=0, limit=300, segments=listed)

    def create_segment(self, app_id: str) -> Response:
        body = self.json_body(BODY_BYTES)
        return self._put_segment(_uuid(body.get("id", str(uuid4()))), body, 201)

    def update_segment(self, app_id: str, number: str) -> Response:
        if self.shelf("segments").get(number) is None:
            raise RefusedCallError(404, "segment not found")
        return self._put_segment(number, self.json_body(BODY_BYTES), 200)

    def create_message(self) -> Response:
        """A message to one user; the same key again is the same message."""
        body = self.json_body(BODY_BYTES)
        key = _uuid(body.get("idempotency_key", str(uuid4())))
        aliases, template_id = body.get("include_aliases"), body.get("template_id")
        ids = aliases.get("external_id") if isinstance(aliases, dict) else None
        if not body.get("app_id") or not template_id or not isinstance(ids, list) or not ids:
            raise RefusedCallError(400, "app_id, template_id and include_aliases are required")
        if body.get("target_channel") not in ("push", "email", "sms"):
            raise RefusedCallError(400, "target_channel is required with include_aliases")
        messages = self.shelf("messages")
        if messages.get(key) is None:
            message = {"customer_id": ids[0], "properties": body.get("custom_data", {})}
            messages.put(key, {**message, "template_id": template_id})
        return jsonify(id=key, external_id=key)

    def _put_segment(self, number: str, body: dict[str, Any], status: int) -> Response:
        name, filters = body.get("name"), body.get("filters")
        named = isinstance(name, str) and 0 < len(name) <= NAME_CHARACTERS
        if not named or not isinstance(filters, list) or not filters:
            raise RefusedCallError(400, "name and filters are required")
        taken = self.shelf("segments").all()
        if any(each["name"] == name for other, each in taken.items() if other != number):
            raise RefusedCallError(400, "Segment name is already taken.")
        self.shelf("segments").put(number, {"name": name, "filters": filters})
        return make_response(jsonify(success=True, id=number), status)

    def _user(self, customer_id: str) -> dict[str, Any] | None:
        return self.shelf("profiles").get(customer_id)

    def _known(self, customer_id: str) -> dict[str, Any]:
        user = self._user(customer_id)
        if user is None:
            raise RefusedCallError(404, "No user with this external_id found")
        return user


def _uuid(text: Any) -> str:
    try:
        return str(UUID(text))
    except (ValueError, AttributeError, TypeError):
        raise RefusedCallError(400, "Invalid UUID") from None
