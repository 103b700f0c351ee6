"""Custom attributes of Insider's users.

https://academy.insiderone.com/docs/upsert-user-data-api
https://academy.insiderone.com/docs/delete-user-attribute-api
https://academy.insiderone.com/docs/status-and-error-codes-1
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from connectors.customers import CustomerTarget, external_id
from connectors.errors import Retry, Split, Stop
from connectors.http import Answer, Client, as_list, as_object, require_object
from connectors.tool import Encoded, Limits, Outcome, Window

# Calls below /api/user/v1/; a lane names those that its records need, and a record has the user
# for each. Taking a value away is a call of its own.
UPSERT, DELETE = "upsert", "attribute/delete"
# Lists are replaced: the documents say it of the request and show it of the user, so both do.
ENVELOPES = {UPSERT: b'{"append":false,"users":[%b]}', DELETE: b'{"users":[%b]}'}
PLACE = re.compile(r"users\.(\d{1,4})\.")


@dataclass(frozen=True)
class Users(CustomerTarget):
    """Writing attributes twice, or taking them away twice, leaves them as they are."""

    client: Client

    limits = Limits(1_000, 5_000_000, item_bytes=20_000, envelope_bytes=len(ENVELOPES[UPSERT]))
    windows = (Window(12_500, 60.0),)  # half of what is allowed: a write may be two requests

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """One user, for one call or both. Raises Reject for an id that is too long."""
        user = {"identifiers": {"uuid": external_id(customer_id, most_bytes=255)}}
        values = {name: value for name, value in change.items() if value is not None}
        gone = [name for name in change if name not in values]
        calls: dict[str, dict[str, Any]] = {}
        if values:
            calls[UPSERT] = {**user, "attributes": {"custom": values}, "not_append": True}
        if gone:
            calls[DELETE] = {**user, "custom": {"whole": gone}}
        return Encoded(orjson.dumps(calls), " ".join(calls))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request a call of the lane. Raises Retry, Split, and Stop."""
        loaded = [orjson.loads(record) for record in records]
        rejected, unlocated, outcome = dict[int, str](), list[str](), Outcome()
        for call in lane.split():
            outcome = self._send(call, [users[call] for users in loaded])
            rejected.update(outcome.rejected)
            unlocated += outcome.unlocated
        return Outcome(rejected, tuple(unlocated), outcome.rate)

    def _send(self, call: str, users: list[dict[str, Any]]) -> Outcome:
        body = ENVELOPES[call] % b",".join(map(orjson.dumps, users))
        answer = self.client.request("POST", f"/api/user/v1/{call}", body=body)
        reason = self.client.reason(answer.told.get("error") or answer.told.get("message"))
        if answer.status == 400 and reason.startswith("Partner"):  # of the header, not of users
            raise Stop(reason, status=400)
        gone = call == DELETE and is_nobody(answer)
        if gone and len(users) == 1:  # who is not there has nothing that could be taken away
            return Outcome(rate=answer.rate)
        if gone or answer.status in (400, 413, 422):
            raise Split(reason, status=answer.status)
        told = require_object(answer)
        if call == DELETE and not told:
            return Outcome(rate=answer.rate)
        return self._outcome(as_object(told.get("data")), len(users), answer)

    def _outcome(self, data: dict[str, Any], count: int, answer: Answer) -> Outcome:
        """Who was refused; where more were than Insider names, the others are not located."""
        taken, fail = as_object(data.get("successful")).get("count", 0), data.get("fail")
        outcome = Outcome.refusing(self._refused(as_object(fail)), count, answer.rate)
        if taken == count - len(outcome.rejected):
            return outcome
        if not fail:
            raise Retry("the answer is not Insider's, so nobody knows", status=answer.status)
        return replace(outcome, unlocated=(*outcome.unlocated, "Insider did not say whom it took"))

    def _refused(self, fail: dict[str, Any]) -> Iterator[tuple[int | None, str]]:
        """``users.0.identifiers.*.type(string)`` and the like → texts, of each error."""
        for where, texts in as_object(fail.get("errors")).items():
            place = PLACE.match(where)
            reason = self.client.reason(", ".join(map(str, as_list(texts))))
            yield int(place[1]) if place else None, reason


def is_nobody(answer: Answer) -> bool:
    """Whether Insider says that it knows nobody of these identifiers."""
    return answer.status == 404 and str(answer.told.get("error")).startswith("no such user")
