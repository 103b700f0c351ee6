"""One request with records: the body from its template, the answer by its rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from connectors.customers import external_id
from connectors.errors import Retry, Split, Stop
from connectors.generic.auth import Api
from connectors.generic.pointer import MISSING, at
from connectors.generic.requests import Batch, Call, ItemErrors
from connectors.generic.template import fill, fill_path
from connectors.http import Answer, require_success
from connectors.tool import Limits, Outcome

NO_CONTENT = 204
REFUSED = (400, 413, 422)  # permanent for what is in the request
BREAK = b"\n"  # between the customer id and the record, for JSON on one line has none


def line(batch: Batch, customer_id: str, values: Mapping[str, Any]) -> bytes:
    """A record with the id it is of, as ``send`` takes it. Raises Reject."""
    own = {**values, "customer_id": external_id(customer_id, most_bytes=batch.limits.id_bytes)}
    record = fill(batch.record, own)
    if batch.limits.items == 1:
        fill_path(batch.path, own)  # or it is rejected here
    return orjson.dumps(customer_id) + BREAK + orjson.dumps(record)


def tool_limits(batch: Batch, values: Mapping[str, Any]) -> Limits:
    """What delivery has to know; the ids before the records count as if they were sent."""
    empty = {**values, "records": [], "record": None, "customer_id": ""}
    envelope = len(orjson.dumps(fill(batch.body, empty)))
    limits = batch.limits
    return Limits(limits.items, limits.body_bytes, limits.item_bytes, envelope)


def call(api: Api, request: Call, values: Mapping[str, Any]) -> Answer:
    """A request without records. Raises Retry and Stop, also when the answer is no success."""
    body = None if request.body is None else orjson.dumps(fill(request.body, values))
    answer = api.request(request.method, fill_path(request.path, values), body)
    problem = _problem(api, request, answer)
    if problem is not None:
        raise Stop(problem, status=answer.status, request_id=answer.request_id)
    return answer


@dataclass(frozen=True)
class Exchange:
    """``values`` are those of the request as a whole, such as the segment's id."""

    api: Api
    batch: Batch
    values: Mapping[str, Any]

    def send(self, lines: Sequence[bytes]) -> Outcome:
        """Raises Retry, Stop, and Split when the tool refuses without saying which."""
        parts = [each.split(BREAK, 1) for each in lines]
        ids = [orjson.loads(customer_id) for customer_id, _ in parts]
        records = [orjson.Fragment(record) for _, record in parts]
        answer = self.api.request(
            self.batch.method,
            fill_path(self.batch.path, {**self.values, "customer_id": ids[0]}),
            self._body(ids, records),
        )
        return self._outcome(answer, ids)

    def _body(self, ids: Sequence[str], records: Sequence[orjson.Fragment]) -> bytes | None:
        if self.batch.body is None:
            return None
        own = {"records": records, "record": records[0], "customer_id": ids[0]}
        return orjson.dumps(fill(self.batch.body, {**self.values, **own}))

    def _outcome(self, answer: Answer, ids: Sequence[str]) -> Outcome:
        if answer.status in self.batch.success.statuses and self.batch.errors:
            _require_json(answer)
            rejected, unlocated = self._refused(answer.body, ids)
            problem = _problem(self.api, self.batch, answer) if rejected else None
            if problem is not None and len(rejected) < len(ids):
                unlocated = (*unlocated, problem)  # no success, so nobody knows of the others
            if rejected or unlocated:
                return Outcome(rejected, unlocated, answer.rate)
        problem = _problem(self.api, self.batch, answer)
        if problem is not None:
            raise Split(problem, status=answer.status, request_id=answer.request_id)
        return Outcome(rate=answer.rate)

    def _refused(self, body: Any, ids: Sequence[str]) -> tuple[dict[int, str], tuple[str, ...]]:
        rejected: dict[int, str] = {}
        unlocated: list[str] = []
        places = {customer_id: place for place, customer_id in enumerate(ids)}
        for rule in self.batch.errors:
            listed = at(body, rule.entries)
            for entry in listed if isinstance(listed, list) else [listed]:
                if entry is MISSING or entry is None:
                    continue
                index = _index(rule, entry, places)
                if index is None:
                    unlocated.append(self._reason(rule, entry))
                else:
                    rejected.setdefault(index, self._reason(rule, entry))
        return rejected, tuple(unlocated)

    def _reason(self, rule: ItemErrors, entry: Any) -> str:
        text = MISSING if rule.message is None else at(entry, rule.message)
        # A list of bare ids tells by its name what is wrong with them.
        return self.api.reason(rule.entries if text is MISSING else text)


def _index(rule: ItemErrors, entry: Any, places: Mapping[str, int]) -> int | None:
    """Place of the record that an entry is about; None when it does not say."""
    if len(places) == 1:
        return 0
    if rule.index is not None:
        index = at(entry, rule.index)
        if isinstance(index, str) and index.isdecimal() and len(index) < 9:
            index = int(index)
        if type(index) is int and 0 <= index < len(places):
            return index
    if rule.id is not None:
        customer_id = at(entry, rule.id)
        if isinstance(customer_id, str):
            return places.get(customer_id)
    return None


def _problem(api: Api, request: Call, answer: Answer) -> str | None:
    """None for a success, else what the tool says of a request that it refused.

    Raises Retry and Stop for what has nothing to do with the content of the request.
    """
    success = request.success
    if answer.status in success.statuses:
        if answer.status != NO_CONTENT:
            _require_json(answer)
        if success.field is None:
            return None
        if success.field and not isinstance(answer.body, dict):
            raise Retry("the answer is not like the tool's, so nobody knows", status=answer.status)
        found = at(answer.body, success.field)
        # 1 == True, but a tool that says true does not mean 1
        if any(type(each) is type(found) and each == found for each in success.values):
            return None
    elif answer.status not in REFUSED:
        require_success(answer)
        raise Stop("the answer's status is not one of success.statuses", status=answer.status)
    said = (at(answer.body, pointer) for pointer in success.reasons)
    return next((api.reason(text) for text in said if text is not MISSING), f"HTTP {answer.status}")


def _require_json(answer: Answer) -> None:
    if answer.body is None:
        raise Retry("a page instead of JSON, so nobody knows", status=answer.status)
