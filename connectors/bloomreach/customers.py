"""Properties of customers in Bloomreach Engagement.

https://documentation.bloomreach.com/engagement/reference/batch-commands-2
https://documentation.bloomreach.com/engagement/reference/tracking-api-error-messages
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.customers import CustomerTarget, external_id
from connectors.errors import Retry, Split, Stop
from connectors.http import Answer, Client, as_list, as_object, require_object
from connectors.tool import Encoded, Limits, Outcome, Window

ENVELOPE = b'{"commands":[%b]}'


@dataclass(frozen=True)
class Customers(CustomerTarget):
    """Writing properties twice leaves them as they are. ``path`` is the project's."""

    client: Client
    path: str

    # A message must be under 800 KB and a value under 16 KB, so no command is longer.
    limits = Limits(50, body_bytes=799_999, item_bytes=15_999, envelope_bytes=len(ENVELOPE))
    windows = (Window(6_000, 60.0),)

    def addressable(self, customer_id: str) -> bool:
        """Bloomreach takes no id without a letter or digit, and none of two words."""
        usable = any(c.isalnum() for c in customer_id) and customer_id not in ("null", "undefined")
        return usable and super().addressable(customer_id)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One command. Raises Reject for an id that is too long."""
        ids = {"registered": external_id(customer_id, most_bytes=256)}
        data = {"customer_ids": ids, "properties": change}
        return Encoded(orjson.dumps({"name": "customers", "data": data}))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split, and Stop, also for a permission that lacks."""
        body = ENVELOPE % b",".join(records)
        answer = self.client.request("POST", f"{self.path}/batch", body=body)
        results = map(as_object, self._results(answer, len(records)))
        refusals = {i: each for i, each in enumerate(results) if each.get("success") is not True}
        rejected = {i: self._reason(each.get("errors")) for i, each in refusals.items()}
        if any(reason.startswith("Not authorized") for reason in rejected.values()):
            raise Stop("the key lacks the permission to set customer properties")
        return Outcome(rejected, rate=answer.rate)

    def _results(self, answer: Answer, count: int) -> list[Any]:
        if answer.status == 400 and "error" in answer.told:  # of keys, not of commands
            raise Stop(self.client.reason(answer.told["error"]), status=400)
        if answer.status in (400, 413):
            raise Split(self.client.reason(answer.told.get("message")), status=answer.status)
        results = as_list(require_object(answer).get("results"))  # in the order of the commands
        if len(results) != count:
            raise Retry("the answer is not Bloomreach's, so nobody knows", status=answer.status)
        return results

    def _reason(self, errors: object) -> str:
        return self.client.reason(", ".join(map(str, as_list(errors))))
