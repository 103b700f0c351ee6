"""Whose events these are: identifiers become customers while a batch of events goes by.

An event that names a customer and a device links the device; what the device did before anybody
knew whose it is becomes the customer's. An event of type unlink takes the link away: the device is
nobody's until it is linked anew, whatever the snapshot says. The moment of either is kept with it:
what arrives late never undoes what is newer.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from scoring.store.client import Client, round_trip
from scoring.store.keys import Keys, bucket
from scoring.store.links import NOBODY, link_command, pack_link, unpack_link
from scoring.store.published import Pointer
from scoring.store.recent_list import added
from scoring.store.recent_record import SENT_MESSAGES
from scoring.store.records import alias_target

Command = tuple[Any, ...]
SENT_TTL_S = 14 * 86_400  # no fatigue cap counts further back


class Named(NamedTuple):
    """Who an event names, as hashes: ``person`` is the identifier's, ``certain`` if that is a
    customer's own; ``device`` is None where no device is named beside it."""

    person: bytes
    certain: bool
    device: bytes | None
    unlinks: bool = False


class Owners:
    """The owners of a batch's identifiers, and what each one's recent list gains.

    ``lookup`` first, then ``of`` for each event in turn and what it adds into ``gains``, then
    ``commands``. Raises redis.RedisError. ``clock``: seconds since 1970; what is said of a moment
    to come counts as of now, so that what is said next is not older.
    """

    def __init__(self, client: Client, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._keys = keys
        self._now_s = clock()
        self._owner: dict[bytes, bytes] = {}
        self._since_s: dict[bytes, int] = {}  # of live links
        self._links: dict[bytes, bytes] = {}  # as they are to be stored
        self._history: dict[bytes, dict[bytes, float]] = {}  # of devices that nobody has: their own
        self._moved: set[bytes] = set()
        # customer → packed event → seconds since 1970; and messages sent, by a digest of their ids
        self.gains: defaultdict[bytes, dict[bytes, float]] = defaultdict(dict)
        self.sends: defaultdict[bytes, dict[bytes, float]] = defaultdict(dict)

    def lookup(self, named: Iterable[Named]) -> None:
        """What the store knows: one round trip, one more for what has no live link; none where
        only customers are named."""
        unknown, linking, leaving = set(), set(), set()
        for person, certain, device, unlinks in named:
            if unlinks:
                leaving.add(person if device is None else device)
                continue
            if not certain:
                unknown.add(person)
            if device is not None and certain:
                linking.add(device)
        asked = sorted(unknown | linking | leaving)
        if not asked:
            return
        commands: list[Command] = [("GET", self._keys.pointer)]
        commands += [("GET", self._keys.alias(each)) for each in asked]
        devices = sorted(linking)
        commands += [("ZRANGE", self._keys.recent(each), 0, -1, "WITHSCORES") for each in devices]
        pointer, *answers = round_trip(self._client, commands)
        for each, link in zip(asked, answers, strict=False):
            if link is not None:
                self._owner[each], self._since_s[each] = unpack_link(link)
        for each, pairs in zip(devices, answers[len(asked) :], strict=True):
            if pairs and not self._owner.get(each):
                self._history[each] = _scored(pairs)
        rest = {*unknown, *self._history} - set(self._owner)
        if pointer is not None and rest:
            self._look_into_snapshot(Pointer.unpack(pointer).generation, rest)

    def of(self, named: Named, at_s: float) -> bytes:
        """The customer (a hash) whose event of this moment (seconds since 1970) it is; the event's
        own link counts from it on, unless a newer one is known."""
        person, certain, device, unlinks = named
        if unlinks:
            self._told(person if device is None else device, NOBODY, at_s)
        elif certain and device is not None:
            self._link(device, person, at_s)
        if certain:
            return person
        return self._owner.get(person) or person

    def commands(self) -> Iterator[Command]:
        """What writes the links and the gains, and empties the lists whose events moved."""
        for device, link in self._links.items():
            yield link_command(self._keys, device, link)
        for customer, events in self.gains.items():
            yield added(self._keys.recent(customer), events)
        for customer, sends in self.sends.items():
            yield from _added(self._keys.sent(customer), sends, SENT_MESSAGES, SENT_TTL_S)
        for device in self._moved:
            # not the whole list: an event may have come in between
            yield ("ZREM", self._keys.recent(device), *self._history[device])

    def _link(self, device: bytes, customer: bytes, at_s: float) -> None:
        before = self._owner.get(device)
        if self._told(device, customer, at_s) and not before:
            own = self.gains.pop(device, {})
            if device in self._history and device not in self._moved:
                self._moved.add(device)
                own |= self._history[device]
            if own:
                self.gains[customer] |= own

    def _told(self, device: bytes, owner: bytes, at_s: float) -> bool:
        """Whether whose it is now is news. Whole seconds: some senders know no fractions."""
        moment_s = max(0, int(min(at_s, self._now_s)))
        if moment_s < self._since_s.get(device, 0):
            return False
        self._owner[device], self._since_s[device] = owner, moment_s
        self._links[device] = pack_link(owner, moment_s)
        return True

    def _look_into_snapshot(self, generation: str, identifiers: Collection[bytes]) -> None:
        asked = sorted(identifiers)
        found = round_trip(
            self._client,
            [("HGET", self._keys.customers(generation, bucket(each)), each) for each in asked],
        )
        for each, record in zip(asked, found, strict=True):
            target = alias_target(record) if record else None
            if target is not None:
                self._owner[each] = target


def _added(key: str, members: dict[bytes, float], most: int, ttl_s: int) -> Iterator[Command]:
    """The newest ``most`` stay."""
    yield ("ZADD", key, *chain.from_iterable((at_s, raw) for raw, at_s in members.items()))
    yield ("ZREMRANGEBYRANK", key, 0, -most - 1)
    yield ("EXPIRE", key, ttl_s)


def _scored(pairs: Sequence[bytes]) -> dict[bytes, float]:
    return {member: float(score) for member, score in zip(pairs[::2], pairs[1::2], strict=True)}
