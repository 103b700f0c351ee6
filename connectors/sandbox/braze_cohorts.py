"""Braze's import of a partner's cohorts; partners carry their keys in the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify

from connectors.sandbox.braze_bodies import read_body, strings
from connectors.sandbox.dials import Dials
from connectors.sandbox.keys import Keys, refused
from connectors.sandbox.profiles import Profiles

COHORT_IDS = 1_000


@dataclass(frozen=True)
class CohortsApi:
    """The views."""

    profiles: Profiles
    dials: Dials
    keys: Keys

    def declare_cohort(self, partner: str) -> Response:
        body = self._partner_body()
        if isinstance(body, Response):
            return body
        if not all(isinstance(body.get(k), str) and body[k] for k in ("name", "created_at")):
            return refused(400, "'name' and 'created_at' are required")
        self.profiles.declare_cohort(body["cohort_id"], body["name"])
        return jsonify(message="success")

    def cohort_users(self, partner: str) -> Response:
        body = self._partner_body()
        if isinstance(body, Response):
            return body
        changes = body.get("cohort_changes")
        if not isinstance(changes, list) or not all(isinstance(c, dict) for c in changes):
            return refused(400, "'cohort_changes' must be an array of objects")
        ids = [(strings(c.get("user_ids")), c.get("should_remove") is True) for c in changes]
        if not 0 < sum(len(users) for users, _ in ids) <= COHORT_IDS:
            return refused(400, f"'cohort_changes' takes 1 to {COHORT_IDS} ids")
        if not any(c["cohort_id"] == body["cohort_id"] for c in self.profiles.cohorts()):
            return refused(400, "cohort_id is unknown")
        if any(user in self.dials.blocked for users, _ in ids for user in users):
            return refused(400, "an id is blacklisted and disallowed")
        self.profiles.change_cohort(
            body["cohort_id"],
            [user for users, removed in ids if not removed for user in users],
            [user for users, removed in ids if removed for user in users],
        )
        return jsonify(message="success")

    def _partner_body(self) -> dict[str, Any] | Response:
        body = read_body()
        if isinstance(body, Response):
            return body
        keys = (body.get("partner_api_key"), body.get("client_secret"))
        if not all(map(self.keys.accept, keys)):
            return refused(401, "Invalid partner_api_key or client_secret")
        if not isinstance(body.get("cohort_id"), str) or not body["cohort_id"]:
            return refused(400, "'cohort_id' is required")
        return body
