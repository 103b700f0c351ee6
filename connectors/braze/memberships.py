"""Segments as an array attribute of the profile: for workspaces without a partner's cohort import.

An array attribute is a set in Braze: adding what is in it, or removing what is not, changes
nothing, so that a change may be sent again.
https://www.braze.com/docs/user_guide/data/activation/custom_data/custom_attributes/#arrays
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.braze import track
from connectors.braze.identity import external_id
from connectors.customers import CustomerTarget
from connectors.http import Client
from connectors.tool import Encoded, Outcome


@dataclass(frozen=True)
class Memberships(CustomerTarget):
    """One segment as an element of the array ``attribute``."""

    client: Client
    segment_id: str
    attribute: str
    update_existing_only: bool

    limits = track.LIMITS
    windows = track.WINDOWS

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One attributes object. Raises Reject for an id that Braze cannot take."""
        verb = "add" if change["member"] else "remove"
        record: dict[str, Any] = {"external_id": external_id(customer_id)}
        if self.update_existing_only:
            record["_update_existing_only"] = True
        return Encoded(orjson.dumps({**record, self.attribute: {verb: [self.segment_id]}}))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split or Stop."""
        return track.send(self.client, records)
