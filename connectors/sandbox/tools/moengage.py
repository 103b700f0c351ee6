"""MoEngage: users and events in bulk, cohorts of a partner, users merged and deleted.

https://www.moengage.com/docs/api/introduction
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import RateHeaders
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble
from connectors.tool import Window

BULK_BYTES = 102_400
BODY_BYTES = 131_072
TYPES = {400: "InvalidParams", 401: "Authentication required", 403: "BlockedClient",
         404: "Not Found", 413: "PayloadTooLarge", 415: "MediaTypeError",
         429: "Rate Limits Exceeded"}  # fmt: skip
TEXT = 512
LIST = 50


class MoEngage(ToolDouble):
    """Says what is wrong with a bulk request as a whole; never which element it was."""

    name = "moengage"
    windows = (Window(1_000, 60.0),)
    rate_headers = RateHeaders("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    other_message = b'{"status":"fail","error":{"message":"try again","type":"ServerError"}}'

    def routes(self) -> Sequence[Route]:
        return [
            ("POST", "/v1/transition/<workspace_id>", self.transition),
            ("POST", "/v1/integrations/cohortsync", self.cohort),
            ("POST", "/v1/integrations/authentication", self.test_connection),
            ("POST", "/v1/customer/merge", self.merge),
            ("POST", "/v1/customer/delete", self.delete),
        ]

    def authorised(self) -> bool:
        """Workspace id and key; the id once more in a header or the address."""
        workspace_id = request.authorization and request.authorization.username
        told = (request.headers.get("MOE-APPKEY"), request.args.get("app_id"))
        return self.authorised_by_basic() and all(each in (None, workspace_id) for each in told)

    def refused(self, status: int, text: str) -> Response:
        error = {"message": text, "type": TYPES.get(status, "ServerError"), "request_id": "s"}
        return make_response(jsonify(status="fail", error=error), 400 if status == 404 else status)

    def members(self, segment_id: str) -> list[str]:
        return list(self.shelf(f"cohort-{segment_id}").all())

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        return list(self.shelf(f"event-{campaign_id}").all().values())

    def transition(self, workspace_id: str) -> Response:
        """All elements, or none: the first that cannot be read refuses the request."""
        body = self.json_body(BULK_BYTES)
        elements = body.get("elements")
        if body.get("type") != "transition" or not isinstance(elements, list) or not elements:
            raise RefusedCallError(400, "'elements cannot be empty array")
        for index, element in enumerate(elements):
            customer_id = element.get("customer_id") if isinstance(element, dict) else None
            if not isinstance(customer_id, str) or not customer_id:
                raise RefusedCallError(400, "'customer_id not found in the payload")
            problem = self.problem(index, customer_id)
            if problem is not None:
                raise RefusedCallError(400, problem)
            if element.get("type") == "customer":
                self._customer(customer_id, element)
            elif element.get("type") == "event":
                self._events(customer_id, element)
            else:
                raise RefusedCallError(400, "'type in elements should be customer/event/device")
        return _accepted()

    def cohort(self) -> Response:
        body = self.json_body(BODY_BYTES)
        if body.get("action") not in ("add_members", "remove_members") or not body.get("partner"):
            raise RefusedCallError(400, "action and partner are required")
        cohort_id, members = self._parameters(body.get("parameters"))
        cohort, known = self.shelf(f"cohort-{cohort_id}"), self.shelf("profiles").all()
        for index, customer_id in enumerate(members):
            problem = self.problem(index, customer_id)
            if problem is not None:
                raise RefusedCallError(400, problem)
            if body["action"] == "remove_members":
                cohort.remove(customer_id)
            elif customer_id in known:  # a cohort makes no users
                cohort.put(customer_id, {})
        return _accepted()

    def test_connection(self) -> Response:
        body = self.json_body(BODY_BYTES)
        if not self.keys.accept(str(body.get("app_secret"))) or not body.get("region"):
            raise RefusedCallError(401, "App Secret key mismatch")
        return jsonify(status="success", app_name="sandbox")

    def merge(self) -> Response:
        pairs = self.json_body(BODY_BYTES).get("merge_data")
        if not isinstance(pairs, list) or not all(
            isinstance(pair, dict) and set(pair) == {"merged_user", "retained_user"}
            for pair in pairs
        ):
            raise RefusedCallError(400, "merge_data must hold pairs of users")
        profiles = self.shelf("profiles")
        for pair in pairs:
            gone, staying = (profiles.get(pair[name]) for name in ("merged_user", "retained_user"))
            if gone is not None and staying is not None:
                profiles.put(pair["retained_user"], {**gone, **staying})
                self._delete(pair["merged_user"])
        return jsonify(status="success", operation="created")

    def delete(self) -> Response:
        body = self.json_body(BODY_BYTES)
        if body.get("identity_type") != "customer_id":
            raise RefusedCallError(400, "identity_type must be customer_id")
        if not self._delete(str(body.get("identity_value"))):
            raise RefusedCallError(404, "User doesn't exists with customer id")
        return _accepted()

    def _parameters(self, parameters: Any) -> tuple[str, list[str]]:
        """The cohort, which is made if need be, and the ids of the members."""
        found = parameters if isinstance(parameters, dict) else {}
        names = (found.get("cohort_name"), found.get("cohort_id"))
        members = found.get("members")
        if not all(isinstance(each, str) and each for each in names):
            raise RefusedCallError(400, "parameters need cohort_name and cohort_id")
        if not isinstance(members, list) or not all(
            isinstance(each, dict) and isinstance(each.get("uid"), str) for each in members
        ):
            raise RefusedCallError(400, "members is not found in the payload")
        self.shelf("cohorts").put(found["cohort_id"], {"name": found["cohort_name"]})
        return found["cohort_id"], [each["uid"] for each in members]

    def _delete(self, customer_id: str) -> bool:
        for cohort_id in self.shelf("cohorts").all():
            self.shelf(f"cohort-{cohort_id}").remove(customer_id)
        return self.shelf("profiles").remove(customer_id)

    def _customer(self, customer_id: str, element: Mapping[str, Any]) -> None:
        profiles = self.shelf("profiles")
        if element.get("update_existing_only") is True and profiles.get(customer_id) is None:
            return
        attributes, unset = element.get("attributes", {}), element.get("unset_attributes", [])
        if not isinstance(attributes, dict) or not isinstance(unset, list):
            raise RefusedCallError(400, "'attributes should be a dictionary")
        kept = {name: _cut(value) for name, value in attributes.items()}
        gone = {str(each.get("attr")): None for each in unset if isinstance(each, dict)}
        profiles.merge(customer_id, {**kept, **gone})

    def _events(self, customer_id: str, element: Mapping[str, Any]) -> None:
        actions = element.get("actions")
        if not isinstance(actions, list) or not all(
            isinstance(action, dict) and action.get("action") for action in actions
        ):
            raise RefusedCallError(400, "'action cannot be empty Unicode string")
        for action in actions:
            events = self.shelf(f"event-{action['action']}")
            properties = action.get("attributes", {})
            event = {"customer_id": customer_id, "properties": properties}
            events.put(f"{len(events.all()):09}", event)


def _accepted() -> Response:
    return jsonify(
        status="success", message="Your request has been accepted and will be processed soon."
    )


def _cut(value: Any) -> Any:
    """What MoEngage keeps of a value that is too long."""
    if isinstance(value, list):
        return [_cut(each) for each in value[:LIST]]
    return value[:TEXT] if isinstance(value, str) else value
