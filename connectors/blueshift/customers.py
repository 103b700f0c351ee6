"""Custom attributes of Blueshift's customers.

https://developer.blueshift.com/reference/post_api-v1-customers-bulk
https://developer.blueshift.com/reference/api-errors
https://developer.blueshift.com/docs/customer-related-data
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import orjson

from connectors.attributes import plain
from connectors.customers import CustomerTarget, external_id
from connectors.errors import Reject, Retry, Split
from connectors.http import Client, as_list, as_object, require_list, require_object
from connectors.tool import Encoded, Limits, Outcome, Window

ENVELOPE = b'{"customers":[%b]}'
# Attributes stand beside these fields, which say who somebody is or are Blueshift's own.
RESERVED = frozenset(
    {"customer_id", "email", "uuid", "cookie", "device_id", "device_ids", "device_tokens",
     "firstname", "lastname", "gender", "joined_at", "phone_number", "facebook_id",
     "subscription_groups", "unsubscribed", "unsubscribed_at"}
)  # fmt: skip
PREFIXES = ("bsft_", "_bsft_")
PASSING = (409, 429, 500, 502, 503, 504)  # by the documents: the same again later


@dataclass(frozen=True)
class Customers(CustomerTarget):
    """Writing attributes twice leaves them as they are."""

    client: Client

    # Customers who are refused come back in the answer, which must not grow too large either.
    limits = Limits(50, body_bytes=400_000, item_bytes=20_000, envelope_bytes=len(ENVELOPE))
    windows = (Window(5, 1.0),)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One customer. Raises Reject for an id that is too long and a name of Blueshift's."""
        customer: dict[str, Any] = {"customer_id": external_id(customer_id, most_bytes=64)}
        for name, value in change.items():
            if name in RESERVED or name.startswith(PREFIXES):
                raise Reject(f"{name} is a field of Blueshift, not a custom attribute")
            customer[name] = None if value is None else plain(value)
        return Encoded(orjson.dumps(customer))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split and Stop."""
        body = ENVELOPE % b",".join(records)
        answer = self.client.request("POST", "/api/v1/customers/bulk", body=body)
        if answer.status in (400, 413, 422):
            reason = answer.told.get("error") or answer.told.get("message")
            raise Split(self.client.reason(reason), status=answer.status)
        if answer.status in (404, 409):
            raise Retry("Blueshift says that this is in conflict", status=answer.status)
        told = require_object(answer)
        errors = list(map(as_object, require_list(told, "errors")))
        if any(error.get("status") in PASSING for error in errors):
            raise Retry("Blueshift could not write everybody", status=answer.status)
        refused = self._refused(errors, as_list(told.get("customers")), records)
        return Outcome.refusing(refused, len(records), answer.rate)

    def _refused(
        self, errors: list[dict[str, Any]], customers: list[Any], records: Sequence[bytes]
    ) -> Iterator[tuple[int | None, str]]:
        """Place and reason of each, who stands in ``customers`` as we sent them."""
        ids = [orjson.loads(record)["customer_id"] for record in records]
        for error, customer in zip_longest(errors, customers):
            who = as_object(customer).get("customer_id")
            texts = as_object(as_object(error).get("error_data")).values()
            reason = ", ".join(str(text) for each in texts for text in as_list(each))
            yield ids.index(who) if who in ids else None, self.client.reason(reason)
