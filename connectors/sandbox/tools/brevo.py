"""Brevo's contacts, as far as Rightsend uses them.

https://developers.brevo.com/reference/update-batch-contacts
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import RateHeaders
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble
from connectors.tool import Window

BODY_BYTES = 500_000
CONTACTS = 100
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
NOBODY = "@nobody.example"  # whoever has another address is a contact
TYPES = {"FIRSTNAME": "text", "RS_PROB": "float", "RS_ITEMS": "text", "RS_DAY": "date"}
FORMS: dict[str, tuple[type, ...]] = {"float": (int, float), "text": (str,), "date": (str,)}
CODES = {401: "unauthorized", 403: "permission_denied", 404: "document_not_found",
         429: "too_many_requests", 500: "internal_error"}  # fmt: skip


class Brevo(ToolDouble):
    """One account. A call is carried out for all of its contacts, or refused for all."""

    name = "brevo"
    windows = (Window(10, 1.0),)
    rate_headers = RateHeaders(
        "x-sib-ratelimit-limit", "x-sib-ratelimit-remaining", "x-sib-ratelimit-reset", ""
    )
    other_message = b'{"code":"internal_error","message":"Try again"}'

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", "/v3/account", lambda: jsonify(email="shop@shop.example", plan=[])),
            ("GET", "/v3/contacts/attributes", self.attributes),
            ("POST", "/v3/contacts/batch", self.batch),
        ]

    def authorised(self) -> bool:
        return self.keys.accept(request.headers.get("api-key"))

    def refused(self, status: int, text: str) -> Response:
        code = CODES.get(status, "invalid_parameter")
        return make_response(jsonify(code=code, message=text), status)

    def attributes(self) -> Response:
        """GET /v3/contacts/attributes"""
        found = [{"name": n, "category": "normal", "type": kind} for n, kind in TYPES.items()]
        return jsonify(attributes=found)

    def batch(self) -> Response:
        """POST /v3/contacts/batch"""
        contacts = self.json_body(BODY_BYTES).get("contacts")
        if not isinstance(contacts, list) or not 0 < len(contacts) <= CONTACTS:
            raise RefusedCallError(400, f"contacts must be 1 to {CONTACTS}")
        for index, contact in enumerate(contacts):
            problem = _wrong(contact) or self.problem(index, contact["email"])
            if problem is not None:
                raise RefusedCallError(400, problem)
        unknown = [i for i, each in enumerate(contacts) if each["email"].endswith(NOBODY)]
        if unknown:
            indexes = ",".join(map(str, unknown))
            raise RefusedCallError(404, f"No contact found for indexes {indexes}")
        for contact in contacts:
            self._take(contact["email"], contact["attributes"])
        return make_response("", 204)

    def _take(self, who: str, attributes: dict[str, Any]) -> None:
        """What the account lacks, and what is of another type, is dropped without a word."""
        change = {
            name: None if value == "" else value
            for name, value in attributes.items()
            if name in TYPES and (value == "" or isinstance(value, FORMS[TYPES[name]]))
        }
        self.shelf("profiles").merge(who, change)


def _wrong(contact: Any) -> str | None:
    if not isinstance(contact, dict) or not isinstance(contact.get("attributes"), dict):
        return "attributes should be an object"
    if {"id", "sms"} & set(contact) or not ADDRESS.fullmatch(str(contact.get("email"))):
        return "Exactly one of email, id and sms is needed; here it is email"
    if any(value is None for value in contact["attributes"].values()):
        return "Invalid attribute value"
    return None
