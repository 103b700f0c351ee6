"""Blueshift's customers, as far as Rightsend uses them.

https://developer.blueshift.com/reference/post_api-v1-customers-bulk
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import NO_RATE_HEADERS
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble
from connectors.tool import Window

BODY_BYTES = 400_000  # Blueshift states no limit
CUSTOMERS = 50
LONGEST_ID = 64


class Blueshift(ToolDouble):
    """One account. It says neither how many requests are left nor how long to wait."""

    name = "blueshift"
    windows = (Window(5, 1.0),)
    rate_headers = NO_RATE_HEADERS
    other_message = b'{"message":"Try again"}'

    def routes(self) -> Sequence[Route]:
        return [
            ("GET", "/api/v1/segments/list", lambda: jsonify(segments=[])),
            ("POST", "/api/v1/customers/bulk", self.bulk),
        ]

    def authorised(self) -> bool:
        """The key is the user; there is no password."""
        given = request.authorization
        if given is None or given.type != "basic" or given.password:
            return False
        return self.keys.accept(given.username)

    def refused(self, status: int, text: str) -> Response:
        if status in (400, 422):
            return make_response(jsonify(error=text), status)
        return make_response(jsonify(message=text), status)

    def bulk(self) -> Response:
        """POST /api/v1/customers/bulk"""
        customers = self.json_body(BODY_BYTES).get("customers")
        if not isinstance(customers, list) or not all(isinstance(c, dict) for c in customers):
            raise RefusedCallError(400, "bad_request")
        if len(customers) > CUSTOMERS:
            raise RefusedCallError(413, f"You can upload up to {CUSTOMERS} users in an API call.")
        failed, errors = [], []
        for index, customer in enumerate(customers):
            problem = _wrong(customer) or self.problem(index, customer["customer_id"])
            if problem is None:
                self._take(**customer)
            else:
                failed.append(customer)
                errors.append({"status": 400, "error_data": {"user_identifier_missing": [problem]}})
        return jsonify(customers=failed if self.tells_index else [], errors=errors)

    def _take(self, customer_id: str, **attributes: Any) -> None:
        self.shelf("profiles").merge(customer_id, attributes)


def _wrong(customer: dict[str, Any]) -> str | None:
    who = customer.get("customer_id")
    if not isinstance(who, str) or not 0 < len(who) <= LONGEST_ID:
        return "No valid identifier found"
    if not all(isinstance(value, str | int | float | None) for value in customer.values()):
        return "Invalid data type"
    return None
