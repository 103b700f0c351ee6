"""One event of a customer's recent list, packed.

Version 2: version u8, event type u8 (its position in EVENT_TYPES), seconds since 1970 u32, digest
of the event id 4 bytes, flags u8 (1: a price follows, 2: a quantity follows), the float64 of each,
then the item id in UTF-8. Version 1, still read, ends its head after the digest. Little-endian.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

from scoring.columns import EVENT_TYPES
from scoring.store.errors import RecordError

SENT_MESSAGES = 50  # to one customer
_HEAD = struct.Struct("<BBI4s")
_NUMBER = struct.Struct("<d")
_FIRST = 1
_VERSION = 2
_PRICE = 1
_QUANTITY = 2
_LATEST_S = 0xFFFF_FFFF
_TYPES = {name: number for number, name in enumerate(EVENT_TYPES)}


class RecentEvent(NamedTuple):
    """``at_s``: seconds since 1970 (UTC); ``price`` of one piece in the workspace's currency and
    ``quantity`` in pieces, None where the event did not say."""

    event_type: str
    item_id: str
    at_s: int
    price: float | None = None
    quantity: float | None = None

    @property
    def occurred_at(self) -> datetime:
        return datetime.fromtimestamp(self.at_s, UTC)


def pack_recent(event: RecentEvent, event_id: str) -> bytes:
    """The same event gives the same bytes, so that it stands in the list once.

    Raises RecordError for an unknown event type or a time outside 1970 … 2106.
    """
    event_type, item_id, at_s, price, quantity = event
    if event_type not in _TYPES:
        raise RecordError(f"unknown event type {event_type!r}")
    if not 0 <= at_s <= _LATEST_S:
        raise RecordError(f"time {at_s} s since 1970 is out of range")
    flags = (price is not None) * _PRICE | (quantity is not None) * _QUANTITY
    head = _HEAD.pack(_VERSION, _TYPES[event_type], at_s, digest(event_id)[:4]) + bytes([flags])
    numbers = b"".join(_NUMBER.pack(value) for value in (price, quantity) if value is not None)
    try:
        return head + numbers + item_id.encode()
    except UnicodeEncodeError:
        raise RecordError("an item id is no valid text") from None


def digest(event_id: str) -> bytes:
    """8 bytes that tell one event of a customer from the others."""
    return blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def unpack_recent(raw: bytes) -> RecentEvent:
    """Raises RecordError for rubbish."""
    try:
        version, event_type, at_s, _digest = _HEAD.unpack_from(raw)
        if version == _FIRST:
            return RecentEvent(EVENT_TYPES[event_type], raw[_HEAD.size :].decode(), at_s)
        if version != _VERSION:
            raise RecordError(f"recent event of version {version}, expected {_VERSION}")
        flags, at = raw[_HEAD.size], _HEAD.size + 1
        price = quantity = None
        if flags & _PRICE:
            (price,), at = _NUMBER.unpack_from(raw, at), at + _NUMBER.size
        if flags & _QUANTITY:
            (quantity,), at = _NUMBER.unpack_from(raw, at), at + _NUMBER.size
        return RecentEvent(EVENT_TYPES[event_type], raw[at:].decode(), at_s, price, quantity)
    except (struct.error, IndexError, UnicodeDecodeError) as problem:
        raise RecordError(f"recent event: {problem}") from None
