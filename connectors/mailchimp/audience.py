"""One audience of a Mailchimp account: calls of its part of the API, and what is refused.

https://mailchimp.com/developer/marketing/docs/errors/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any

import orjson

from connectors.customers import AddressTarget
from connectors.errors import Retry, Split
from connectors.http import Client, as_list, as_object, require_object
from connectors.tool import Limits, Outcome

AT_ONCE = 10  # connections of an account; there is no other limit
PAGE = 1_000


@dataclass(frozen=True)
class Audience:
    """``path`` is the audience's below the host."""

    client: Client
    path: str
    turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(AT_ONCE), repr=False)

    def call(self, method: str, path: str, body: Any = None, **params: str) -> dict[str, Any]:
        """The object that is answered. Raises Retry, Split or Stop."""
        sent = None if body is None else orjson.dumps(body)
        with self.turns:
            answer = self.client.request(method, self.path + path, body=sent, params=params or None)
        if answer.status in (400, 413, 422):
            raise Split(self.client.reason(answer.told.get("detail")), status=answer.status)
        # an overload is turned away without a word of JSON
        if answer.status == 403 and not answer.told:
            raise Retry("the tool is busy", after_s=answer.retry_after_s, status=403)
        told = require_object(answer)
        if "_links" not in told:  # which every object of theirs has
            raise Retry("the answer is not Mailchimp's, so nobody knows", status=answer.status)
        return told

    def all(self, name: str, **params: str) -> list[dict[str, Any]]:
        """Every entry of a collection. Raises Retry, Split or Stop."""
        found: list[dict[str, Any]] = []
        listed: Any = [{}] * PAGE
        while len(listed) == PAGE:
            page = {"count": str(PAGE), "offset": str(len(found)), **params}
            listed = self.call("GET", f"/{name.replace('_', '-')}", **page).get(name)
            if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
                raise Retry("the answer is not Mailchimp's, so nobody knows")
            found += listed
        return found

    def outcome(self, told: Mapping[str, Any], addresses: Sequence[str]) -> Outcome:
        """Who of those that were sent was refused."""
        place = {address.lower(): index for index, address in enumerate(addresses)}
        refused: list[tuple[object, str]] = []
        for entry in map(as_object, as_list(told.get("errors"))):
            reason = self.client.reason(entry.get("error"))
            named = as_list(entry.get("email_addresses", [entry.get("email_address")])) or [None]
            refused += [(place.get(str(who).lower()), reason) for who in named]
        return Outcome.refusing(refused, len(addresses))


class ContactTarget(AddressTarget):
    """What attributes and members have in common."""

    limits = Limits(items=500, body_bytes=2_000_000, item_bytes=20_000, envelope_bytes=50)
