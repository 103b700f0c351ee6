"""Customer.io: Track API (people, members) and App API (segments, broadcasts), on one address.

https://docs.customer.io/integrations/api/track/ https://docs.customer.io/integrations/api/app/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from flask import Response, jsonify, make_response, request

from connectors.sandbox.gate import NO_RATE_HEADERS
from connectors.sandbox.tools.base import RefusedCallError, Route, ToolDouble
from connectors.tool import Window

BATCH_BYTES = 500_000
ITEM_BYTES = 32_000
BROADCAST_BYTES = 25_000_000
RECIPIENTS = 10_000
IDS = 1_000
ID_BYTES = 150
NAME_BYTES = 150
VALUE_BYTES = 1_000
ATTRIBUTES = 300


class Customerio(ToolDouble):
    """Manual segments only; ids that nobody has are ignored there."""

    name = "customerio"
    windows = (Window(100, 1.0),)
    rate_headers = NO_RATE_HEADERS
    other_message = b'{"meta":{"error":"the request could not be processed"}}'

    def routes(self) -> Sequence[Route]:
        segment = "/v1/segments/<int:number>"
        return [
            ("GET", "/api/v1/accounts/region", self.region),
            ("POST", "/api/v2/batch", self.batch),
            ("POST", "/api/v1/segments/<int:number>/add_customers", self.add),
            ("POST", "/api/v1/segments/<int:number>/remove_customers", self.remove),
            ("GET", "/v1/segments", self.segments),
            ("POST", "/v1/segments", self.create_segment),
            ("GET", f"{segment}/membership", self.membership),
            ("POST", "/v1/campaigns/<int:number>/triggers", self.trigger),
        ]

    def authorised(self) -> bool:
        """Site id and key for the Track API, a bearer token for the App API."""
        if "/api/" not in request.path:
            return super().authorised()
        return self.authorised_by_basic()

    def refused(self, status: int, text: str) -> Response:
        if "/api/" in request.path:
            return make_response(jsonify(meta={"errors": [text]}), status)
        return make_response(jsonify(errors=[{"detail": text, "status": str(status)}]), status)

    def members(self, segment_id: str) -> list[str]:
        for number, segment in self.shelf("segments").all().items():
            if segment["description"] == f"rightsend:{segment_id}":
                return list(self.shelf(f"members-{number}").all())
        return []

    def triggered(self, campaign_id: str) -> list[dict[str, Any]]:
        return list(self.shelf(f"broadcast-{campaign_id}").all().values())

    def region(self) -> Response:
        return jsonify(url="https://track.customer.io", region="us", environment_id=1)

    def batch(self) -> Response:
        """Each change by itself: the good ones are done, the others told with 207."""
        changes = self.json_body(BATCH_BYTES - 1).get("batch")
        if not isinstance(changes, list) or not changes:
            raise RefusedCallError(400, "batch must be an array of changes")
        errors = []
        for index, change in enumerate(changes):
            problem = self._change(index, change)
            if problem is not None:
                place = {"batch_index": index} if self.tells_index else {}
                field, message = problem
                errors.append({**place, "reason": "invalid", "field": field, "message": message})
        return make_response(jsonify(errors=errors), 207) if errors else jsonify({})

    def add(self, number: int) -> Response:
        known = self.shelf("profiles").all()
        for customer_id in self._ids(number):
            if customer_id in known:
                self.shelf(f"members-{number}").put(customer_id, {})
        return jsonify({})

    def remove(self, number: int) -> Response:
        for customer_id in self._ids(number):
            self.shelf(f"members-{number}").remove(customer_id)
        return jsonify({})

    def segments(self) -> Response:
        found = self.shelf("segments").all()
        return jsonify(
            segments=[
                {"id": int(number), "type": "manual", **segment}
                for number, segment in found.items()
            ]
        )

    def create_segment(self) -> Response:
        segment = self.json_body(100_000).get("segment")
        if not isinstance(segment, dict) or not isinstance(segment.get("name"), str):
            raise RefusedCallError(400, "segment.name is required")
        number = 1 + len(self.shelf("segments").all())
        values = {"name": segment["name"], "description": segment.get("description", "")}
        self.shelf("segments").put(str(number), values)
        return jsonify(segment={"id": number, "type": "manual", **values})

    def membership(self, number: int) -> Response:
        limit = min(max(request.args.get("limit", 100, type=int), 1), 30_000)
        start = request.args.get("start", 0, type=int)
        found = list(self.shelf(f"members-{number}").all())
        page = found[start : start + limit]
        following = str(start + limit) if start + limit < len(found) else ""
        people = [{"id": each, "email": None, "cio_id": f"cio-{each}"} for each in page]
        return jsonify(ids=page, identifiers=people, next=following)

    def trigger(self, number: int) -> Response:
        """A broadcast with data of each recipient's own."""
        body = self.json_body(BROADCAST_BYTES)
        recipients = body.get("per_user_data")
        if not isinstance(recipients, list) or not 0 < len(recipients) <= RECIPIENTS:
            raise RefusedCallError(422, f"per_user_data takes 1 to {RECIPIENTS} people")
        known, messages = self.held(), self.shelf(f"broadcast-{number}")
        for recipient in recipients:
            customer_id = recipient.get("id") if isinstance(recipient, dict) else None
            if customer_id in known:
                message = {"customer_id": customer_id, "properties": recipient.get("data", {})}
                messages.put(f"{len(messages.all()):09}", message)
            elif body.get("id_ignore_missing") is not True:
                raise RefusedCallError(422, f"per_user_data: {customer_id} does not exist")
        return jsonify(id=len(messages.all()))

    def _change(self, index: int, change: Any) -> tuple[str, str] | None:
        """Do one change of a batch, or say which field keeps it from being done, and why."""
        if not isinstance(change, dict) or len(orjson.dumps(change)) > ITEM_BYTES:
            return "batch", f"must be an object of at most {ITEM_BYTES} bytes"
        if change.get("type") != "person":
            return "type", "must be person"
        if change.get("action") == "merge":
            return self._merge(change)
        customer_id = _id(change.get("identifiers"))
        if customer_id is None:
            return "identifiers", f"must be one id of at most {ID_BYTES} bytes"
        problem = self.problem(index, customer_id)
        if problem is not None:
            return "identifiers", problem
        if change.get("action") == "delete":
            self._delete(customer_id)
            return None
        if change.get("action") != "identify":
            return "action", "is unknown"
        return self._identify(customer_id, change.get("attributes", {}))

    def _identify(self, customer_id: str, attributes: Any) -> tuple[str, str] | None:
        if not isinstance(attributes, dict) or len(attributes) > ATTRIBUTES + 1:
            return "attributes", f"must be an object of at most {ATTRIBUTES} attributes"
        for name, value in attributes.items():
            if len(name.encode()) > NAME_BYTES or len(orjson.dumps(value)) > VALUE_BYTES:
                return name, "is too long"
        profiles = self.shelf("profiles")
        values = {name: None if value == "" else value for name, value in attributes.items()}
        values.pop("anonymous_id", None)  # joins events, which are not kept here
        if values.pop("_update", False) is not True or profiles.get(customer_id) is not None:
            profiles.merge(customer_id, values)
        return None

    def _merge(self, change: Mapping[str, Any]) -> tuple[str, str] | None:
        staying, gone = _id(change.get("primary")), _id(change.get("secondary"))
        if staying is None or gone is None:
            return "primary", "and secondary must be one id each"
        profiles = self.shelf("profiles")
        kept, merged = profiles.get(staying), profiles.get(gone)
        if kept is not None and merged is not None:
            profiles.put(staying, {**merged, **kept})
            self._delete(gone)
        return None

    def _delete(self, customer_id: str) -> None:
        self.shelf("profiles").remove(customer_id)
        for number in self.shelf("segments").all():
            self.shelf(f"members-{number}").remove(customer_id)

    def _ids(self, number: int) -> list[str]:
        ids = self.json_body(BATCH_BYTES).get("ids")
        if not isinstance(ids, list) or not 0 < len(ids) <= IDS:
            raise RefusedCallError(400, f"ids takes 1 to {IDS} ids")
        if self.shelf("segments").get(str(number)) is None:
            raise RefusedCallError(404, "there is no such segment")
        if not all(isinstance(each, str) for each in ids):
            raise RefusedCallError(400, "ids must be texts")
        for index, customer_id in enumerate(ids):
            problem = self.problem(index, customer_id)
            if problem is not None:
                raise RefusedCallError(400, problem)
        return ids


def _id(identifiers: Any) -> str | None:
    if not isinstance(identifiers, dict) or list(identifiers) != ["id"]:
        return None
    customer_id = identifiers["id"]
    usable = isinstance(customer_id, str) and 0 < len(customer_id.encode()) <= ID_BYTES
    return customer_id if usable else None
