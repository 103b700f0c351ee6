"""Where attributes and members of a segment go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connectors.customers import has_external_id
from connectors.errors import Reject
from connectors.generic.auth import Api
from connectors.generic.exchange import Exchange, line, tool_limits
from connectors.generic.requests import AttributesRequest, SegmentRequests
from connectors.generic.template import fill
from connectors.tool import Encoded, Limits, Outcome, Window

ADD, REMOVE = "add", "remove"


@dataclass(frozen=True)
class Attributes:
    """One record a customer. Setting a value twice must leave it as it is."""

    api: Api
    request: AttributesRequest

    @property
    def limits(self) -> Limits:
        return tool_limits(self.request, {})

    @property
    def windows(self) -> Sequence[Window]:
        return self.request.windows

    def addressable(self, customer_id: str) -> bool:
        return has_external_id(customer_id)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """Raises Reject for what cannot stand in the request."""
        filled = {name: self._filled(name, value) for name, value in change.items()}
        attributes = list(filled.values()) if self.request.shape == "list" else filled
        return Encoded(line(self.request, customer_id, {"attributes": attributes}))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split or Stop."""
        return Exchange(self.api, self.request, {}).send(records)

    def _filled(self, name: str, value: Any) -> Any:
        if value is None:
            return fill(self.request.remove, {"name": name})
        separator = self.request.join
        if separator is not None and isinstance(value, list):
            if any(separator in each for each in value):
                raise Reject(f"an entry of {name} holds {separator!r}, which separates them")
            value = separator.join(value)
        return fill(self.request.set, {"name": name, "value": value})


@dataclass(frozen=True)
class Members:
    """Membership of one segment; adding or removing somebody twice must change nothing."""

    api: Api
    requests: SegmentRequests
    segment_id: str

    @property
    def limits(self) -> Limits:
        """Of the smaller of both requests."""
        add = tool_limits(self.requests.add, self._values)
        remove = tool_limits(self.requests.remove, self._values)
        return replace(
            add,
            items=min(add.items, remove.items),
            body_bytes=min(add.body_bytes, remove.body_bytes),
            item_bytes=min(add.item_bytes, remove.item_bytes),
            envelope_bytes=max(add.envelope_bytes, remove.envelope_bytes),
        )

    @property
    def windows(self) -> Sequence[Window]:
        """Of both requests: a tool that counts them apart is only used more gently."""
        return (*self.requests.add.windows, *self.requests.remove.windows)

    def addressable(self, customer_id: str) -> bool:
        return has_external_id(customer_id)

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        """Who comes and who leaves go by different requests. Raises Reject."""
        lane = ADD if change["member"] else REMOVE
        return Encoded(line(self._request(lane), customer_id, self._values), lane)

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        """One request. Raises Retry, Split or Stop."""
        return Exchange(self.api, self._request(lane), self._values).send(records)

    @property
    def _values(self) -> dict[str, Any]:
        return {"segment_id": self.segment_id}

    def _request(self, lane: str) -> Any:
        return self.requests.add if lane == ADD else self.requests.remove
