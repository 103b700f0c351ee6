"""Events of now: on a durable queue for the lake, and in each customer's recent list.

An event is queued before anything else happens with it; queued twice it reaches the lake once,
because the lake knows event ids. The recent list holds an event once, however often it is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from scoring import columns as c
from scoring.store.client import Client, round_trip
from scoring.store.errors import RecordError
from scoring.store.keys import Keys, customer_hash, identifier_text
from scoring.store.links import unpack_link
from scoring.store.owners import Command, Named, Owners
from scoring.store.recent_record import RecentEvent, digest, pack_recent
from scoring.store.stream import CLAIM_AFTER_S, TTL_S, Stream

DEVICE = "device_id"  # the identifier kind
_FIELD = b"e"


class QueuedEvent(NamedTuple):
    """An event on its way to the lake; ``entry`` is what acknowledge() wants back."""

    entry: bytes
    event: dict[str, Any]


class _Packed(NamedTuple):
    """What recent lists hold of an event; ``member`` is None for one without an item,
    or by a program. ``at_s`` keeps its fraction: what lay in the cart for half a second comes
    before its being taken out."""

    member: bytes | None
    at_s: float


class RecentEvents:
    """The events of one workspace. Methods raise redis.RedisError when Redis does not answer;
    then nothing was acknowledged and the same call may be repeated. ``counts_sent``: messages sent
    are counted for each customer, as a fatigue cap needs it."""

    def __init__(
        self, client: Client, workspace: str, secret: bytes, *, counts_sent: bool = False
    ) -> None:
        self._client: Any = client
        self._counts_sent = counts_sent
        self._keys = Keys(workspace)
        self._secret = secret
        self._stream = Stream(client, self._keys.stream)

    def remember(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Queues events (canonical columns; ``occurred_at`` a UTC datetime or ISO 8601 text) and
        puts those that name an item into the recent lists: one round trip, and up to two before
        it where devices or other identifiers are named, to see whose they are.

        Raises RecordError, with nothing queued, for an event without id, identifier or time.
        """
        if not events:
            return
        named = [self._named(event) for event in events]
        packed = [_packed(event) for event in events]
        queued = [_queued(event) for event in events]
        owners = Owners(self._client, self._keys)
        owners.lookup(named)
        for who, recent, event in zip(named, packed, events, strict=True):
            owner = owners.of(who, recent.at_s)
            if recent.member is not None:
                owners.gains[owner][recent.member] = recent.at_s
            if self._counts_sent and event[c.EVENT_TYPE] == c.MESSAGE_SENT:
                owners.sends[owner][digest(event[c.EVENT_ID])] = recent.at_s
        commands: list[Command] = [("XADD", self._keys.stream, "*", _FIELD, raw) for raw in queued]
        commands.append(("EXPIRE", self._keys.stream, TTL_S))
        commands += owners.commands()
        round_trip(self._client, commands)

    def depth(self) -> int:
        """How many events are not in the lake yet."""
        return self._stream.depth()

    def drain(
        self, consumer: str, count: int = 1000, *, claim_after_s: float = CLAIM_AFTER_S
    ) -> list[QueuedEvent]:
        """Takes up to ``count`` events: first those that another consumer took ``claim_after_s``
        ago and never acknowledged, then new ones. An event comes again until acknowledged."""
        taken = self._stream.take(consumer, count, claim_after_s=claim_after_s)
        return [QueuedEvent(entry.id, _event(entry.fields)) for entry in taken]

    def acknowledge(self, entries: Collection[bytes]) -> None:
        """Takes events that are safely in the lake off the queue."""
        self._stream.acknowledge(entries)

    def leave(self, consumer: str) -> None:
        """A consumer that will not drain any more."""
        self._stream.leave(consumer)

    def forget(self, identifiers: Collection[tuple[str, str]]) -> int:
        """Removes queued events of these (kind, identifier) pairs, and the links of devices that
        these events name; returns how many."""
        wanted = set(identifiers)
        removed, devices = 0, set[str]()
        last = b"-"
        while entries := self._client.xrange(self._keys.stream, min=last, count=1000):
            last = b"(" + entries[-1][0]
            gone = [entry for entry in entries if _concerns(_event(entry[1]), wanted)]
            if gone:
                removed += int(self._client.xdel(self._keys.stream, *(entry for entry, _ in gone)))
                named = (_event(fields).get(c.DEVICE_ID) for _, fields in gone)
                devices.update(device for device in named if device)
        return removed + self._unlink(devices, wanted)

    def _unlink(self, devices: Collection[str], identifiers: Collection[tuple[str, str]]) -> int:
        """Takes away the devices' links to the people of these identifiers."""
        owners = {self._hash_of(kind, identifier) for kind, identifier in identifiers}
        links = [self._keys.alias(self._hash_of(DEVICE, device)) for device in sorted(devices)]
        linked = [link for link in links if unpack_link(self._client.get(link) or b"")[0] in owners]
        return sum(int(self._client.unlink(link)) for link in linked)

    def _named(self, event: Mapping[str, Any]) -> Named:
        kind, identifier = event.get(c.IDENTIFIER_KIND), event.get(c.IDENTIFIER)
        if not kind or not identifier:
            raise RecordError("an event has no identifier or no identifier_kind")
        device = event.get(c.DEVICE_ID)
        unlinks = event.get(c.EVENT_TYPE) == c.UNLINK
        if unlinks and not device and kind != DEVICE:
            raise RecordError("an event that unlinks names no device")
        return Named(
            self._hash_of(kind, identifier),
            kind == c.EXTERNAL_ID,
            self._hash_of(DEVICE, device) if device else None,
            unlinks,
        )

    def _hash_of(self, kind: str, identifier: str) -> bytes:
        if kind == c.CUSTOMER_HASH:
            return bytes.fromhex(identifier)
        text = identifier_text(kind, identifier)
        return customer_hash(self._secret, self._keys.workspace, text)


def _packed(event: Mapping[str, Any]) -> _Packed:
    """Raises RecordError."""
    at_s = _time(event).timestamp()
    event_id, item_id = event.get(c.EVENT_ID), event.get(c.ITEM_ID)
    if not event_id:
        raise RecordError("an event has no event_id")
    if not item_id or event[c.EVENT_TYPE] in c.AUTOMATED:
        return _Packed(None, at_s)
    recent = RecentEvent(
        event[c.EVENT_TYPE], item_id, int(at_s), event.get(c.UNIT_PRICE), event.get(c.QUANTITY)
    )
    return _Packed(pack_recent(recent, event_id), at_s)


def _time(event: Mapping[str, Any]) -> datetime:
    value = event.get(c.OCCURRED_AT)
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise RecordError(f"an event has no usable occurred_at: {value!r}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _queued(event: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(dict(event), default=str)
    except TypeError as problem:
        raise RecordError(f"an event cannot be written as JSON: {problem}") from None


def _event(fields: Mapping[bytes, bytes]) -> dict[str, Any]:
    """What was queued; rubbish is handed on as such, for the lake's quarantine."""
    raw = fields.get(_FIELD, b"")
    try:
        event = orjson.loads(raw)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"raw": raw.decode("utf-8", "replace")}


def _concerns(event: Mapping[str, Any], identifiers: Collection[tuple[str, str]]) -> bool:
    return (event.get(c.IDENTIFIER_KIND), event.get(c.IDENTIFIER)) in identifiers or (
        DEVICE,
        event.get(c.DEVICE_ID),
    ) in identifiers
