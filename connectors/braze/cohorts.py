"""Segments as partner cohorts: only who came and who left is sent.

https://www.braze.com/docs/partners/isv_partners/cohort_import/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.braze.answers import accepted
from connectors.braze.identity import external_id
from connectors.customers import CustomerTarget
from connectors.http import Client, require_success
from connectors.tool import Encoded, Limits, Outcome, Window

ADD, REMOVE = b"+", b"-"


@dataclass(frozen=True)
class Partner:
    """The agreement under which cohorts are imported."""

    name: str
    api_key: str = field(repr=False)
    client_secret: str = field(repr=False)

    def path(self, tail: str = "") -> str:
        return f"/partners/{self.name}/cohorts{tail}"

    def signed(self, body: Mapping[str, Any]) -> bytes:
        """The keys travel in the body, so a body of these calls is never logged."""
        keys = {"partner_api_key": self.api_key, "client_secret": self.client_secret}
        return orjson.dumps({**keys, **body})


def declare(
    client: Client,
    partner: Partner,
    cohort_id: str,
    name: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Create the cohort or rename it. Raises Retry (423: locked by Braze) or Stop."""
    body = {
        "cohort_id": cohort_id,
        "name": name,
        "created_at": now().isoformat(timespec="seconds"),
    }
    require_success(client.request("POST", partner.path(), body=partner.signed(body)))


@dataclass(frozen=True)
class Members(CustomerTarget):
    """Membership of one cohort; adding or removing somebody twice changes nothing."""

    client: Client
    partner: Partner
    cohort_id: str

    limits = Limits(items=1_000, body_bytes=4_000_000, item_bytes=100_000, envelope_bytes=2_000)
    windows = (Window(250_000, 3600.0, clock=True),)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """The id as JSON, after a sign that says whether the customer comes or leaves."""
        sign = ADD if change["member"] else REMOVE
        return Encoded(sign + orjson.dumps(external_id(customer_id)))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request with the changes of at most 1,000 members. Raises Retry, Split or Stop."""
        coming = [orjson.loads(record[1:]) for record in records if record[:1] == ADD]
        leaving = [orjson.loads(record[1:]) for record in records if record[:1] == REMOVE]
        changes: list[dict[str, Any]] = []
        if coming:
            changes.append({"user_ids": coming})
        if leaving:
            changes.append({"user_ids": leaving, "should_remove": True})
        body = self.partner.signed({"cohort_id": self.cohort_id, "cohort_changes": changes})
        answer = self.client.request("POST", self.partner.path("/users"), body=body)
        accepted(self.client, answer)
        return Outcome(rate=answer.rate)
