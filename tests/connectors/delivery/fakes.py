"""A tool in memory that fails as it is told, and remembers what it was asked to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.errors import Retry, Split
from connectors.tool import Encoded, Limits, Outcome, Window

LIMITS = Limits(items=4, body_bytes=1_000, item_bytes=400, envelope_bytes=10)


class CrashError(BaseException):
    """The process dies here; like KeyboardInterrupt nobody handles it."""


@dataclass
class FakeTarget:
    """``faults`` is a queue of: lost_before, lost_after, split, crash_before, crash_after,
    item (its first record is refused, located), unlocated (likewise, not located)."""

    limits: Limits = LIMITS
    windows: Sequence[Window] = ()
    faults: list[str] = field(default_factory=list)
    poison: set[str] = field(default_factory=set)
    locate: bool = True
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[list[str]] = field(default_factory=list)
    writes: int = 0  # attribute values that were applied
    unanswered: int = 0  # … of these, by requests that did not say so
    refused: set[str] = field(default_factory=set)  # whoever was refused at any time

    def addressable(self, customer_id: str) -> bool:
        return True

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> Encoded:
        return Encoded(orjson.dumps([customer_id, change]))

    def write(self, lane: str, records: Sequence[bytes]) -> Outcome:
        assert 0 < len(records) <= self.limits.items
        items = [orjson.loads(record) for record in records]
        self.requests.append([customer_id for customer_id, _ in items])
        fault = self.faults.pop(0) if self.faults else "none"
        self._fail(fault, "before")
        if fault == "split":
            self.refused |= {customer_id for customer_id, _ in items if len(items) == 1}
            raise Split("nobody says which")
        rejected = {i: "poison" for i, (c, _) in enumerate(items) if c in self.poison}
        if fault in ("item", "unlocated"):
            rejected[0] = "told to"
        self.refused |= {items[i][0] for i in rejected}
        before = self.writes
        for i, (customer_id, change) in enumerate(items):
            if i not in rejected:
                self._apply(customer_id, change)
        unlocated = bool(rejected) and (fault == "unlocated" or not self.locate)
        if unlocated or fault in ("crash_after", "lost_after"):
            self.unanswered += self.writes - before
        self._fail(fault, "after")
        return Outcome(unlocated=tuple(rejected.values())) if unlocated else Outcome(rejected)

    def _fail(self, fault: str, moment: str) -> None:
        if fault == f"crash_{moment}":
            raise CrashError
        if fault == f"lost_{moment}":
            raise Retry("lost")

    def _apply(self, customer_id: str, change: Mapping[str, Any]) -> None:
        state = self.held.setdefault(customer_id, {})
        for name, value in change.items():
            self.writes += 1
            if value is None:
                state.pop(name, None)
            else:
                state[name] = value
        if not state:
            del self.held[customer_id]
