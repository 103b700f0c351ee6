"""Braze's /users endpoints: track, export by id, delete, identify, merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from flask import Response, jsonify

from connectors.sandbox.braze_bodies import IDS, objects, read_body, strings
from connectors.sandbox.dials import Dials
from connectors.sandbox.gate import spoiled_items, tells_index
from connectors.sandbox.keys import refused
from connectors.sandbox.profiles import Profiles, RefusedItemError, read_item
from connectors.sandbox.requests_log import RequestLog

TRACK = "/users/track"
TRACK_OBJECTS = 75
ITEM_BYTES = 100_000
ARRAYS = ("attributes", "events", "purchases")


@dataclass(frozen=True)
class UsersApi:
    """The views."""

    profiles: Profiles
    dials: Dials
    log: RequestLog

    def track(self) -> Response:
        """POST /users/track. https://www.braze.com/docs/api/endpoints/user_data/post_user_track/"""
        body = read_body()
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
        body = read_body()
        if isinstance(body, Response):
            return body
        wanted = strings(body.get("external_ids"))
        if not 0 < len(wanted) <= IDS:
            return refused(400, f"'external_ids' takes 1 to {IDS} ids")
        fields = set(strings(body.get("fields_to_export")))
        found, unknown = [], []
        for external_id in wanted:
            profile = self.profiles.get(external_id)
            if profile is None:
                unknown.append(external_id)
            else:
                found.append({k: v for k, v in profile.items() if not fields or k in fields})
        return jsonify(message="success", users=found, invalid_user_ids=unknown)

    def delete(self) -> Response:
        """POST /users/delete, by external id."""
        body = read_body()
        if isinstance(body, Response):
            return body
        ids = strings(body.get("external_ids"))
        if not 0 < len(ids) <= IDS:
            return refused(400, f"'external_ids' takes 1 to {IDS} ids")
        return jsonify(message="success", deleted=self.profiles.delete(ids))

    def identify(self) -> Response:
        """POST /users/identify: the alias becomes one of the profile's, unless it is somebody's."""
        body = read_body()
        if isinstance(body, Response):
            return body
        pairs = objects(body.get("aliases_to_identify"))
        if pairs is None:
            return refused(400, f"'aliases_to_identify' takes 1 to {IDS} objects")
        errors = []
        for pair in pairs:
            alias = pair.get("user_alias")
            names = [alias.get(key) for key in ("alias_name", "alias_label")] if alias else []
            if not strings([pair.get("external_id")]) or len(strings(names)) != 2:
                return refused(400, "each takes an 'external_id' and a whole 'user_alias'")
            if pair["external_id"] in self.dials.blocked:
                errors.append({"type": "external_id is blacklisted and disallowed"})
            else:
                self.profiles.identify(pair["external_id"], *names)
        answer = {"message": "success", "aliases_processed": len(pairs) - len(errors)}
        response = jsonify({**answer, **({"errors": errors} if errors else {})})
        response.status_code = 201
        return response

    def merge(self) -> Response:
        """POST /users/merge, by external id."""
        body = read_body()
        if isinstance(body, Response):
            return body
        updates = objects(body.get("merge_updates"))
        if updates is None:
            return refused(400, "'merge_updates' must be an array of objects, of 50 at most")
        sides = ("identifier_to_merge", "identifier_to_keep")
        for update in updates:
            given = strings([(update.get(side) or {}).get("external_id") for side in sides])
            if set(update) != set(sides) or len(given) != 2:
                return refused(400, "identifiers must be objects with an 'external_id' property")
            self.profiles.merge(*given)
        response = jsonify(message="success")
        response.status_code = 202
        return response

    def _apply(self, arrays: dict[str, list[Any]]) -> tuple[dict[str, int], list[Any]]:
        spoiled, located = spoiled_items(), tells_index(self.dials)
        processed = dict.fromkeys(ARRAYS, 0)
        errors: list[dict[str, Any]] = []
        points = 0
        with self.profiles.storage.transaction() as db:
            for array, items in arrays.items():
                for index, item in enumerate(items):
                    try:
                        if index in spoiled:
                            raise RefusedItemError("the sandbox was told to refuse this item")
                        if array == "attributes":
                            points += self.profiles.apply(db, item, self.dials.blocked)
                        else:
                            read_item(item, self.dials.blocked)
                        processed[array] += 1
                    except RefusedItemError as error:
                        place = {"input_array": array, "index": index} if located else {}
                        errors.append({"type": str(error), **place})
        self.log.count(data_points=points, writes=processed["attributes"])
        return processed, errors
