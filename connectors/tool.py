"""What a connector offers: the contract between delivery and a host tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import marshmallow

from connectors.rate import UNKNOWN, Rate
from settings.workspace import ConnectionSettings


@dataclass(frozen=True)
class Limits:
    """Of one request: records, bytes of the whole body, bytes of one record.

    ``envelope_bytes`` is what the body holds besides the records and the commas between them.
    """

    items: int
    body_bytes: int
    item_bytes: int
    envelope_bytes: int


@dataclass(frozen=True)
class Outcome:
    """An accepted request. ``rejected``: index of a refused record → reason.

    ``unlocated`` are reasons of records that were refused without saying which.
    """

    rejected: Mapping[int, str] = field(default_factory=dict)
    unlocated: tuple[str, ...] = ()
    rate: Rate = UNKNOWN


class Target(Protocol):
    """Something that takes one small state a customer: user attributes, or membership of a segment.

    Writing must be idempotent: delivery sends a change again when an answer was lost.
    """

    @property
    def limits(self) -> Limits:
        """Of one request."""

    def addressable(self, customer_id: str) -> bool:
        """Whether the tool can know this customer at all."""

    def encode(self, customer_id: str, change: Mapping[str, Any]) -> bytes:
        """One record as JSON; ``change`` maps a name to its new value, None removes it.

        Raises Reject when the tool would never take it.
        """

    def write(self, records: Sequence[bytes]) -> Outcome:
        """One request with at most ``limits`` records. Raises Retry, Split or Stop."""


class Tool(Protocol):
    """An open connection to a host tool."""

    def attributes(self) -> Target:
        """Where user attributes go."""

    def segment(self, segment_id: str) -> Target:
        """Where members of one segment go (change ``{"member": True}`` or ``{"member": None}``).

        Raises Stop when the connection is not configured for it.
        """

    def declare_segment(self, segment_id: str, name: str) -> None:
        """Create the segment in the tool, or give it its new name. Raises Retry or Stop."""

    def check(self) -> None:
        """Make one harmless call that needs the key. Raises Retry or Stop."""

    def close(self) -> None:
        """Give connections back."""


@dataclass(frozen=True)
class Connector:
    """A line of the registry: how a kind of connection is described, checked and opened."""

    title: str
    options: type[marshmallow.Schema]
    open: Callable[[ConnectionSettings], Tool]
