"""Braze's endpoints, as far as Rightsend uses them, with their limits, headers and error shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Blueprint, Response, jsonify, request

from connectors.sandbox.campaigns import Campaigns, Recipient, UnknownCampaignError
from connectors.sandbox.dials import Dials
from connectors.sandbox.gate import Gate, spoiled_items, tells_index
from connectors.sandbox.keys import Keys, refused
from connectors.sandbox.profiles import Profiles, RefusedItemError, read_item
from connectors.sandbox.requests_log import RequestLog
from connectors.tool import Window

TRACK = "/users/track"
TRACK_OBJECTS = 75
BODY_BYTES = 4_000_000
ITEM_BYTES = 100_000
COHORT_IDS = 1_000
IDS = 50
ARRAYS = ("attributes", "events", "purchases")
WINDOWS = (Window(3_000, 3.0),)
OTHER_MESSAGE = b'{"message":"Internal processing problem"}'
LARGEST_CALL = 2 * BODY_BYTES  # a larger body is not even read


class BrazeApi:
    """The views; ``now`` gives Unix time."""

    def __init__(
        self,
        profiles: Profiles,
        campaigns: Campaigns,
        dials: Dials,
        log: RequestLog,
        now: Callable[[], float],
    ) -> None:
        self._profiles = profiles
        self._campaigns = campaigns
        self._dials = dials
        self._log = log
        self._now = now
        self._keys: Keys

    def blueprint(self, keys: Keys) -> Blueprint:
        self._keys = keys
        api = Blueprint("braze", __name__)
        for method, path, view in (
            ("POST", TRACK, self.track),
            ("POST", "/users/export/ids", self.export_ids),
            ("POST", "/users/delete", self.delete),
            ("GET", "/segments/list", self.segments),
            ("POST", "/campaigns/trigger/send", self.trigger),
        ):
            api.add_url_rule(path, view.__name__, keys.needed(view), methods=[method])
        # Partners carry their keys in the body.
        cohorts = "/partners/<partner>/cohorts"
        api.add_url_rule(cohorts, "declare_cohort", self.declare_cohort, methods=["POST"])
        api.add_url_rule(f"{cohorts}/users", "cohort_users", self.cohort_users, methods=["POST"])
        Gate(
            self._dials, self._log, self._now, refused, WINDOWS, other_message=OTHER_MESSAGE
        ).guard(api)
        return api

    def track(self) -> Response:
        """POST /users/track. https://www.braze.com/docs/api/endpoints/user_data/post_user_track/"""
        body = _body()
        if isinstance(body, Response):
            return body
        arrays = {name: body.get(name, []) for name in ARRAYS}
        if not all(isinstance(array, list) for array in arrays.values()):
            return refused(400, "'attributes', 'events' and 'purchases' must be arrays")
        if sum(map(len, arrays.values())) > TRACK_OBJECTS:
            return refused(400, "Max input length exceeded")
        if any(len(orjson.dumps(item)) > ITEM_BYTES for items in arrays.values() for item in items):
            return refused(413, "An item is larger than 100 kB")
        processed, errors = self._apply(arrays)
        if not any(processed.values()):
            needed = (
                "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
            )
            return refused(400, needed, errors)
        answer = {"message": "success", **{f"{k}_processed": n for k, n in processed.items() if n}}
        response = jsonify({**answer, **({"errors": errors} if errors else {})})
        response.status_code = 201
        return response

    def export_ids(self) -> Response:
        """POST /users/export/ids, by external id."""
        body = _body()
        if isinstance(body, Response):
            return body
        wanted = _strings(body.get("external_ids"))
        if not 0 < len(wanted) <= IDS:
            return refused(400, f"'external_ids' takes 1 to {IDS} ids")
        fields = set(_strings(body.get("fields_to_export")))
        found, unknown = [], []
        for external_id in wanted:
            profile = self._profiles.get(external_id)
            if profile is None:
                unknown.append(external_id)
            else:
                found.append({k: v for k, v in profile.items() if not fields or k in fields})
        return jsonify(message="success", users=found, invalid_user_ids=unknown)

    def delete(self) -> Response:
        """POST /users/delete, by external id."""
        body = _body()
        if isinstance(body, Response):
            return body
        ids = _strings(body.get("external_ids"))
        if not 0 < len(ids) <= IDS:
            return refused(400, f"'external_ids' takes 1 to {IDS} ids")
        return jsonify(message="success", deleted=self._profiles.delete(ids))

    def segments(self) -> Response:
        """GET /segments/list: the cohorts, 100 a page."""
        page = request.args.get("page", 0, type=int)
        cohorts = self._profiles.cohorts()[100 * max(page, 0) :][:100]
        listed = [
            {"id": c["cohort_id"], "name": c["name"], "analytics_tracking_enabled": False,
             "tags": []}
            for c in cohorts
        ]  # fmt: skip
        return jsonify(message="success", segments=listed)

    def trigger(self) -> Response:
        """POST /campaigns/trigger/send: to recipients, or to the campaign's cohort."""
        body = _body()
        if isinstance(body, Response):
            return body
        campaign_id, listed = str(body.get("campaign_id", "")), body.get("recipients")
        shared = body.get("trigger_properties")
        try:
            if listed is None and body.get("broadcast") is True:
                self._campaigns.start(campaign_id)
            else:
                recipients = _recipients(listed, shared if isinstance(shared, dict) else {})
                self._campaigns.send_to(campaign_id, recipients)
        except UnknownCampaignError:
            return refused(400, "Invalid Campaign ID")
        except ValueError as error:
            return refused(400, str(error))
        dispatch_id = f"{campaign_id}-{int(self._now())}"
        response = jsonify(dispatch_id=dispatch_id, message="success")
        response.status_code = 201
        return response

    def declare_cohort(self, partner: str) -> Response:
        body = self._partner_body()
        if isinstance(body, Response):
            return body
        if not all(isinstance(body.get(k), str) and body[k] for k in ("name", "created_at")):
            return refused(400, "'name' and 'created_at' are required")
        self._profiles.declare_cohort(body["cohort_id"], body["name"])
        return jsonify(message="success")

    def cohort_users(self, partner: str) -> Response:
        body = self._partner_body()
        if isinstance(body, Response):
            return body
        changes = body.get("cohort_changes")
        if not isinstance(changes, list) or not all(isinstance(c, dict) for c in changes):
            return refused(400, "'cohort_changes' must be an array of objects")
        ids = [(_strings(c.get("user_ids")), c.get("should_remove") is True) for c in changes]
        if not 0 < sum(len(users) for users, _ in ids) <= COHORT_IDS:
            return refused(400, f"'cohort_changes' takes 1 to {COHORT_IDS} ids")
        if not any(c["cohort_id"] == body["cohort_id"] for c in self._profiles.cohorts()):
            return refused(400, "cohort_id is unknown")
        if any(user in self._dials.blocked for users, _ in ids for user in users):
            return refused(400, "an id is blacklisted and disallowed")
        self._profiles.change_cohort(
            body["cohort_id"],
            [user for users, removed in ids if not removed for user in users],
            [user for users, removed in ids if removed for user in users],
        )
        return jsonify(message="success")

    def _apply(self, arrays: dict[str, list[Any]]) -> tuple[dict[str, int], list[Any]]:
        spoiled, located = spoiled_items(), tells_index(self._dials)
        processed = dict.fromkeys(ARRAYS, 0)
        errors: list[dict[str, Any]] = []
        points = 0
        with self._profiles.storage.transaction() as db:
            for array, items in arrays.items():
                for index, item in enumerate(items):
                    try:
                        if index in spoiled:
                            raise RefusedItemError("the sandbox was told to refuse this item")
                        if array == "attributes":
                            points += self._profiles.apply(db, item, self._dials.blocked)
                        else:
                            read_item(item, self._dials.blocked)
                        processed[array] += 1
                    except RefusedItemError as error:
                        place = {"input_array": array, "index": index} if located else {}
                        errors.append({"type": str(error), **place})
        self._log.count(data_points=points, writes=processed["attributes"])
        return processed, errors

    def _partner_body(self) -> dict[str, Any] | Response:
        body = _body()
        if isinstance(body, Response):
            return body
        keys = (body.get("partner_api_key"), body.get("client_secret"))
        if not all(map(self._keys.accept, keys)):
            return refused(401, "Invalid partner_api_key or client_secret")
        if not isinstance(body.get("cohort_id"), str) or not body["cohort_id"]:
            return refused(400, "'cohort_id' is required")
        return body


def _body() -> dict[str, Any] | Response:
    """The JSON object of the request, or the answer that refuses it."""
    if (request.content_length or 0) > BODY_BYTES:
        return refused(413, "Request entity is larger than 4 MB")
    if request.mimetype != "application/json":
        return refused(415, "Content-Type must be application/json")
    try:
        body = orjson.loads(request.get_data(cache=False))
    except ValueError:
        return refused(400, "The body is not valid JSON")
    return body if isinstance(body, dict) else refused(400, "The body must be a JSON object")


def _strings(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else []
    return [text for text in listed if isinstance(text, str) and text]


def _recipients(listed: Any, shared: dict[str, Any]) -> list[Recipient]:
    """Raises ValueError naming what is wrong."""
    if not isinstance(listed, list) or not 0 < len(listed) <= IDS:
        raise ValueError(f"'recipients' takes 1 to {IDS} objects, or set 'broadcast' to true")
    recipients = []
    for entry in listed:
        external_id = entry.get("external_user_id") if isinstance(entry, dict) else None
        if not isinstance(external_id, str) or not external_id:
            raise ValueError("each recipient needs an 'external_user_id'")
        own = entry.get("trigger_properties")
        recipients.append(
            Recipient(external_id, {**shared, **(own if isinstance(own, dict) else {})})
        )
    return recipients
