"""Insider's User Data APIs, as far as Rightsend uses them.

https://academy.insiderone.com/docs/upsert-user-data-api
https://academy.insiderone.com/docs/delete-user-attribute-api
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import RateHeaders
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble
from connectors.tool import Window

PARTNER = "shop"
BODY_BYTES = 5_000_000
USERS = 1_000
WRONG_PARTNER = "Partner is invalid."
NOBODY = "no such user for these identifiers: no data"
User = dict[str, Any]


class Insider(ToolDouble):
    """One account, which has every custom attribute and resolves people by ``uuid``."""

    name = "insider"
    windows = (Window(25_000, 60.0),)
    rate_headers = RateHeaders(limit="", remaining="", reset="")
    other_message = b'{"success":false,"message":"Try again"}'

    def routes(self) -> list[Route]:
        return [
            ("POST", "/api/user/v1/upsert", self.upsert),
            ("POST", "/api/user/v1/attribute/delete", self.delete),
            ("POST", "/api/user/v1/profile", self.profile),
        ]

    def authorised(self) -> bool:
        return self.keys.accept(request.headers.get("X-REQUEST-TOKEN"))

    def refused(self, status: int, text: str) -> Response:
        if status in (401, 403) or status >= 500 or text == WRONG_PARTNER:
            return make_response(jsonify(success=False, message=text), status)
        return make_response(jsonify(error=text), status)

    def upsert(self) -> Response:
        """POST /api/user/v1/upsert"""
        body = self._body()
        append = body.get("append") is not False

        def take(who: str, user: User) -> None:
            values = user["attributes"]["custom"]
            if append or user.get("not_append") is not True:
                held = self.shelf("profiles").get(who) or {}
                values = {name: _appended(held.get(name), each) for name, each in values.items()}
            self.shelf("profiles").merge(who, values)

        count, errors = self._each(body, _wrong_upsert, take)
        return _answer(count, errors)

    def delete(self) -> Response:
        """POST /api/user/v1/attribute/delete; the call is refused for who is not there."""
        body = self._body()

        def take(who: str, user: User) -> None:
            if self.shelf("profiles").get(who) is None:
                raise RefusedCallError(404, NOBODY)
            self.shelf("profiles").merge(who, dict.fromkeys(user["custom"]["whole"]))

        count, errors = self._each(body, _wrong_delete, take)
        return _answer(count, errors) if errors else jsonify({})

    def profile(self) -> Response:
        """POST /api/user/v1/profile"""
        body = self._body()
        found = self.shelf("profiles").get(str(body.get("identifiers", {}).get("uuid")))
        if found is None:
            raise RefusedCallError(404, NOBODY)
        return jsonify(attributes={f"c_{name}": value for name, value in found.items()})

    def _body(self) -> dict[str, Any]:
        if request.headers.get("X-PARTNER-NAME") != PARTNER:
            raise RefusedCallError(400, WRONG_PARTNER)
        if (request.content_length or 0) > BODY_BYTES:
            text = "request body is bigger than maximum allowed size 5,000,000 bytes"
            raise RefusedCallError(400, text)
        return self.json_body(BODY_BYTES)

    def _each(
        self,
        body: dict[str, Any],
        wrong: Callable[[User], str | None],
        take: Callable[[str, User], None],
    ) -> tuple[int, dict[str, list[str]]]:
        """How many were taken, and errors by the place of the user."""
        users = body.get("users")
        if not isinstance(users, list) or not 0 < len(users) <= USERS:
            raise RefusedCallError(400, "users must be defined: bad request")
        errors: dict[str, list[str]] = {}
        taken = 0
        for index, user in enumerate(users):
            who = user.get("identifiers", {}).get("uuid")
            problem = "uuid must be string" if not isinstance(who, str) or not who else wrong(user)
            problem = problem or self.problem(index, who)
            if problem is None:
                take(who, user)
                taken += 1
            else:
                place = index if self.tells_index else "*"
                errors.setdefault(f"users.{place}.required", []).append(problem)
        return taken, errors


def _answer(taken: int, errors: dict[str, list[str]]) -> Response:
    failed = sum(map(len, errors.values()))
    fail = {"count": failed, "errors": errors} if failed else {}
    return jsonify(data={"successful": {"count": taken} if taken else {}, "fail": fail})


def _appended(held: Any, value: Any) -> Any:
    both = isinstance(held, list) and isinstance(value, list)
    return list(dict.fromkeys([*held, *value])) if both else value


def _wrong_upsert(user: User) -> str | None:
    custom = user.get("attributes", {}).get("custom")
    if not isinstance(custom, dict) or not custom:
        return "attributes or events must be specified"
    if not all(isinstance(value, str | int | float | list) for value in custom.values()):
        return "not a valid value"
    return None


def _wrong_delete(user: User) -> str | None:
    whole = user.get("custom", {}).get("whole")
    if not isinstance(whole, list) or not whole:
        return "whole or partial must be specified"
    return None
