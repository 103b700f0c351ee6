"""Iterable's endpoints, as far as Rightsend uses them. A project that identifies users by e-mail
or userId: who is unknown is created only with ``preferUserId``.

https://api.iterable.com/api/docs
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import NO_RATE_HEADERS, RateWindows
from connectors.sandbox.tools.base import Bench, RefusedCallError, Route, ToolDouble
from connectors.tool import Window

BODY_BYTES = 4_000_000
USERS = 1_000
BULK_WINDOWS = (Window(5, 1.0),)
NO_LIST, NO_USER = "error.lists.invalidListId", "error.users.noUserWithIdExists"
CODES = {
    401: "BadApiKey", 403: "Forbidden", 404: "NotFound", 409: "ForgottenUserError",
    413: "BatchTooLarge", 429: "RateLimitExceeded", 500: "GenericError",
}  # fmt: skip
MARK = "Rightsend segment "


class IterableDouble(ToolDouble):
    name = "iterable"
    rate_headers = NO_RATE_HEADERS
    other_message = b'{"code":"GenericError","msg":"Internal processing problem","params":null}'

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._bulk_calls = RateWindows(bench.now)

    def routes(self) -> Sequence[Route]:
        return [
            ("POST", "/api/users/bulkUpdate", self.bulk_update),
            ("POST", "/api/users/merge", self.merge),
            ("DELETE", "/api/users/byUserId/<path:user_id>", self.delete),
            ("GET", "/api/channels", self.channels),
            ("GET", "/api/lists", self.lists),
            ("POST", "/api/lists", self.create_list),
            ("POST", "/api/lists/subscribe", self.subscribe),
            ("POST", "/api/lists/unsubscribe", self.unsubscribe),
            ("GET", "/api/campaigns/<int:campaign_id>", self.campaign),
            ("POST", "/api/<medium>/target", self.target),
        ]

    def authorised(self) -> bool:
        return self.keys.accept(request.headers.get("Api-Key", ""))

    def refused(self, status: int, text: str) -> Response:
        code = text if text.startswith("error.") else CODES.get(status, "BadParams")
        return make_response(jsonify(code=code, msg=text, params=None), status)

    def held(self) -> dict[str, dict[str, Any]]:
        return {user: entry["fields"] for user, entry in self.shelf("profiles").all().items()}

    def members(self, segment_id: str) -> list[str]:
        ids = [k for k, v in self.shelf("lists").all().items() if v["about"] == MARK + segment_id]
        users = self.shelf("profiles").all()
        return sorted(user for user, entry in users.items() if set(ids) & set(entry["lists"]))

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        sent = self.shelf("messages").all().values()
        return [message for message in sent if message["campaign_id"] == campaign_id]

    def bulk_update(self) -> Response:
        """POST /api/users/bulkUpdate"""
        if not self.dials.rate_limit:  # which replaces the tool's own
            seat = self._bulk_calls.take(BULK_WINDOWS)
            if seat is not None and not seat.allowed:
                raise RefusedCallError(429, "Rate limit exceeded")
        users = _users(self.json_body(BODY_BYTES), "users")
        return self._each(users, self._update)

    def subscribe(self) -> Response:
        """POST /api/lists/subscribe"""
        body = self.json_body(BODY_BYTES)
        list_id = self._list_of(body)

        def add(entry: dict[str, Any], user: dict[str, Any]) -> None:
            entry["lists"] = sorted({*entry["lists"], list_id})

        return self._each(_users(body, "subscribers"), add)

    def unsubscribe(self) -> Response:
        """POST /api/lists/unsubscribe"""
        body = self.json_body(BODY_BYTES)
        list_id = self._list_of(body)

        def remove(entry: dict[str, Any], user: dict[str, Any]) -> None:
            entry["lists"] = [each for each in entry["lists"] if each != list_id]

        return self._each(_users(body, "subscribers"), remove)

    def lists(self) -> Response:
        """GET /api/lists"""
        return jsonify(
            lists=[
                {"id": int(key), "name": entry["name"], "description": entry["about"],
                 "createdAt": 0, "listType": "Standard"}
                for key, entry in self.shelf("lists").all().items()
            ]
        )  # fmt: skip

    def create_list(self) -> Response:
        """POST /api/lists"""
        body = self.json_body(BODY_BYTES)
        if not isinstance(body.get("name"), str) or not body["name"]:
            raise RefusedCallError(400, "name is required")
        list_id = 1_000 + len(self.shelf("lists").all())
        entry = {"name": body["name"], "about": body.get("description", "")}
        self.shelf("lists").put(str(list_id), entry)
        return jsonify(listId=list_id)

    def merge(self) -> Response:
        """POST /api/users/merge"""
        body = self.json_body(BODY_BYTES)
        source, destination = body.get("sourceUserId"), body.get("destinationUserId")
        if not isinstance(source, str) or not isinstance(destination, str):
            raise RefusedCallError(400, "sourceUserId and destinationUserId are required")
        users = self.shelf("profiles")
        gone, staying = users.get(source), users.get(destination)
        if gone is None:
            raise RefusedCallError(400, NO_USER)
        staying = staying or {"fields": {}, "lists": []}
        fields = {**gone["fields"], **staying["fields"]}
        users.put(destination, {"fields": fields, "lists": gone["lists"] + staying["lists"]})
        users.remove(source)
        return _success()

    def delete(self, user_id: str) -> Response:
        """DELETE /api/users/byUserId/{userId}"""
        if not self.shelf("profiles").remove(user_id):
            raise RefusedCallError(400, NO_USER)
        return _success()

    def channels(self) -> Response:
        """GET /api/channels"""
        channel = {"id": 1, "name": "Marketing", "channelType": "Marketing"}
        return jsonify(channels=[{**channel, "messageMedium": "Email"}])

    def campaign(self, campaign_id: int) -> Response:
        """GET /api/campaigns/{id}: every number is a campaign by e-mail."""
        return jsonify(id=campaign_id, name="A campaign", messageMedium="Email", type="Triggered")

    def target(self, medium: str) -> Response:
        """POST /api/email/target"""
        body = self.json_body(BODY_BYTES)
        user_id, campaign_id = body.get("recipientUserId"), body.get("campaignId")
        if medium != "email" or type(campaign_id) is not int or not isinstance(user_id, str):
            raise RefusedCallError(400, "this campaign cannot be sent so")
        if self.problem(0, user_id) is not None:
            raise RefusedCallError(400, NO_USER)
        messages = self.shelf("messages")
        messages.put(f"{len(messages.all()):06}", {
            "campaign_id": str(campaign_id), "customer_id": user_id,
            "properties": body.get("dataFields", {}),
        })  # fmt: skip
        return _success()

    def _list_of(self, body: dict[str, Any]) -> str:
        list_id = body.get("listId")
        if type(list_id) is not int or self.shelf("lists").get(str(list_id)) is None:
            raise RefusedCallError(400, NO_LIST)
        return str(list_id)

    def _each(self, users: list[dict[str, Any]], change: Any) -> Response:
        """Change each user's entry, unless there is something against it."""
        profiles, failed, unlocated = self.shelf("profiles"), _no_failures(), 0
        for index, user in enumerate(users):
            user_id = user["userId"]
            entry = profiles.get(user_id)
            if self.problem(index, user_id) is not None:
                reason: str | None = "invalidUserIds"
            elif entry is None and user.get("preferUserId") is not True:
                reason = "notFoundUserIds"
            else:
                entry = entry or {"fields": {}, "lists": []}
                reason = change(entry, user)
            if reason is None:
                profiles.put(user_id, entry or {})
            elif self.tells_index:
                failed[reason].append(user_id)
            else:
                unlocated += 1
        fails = unlocated + sum(map(len, failed.values()))
        return jsonify(
            successCount=len(users) - fails, failCount=fails, failedUpdates=failed,
            invalidEmails=[], invalidUserIds=failed["invalidUserIds"], createdFields=[],
            filteredOutFields=[],
        )  # fmt: skip

    def _update(self, entry: dict[str, Any], user: dict[str, Any]) -> str | None:
        """A field keeps the type of its first value, in all users; null removes it."""
        types, data = self.shelf("fields"), user.get("dataFields", {})
        kinds = {name: kind for name, value in data.items() if (kind := _type(value))}
        for name, kind in kinds.items():
            known = (types.get(name) or {"type": kind})["type"]
            if known != kind and (known, kind) != ("double", "long"):
                return "invalidDataUserIds"
        for name, kind in kinds.items():
            if types.get(name) is None:
                types.put(name, {"type": kind})
        fields = {**entry["fields"], **data}
        entry["fields"] = {name: value for name, value in fields.items() if value is not None}
        return None


def _users(body: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Raises RefusedCallError for what Iterable would not read."""
    users = body.get(name)
    if not isinstance(users, list) or not users:
        raise RefusedCallError(400, f"{name} must be a list of users")
    if len(users) > USERS:
        raise RefusedCallError(413, f"{name} takes {USERS} users")
    for user in users:
        if not isinstance(user, dict) or not isinstance(user.get("userId"), str):
            raise RefusedCallError(400, "each user needs a userId or an email")
        data = user.get("dataFields", {})
        if not isinstance(data, dict) or any("." in field for field in data):
            raise RefusedCallError(400, "dataFields must be an object; no periods in its names")
    return users


def _no_failures() -> dict[str, list[str]]:
    kinds = ("invalid", "notFound", "invalidData", "conflict", "forgotten")
    return {f"{kind}{what}": [] for kind in kinds for what in ("Emails", "UserIds")}


def _type(value: object) -> str:
    """Elements of an array have the type that they would have alone; "" if nothing tells."""
    if isinstance(value, list):
        return _type(value[0]) if value else ""
    names = {bool: "boolean", int: "long", float: "double", str: "string", dict: "object"}
    return names.get(type(value), "")


def _success() -> Response:
    return jsonify(code="Success", msg="", params=None)
