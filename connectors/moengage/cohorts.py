"""Segments as cohorts of a partner: only who came and who left is sent.

A cohort comes to be with its first members, and each request says its name, so it is called by our
id and keeps that name. Who is no user of MoEngage is passed over.

https://www.moengage.com/docs/api/cohort-sync/sync-cohort-members
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.customers import CustomerTarget
from connectors.moengage.workspace import MoEngageWorkspace, user_id
from connectors.tool import Encoded, Limits, Outcome, Window

PATH = "/v1/integrations/cohortsync"
ADD, REMOVE = "add_members", "remove_members"


@dataclass(frozen=True)
class Members(CustomerTarget):
    """Membership of one cohort; adding or removing somebody twice changes nothing."""

    workspace: MoEngageWorkspace
    partner: str
    segment_id: str

    limits = Limits(items=1_000, body_bytes=128_000, item_bytes=10_000, envelope_bytes=1_000)
    windows = (Window(300, 60.0),)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """A member; who comes and who leaves travel apart."""
        lane = ADD if change["member"] else REMOVE
        return Encoded(orjson.dumps({"uid": user_id(customer_id)}), lane)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split or Stop."""
        parameters = {
            "cohort_name": f"Rightsend {self.segment_id}",
            "cohort_id": self.segment_id,
            "members": [orjson.Fragment(record) for record in records],
        }
        body = {"action": lane, "partner": self.partner, "parameters": parameters}
        return Outcome(rate=self.workspace.post(PATH, orjson.dumps(body)).rate)
