"""Bloomreach Engagement's Tracking API, as far as Rightsend uses it.

https://documentation.bloomreach.com/engagement/reference/batch-commands-2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from flask import Response, jsonify, make_response

from connectors.sandbox.gate import RateHeaders
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble
from connectors.tool import Window

PROJECT = "11111111-2222-3333-4444-555555555555"
MESSAGE_BYTES = 799_999
VALUE_BYTES = 15_999
COMMANDS = 50


class Bloomreach(ToolDouble):
    """One project whose only id is ``registered``; answers always say which command failed."""

    name = "bloomreach"
    windows = (Window(6_000, 60.0),)
    rate_headers = RateHeaders(limit="", remaining="", reset="")
    other_message = b'{"success":false,"message":"Try again"}'

    def routes(self) -> Sequence[Route]:
        project = f"/track/v2/projects/{PROJECT}"
        return [
            ("GET", f"{project}/system/time", lambda: jsonify(success=True, time=self.now())),
            ("POST", f"{project}/batch", self.batch),
        ]

    def authorised(self) -> bool:
        """Any key id, and the key for a secret."""
        return self.authorised_by_basic()

    def refused(self, status: int, text: str) -> Response:
        return make_response(jsonify(success=False, message=text), status)

    def batch(self) -> Response:
        """POST /track/v2/projects/{projectToken}/batch"""
        commands = self.json_body(MESSAGE_BYTES).get("commands")
        if not isinstance(commands, list) or not commands:
            raise RefusedCallError(400, "No commands")
        if len(commands) > COMMANDS:
            raise RefusedCallError(400, f"More than {COMMANDS} commands")
        if not all(isinstance(command, dict) for command in commands):
            raise RefusedCallError(400, "Invalid JSON")
        results = [self._result(index, command) for index, command in enumerate(commands)]
        return jsonify(results=results, success=True)

    def _result(self, index: int, command: dict[str, Any]) -> dict[str, Any]:
        data = command.get("data", {})
        who, properties = data.get("customer_ids", {}).get("registered"), data.get("properties")
        problem = _wrong(command, who, properties) or self.problem(index, str(who))
        if problem is not None:
            return {"success": False, "errors": [problem]}
        self.shelf("profiles").merge(who, properties)
        return {"success": True}


def _wrong(command: dict[str, Any], who: Any, properties: Any) -> str | None:
    if command.get("name") != "customers":
        return "Unknown command"
    if not isinstance(who, str) or not any(c.isalnum() for c in who):
        return "At least one id should be specified."
    if who in ("null", "undefined"):
        return "At least one valid id should be specified"
    if not isinstance(properties, dict) or not properties:
        return "At least one property should be specified."
    if any(len(orjson.dumps(value)) > VALUE_BYTES for value in properties.values()):
        return "A property is too large"
    return None
