"""What was lately opened and followed on landing pages, so that all web workers together can tell
a program by what it does: it follows several links within a second, or links of a page that it
never opened.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from scoring.store.client import Client
from scoring.store.keys import Keys

TAPS_TTL_S = 2 * 86_400
MOST_TAPS = 64  # kept of one customer
PAGE_BYTES = 4
_HEAD = struct.Struct(f">{PAGE_BYTES}sq")


class NotedTap(NamedTuple):
    """``page``: PAGE_BYTES that tell the customer's links apart; ``item``: id of the item whose
    link was followed, empty for the page itself; ``at_ms``: Unix time."""

    page: bytes
    item: str
    at_ms: int


class Taps:
    """The notes of one workspace. Methods raise redis.RedisError when Redis does not answer."""

    def __init__(self, client: Client, workspace: str) -> None:
        self._client: Any = client
        self._keys = Keys(workspace)

    def note(self, taps: Collection[tuple[bytes, NotedTap]]) -> None:
        """Notes (customer hash, tap) pairs: one round trip. The same again changes nothing."""
        if not taps:
            return
        pipe = self._client.pipeline(transaction=False)
        for customer, tap in taps:
            pipe.zadd(self._keys.taps(customer), {_packed(tap): tap.at_ms})
        for customer in {customer for customer, _ in taps}:
            key = self._keys.taps(customer)
            pipe.zremrangebyrank(key, 0, -MOST_TAPS - 1)
            pipe.expire(key, TAPS_TTL_S)
        pipe.execute()

    def of(self, customers: Sequence[bytes]) -> dict[bytes, list[NotedTap]]:
        """What is noted of these customers, oldest first: one round trip."""
        if not customers:
            return {}
        pipe = self._client.pipeline(transaction=False)
        for customer in customers:
            pipe.zrange(self._keys.taps(customer), 0, -1)
        return {
            customer: [tap for raw in found if (tap := _unpacked(raw)) is not None]
            for customer, found in zip(customers, pipe.execute(), strict=True)
        }


def _packed(tap: NotedTap) -> bytes:
    return _HEAD.pack(tap.page, tap.at_ms) + tap.item.encode("utf-8", "surrogatepass")


def _unpacked(raw: bytes) -> NotedTap | None:
    """None for rubbish."""
    if len(raw) < _HEAD.size:
        return None
    page, at_ms = _HEAD.unpack_from(raw)
    return NotedTap(page, raw[_HEAD.size :].decode("utf-8", "replace"), at_ms)
