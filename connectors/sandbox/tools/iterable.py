"""Iterable's endpoints, as far as Rightsend uses them. A project that identifies users by e-mail
or userId: who is unknown is created only with ``preferUserId``.

https://api.iterable.com/api/docs
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import NO_RATE_HEADERS
from connectors.sandbox.tools.base import Bench, RefusedCallError, Route, ToolDouble

BODY_BYTES = 4_000_000
USERS = 1_000
LONGEST_USER_ID = 52
BULK_CALLS = 5  # a second
NO_LIST, NO_USER = "error.lists.invalidListId", "error.users.noUserWithIdExists"
CODES = {
    401: "BadApiKey", 403: "Forbidden", 404: "NotFound", 409: "ForgottenUserError",
    413: "BatchTooLarge", 429: "RateLimitExceeded", 500: "GenericError",
}  # fmt: skip
MARK = "Rightsend segment "
MEDIA = ("email", "push", "sms", "inApp", "webPush", "whatsApp")
ITEM_ID = re.compile(r"[A-Za-z0-9-]{1,255}")


class Bucket:
    """A leaky bucket: it holds as many calls as leak out of it in a second. Thread-safe."""

    def __init__(self, size: int, now: Callable[[], float]) -> None:
        self._size = size
        self._now = now
        self._level = 0.0
        self._at = now()
        self._lock = Lock()

    def take(self) -> bool:
        """Whether there is room for one more call."""
        with self._lock:
            now = self._now()
            self._level = max(self._level - (now - self._at) * self._size, 0.0)
            self._at = now
            if self._level + 1 > self._size:
                return False
            self._level += 1
            return True


class IterableDouble(ToolDouble):
    name = "iterable"
    rate_headers = NO_RATE_HEADERS
    other_message = b'{"code":"GenericError","msg":"Internal processing problem","params":null}'

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._bulk_calls = Bucket(BULK_CALLS, bench.now)

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
            ("POST", "/api/<medium>/target", self.target),
            ("POST", "/api/workflows/triggerWorkflow", self.trigger_workflow),
            ("GET", "/api/catalogs/<name>/fieldMappings", self.field_mappings),
            ("PUT", "/api/catalogs/<name>/fieldMappings", self.map_fields),
            ("POST", "/api/catalogs/<name>", self.create_catalog),
            ("POST", "/api/catalogs/<name>/items", self.put_items),
            ("DELETE", "/api/catalogs/<name>/items", self.delete_items),
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
        if not self.dials.rate_limit and not self._bulk_calls.take():  # a dial replaces it
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

    def target(self, medium: str) -> Response:
        """POST /api/email/target, and so on for other channels: every number is a campaign."""
        body = self.json_body(BODY_BYTES)
        campaign_id = body.get("campaignId")
        if medium not in MEDIA or type(campaign_id) is not int:
            raise RefusedCallError(400, "this campaign cannot be sent so")
        prefix = "" if medium == "email" else f"{medium}:"
        return self._send(f"{prefix}{campaign_id}", body.get("recipientUserId"), body)

    def trigger_workflow(self) -> Response:
        """POST /api/workflows/triggerWorkflow"""
        body = self.json_body(BODY_BYTES)
        return self._send(f"journey:{body.get('workflowId')}", body.get("userId"), body)

    def field_mappings(self, name: str) -> Response:
        """GET /api/catalogs/{catalogName}/fieldMappings"""
        catalog = self._catalog(name)
        return jsonify(definedMappings=catalog["types"], undefinedFields=[])

    def map_fields(self, name: str) -> Response:
        """PUT /api/catalogs/{catalogName}/fieldMappings: a type stays what it is."""
        catalog = self._catalog(name)
        updates = self.json_body(BODY_BYTES)["mappingsUpdates"]
        given = {update["fieldName"]: update["fieldType"] for update in updates}
        if any(catalog["types"].get(field, kind) != kind for field, kind in given.items()):
            raise RefusedCallError(400, "the type of a field cannot be changed")
        self.shelf("catalogs").put(name, {"types": {**catalog["types"], **given}})
        return _success()

    def create_catalog(self, name: str) -> Response:
        """POST /api/catalogs/{catalogName}"""
        if self.shelf("catalogs").get(name) is not None or not ITEM_ID.fullmatch(name):
            raise RefusedCallError(400, "the catalog is there, or its name is none")
        self.shelf("catalogs").put(name, {"types": {}})
        return make_response(_success(), 201)

    def put_items(self, name: str) -> Response:
        """POST /api/catalogs/{catalogName}/items: whole items"""
        self._catalog(name)
        body = self.json_body(BODY_BYTES)
        documents = body.get("documents")
        if body.get("replaceUploadedFieldsOnly") is not False or not isinstance(documents, dict):
            raise RefusedCallError(400, "documents and replaceUploadedFieldsOnly are required")
        self._require_items(list(documents))
        for item_id, fields in documents.items():
            self.shelf(f"items of {name}").put(item_id, fields)
        return make_response(_success(), 202)

    def delete_items(self, name: str) -> Response:
        """DELETE /api/catalogs/{catalogName}/items"""
        self._catalog(name)
        item_ids = self.json_body(BODY_BYTES)["itemIds"]
        self._require_items(item_ids)
        for item_id in item_ids:
            self.shelf(f"items of {name}").remove(item_id)
        return make_response(_success(), 202)

    def catalog(self, name: str) -> dict[str, dict[str, Any]]:
        return self.shelf(f"items of {name}").all()

    def _catalog(self, name: str) -> dict[str, Any]:
        catalog = self.shelf("catalogs").get(name)
        if catalog is None:
            raise RefusedCallError(404, "there is no such catalog")
        return catalog

    def _require_items(self, item_ids: list[str]) -> None:
        if not 0 < len(item_ids) <= USERS or not all(map(ITEM_ID.fullmatch, item_ids)):
            raise RefusedCallError(400, "1 to 1000 items, called by letters, digits and dashes")

    def _send(self, campaign_id: str, user_id: object, body: dict[str, Any]) -> Response:
        if not isinstance(user_id, str) or self.problem(0, user_id) is not None:
            raise RefusedCallError(400, NO_USER)
        messages = self.shelf("messages")
        messages.put(f"{len(messages.all()):06}", {
            "campaign_id": campaign_id, "customer_id": user_id,
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
        if len(user["userId"]) > LONGEST_USER_ID:
            raise RefusedCallError(400, f"a userId has at most {LONGEST_USER_ID} characters")
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
