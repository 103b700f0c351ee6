"""One event of a customer's recent list, packed: 10 bytes and the item id."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

from scoring.columns import EVENT_TYPES
from scoring.store.errors import RecordError

_HEAD = struct.Struct("<BBI4s")
_VERSION = 1
_LATEST_S = 0xFFFF_FFFF


class RecentEvent(NamedTuple):
    """``at_s``: seconds since 1970 (UTC)."""

    event_type: str
    item_id: str
    at_s: int

    @property
    def occurred_at(self) -> datetime:
        return datetime.fromtimestamp(self.at_s, UTC)


def pack_recent(event: RecentEvent, event_id: str) -> bytes:
    """The same event gives the same bytes, so that it stands in the list once.

    Raises RecordError for an unknown event type or a time outside 1970 … 2106.
    """
    if event.event_type not in EVENT_TYPES:
        raise RecordError(f"unknown event type {event.event_type!r}")
    if not 0 <= event.at_s <= _LATEST_S:
        raise RecordError(f"time {event.at_s} s since 1970 is out of range")
    digest = blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    head = _HEAD.pack(_VERSION, EVENT_TYPES.index(event.event_type), event.at_s, digest)
    try:
        return head + event.item_id.encode()
    except UnicodeEncodeError:
        raise RecordError("an item id is no valid text") from None


def unpack_recent(raw: bytes) -> RecentEvent:
    """Raises RecordError for rubbish."""
    try:
        version, event_type, at_s, _digest = _HEAD.unpack_from(raw)
        if version != _VERSION:
            raise RecordError(f"recent event of version {version}, expected {_VERSION}")
        return RecentEvent(EVENT_TYPES[event_type], raw[_HEAD.size :].decode(), at_s)
    except (struct.error, IndexError, UnicodeDecodeError) as problem:
        raise RecordError(f"recent event: {problem}") from None
