"""Reads at send time: one round trip, everything from one snapshot, never late.

Imported by web workers: no numpy, no pyarrow. A Reader is shared by all threads of a process.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import redis
from redis.exceptions import RedisClusterException

from scoring.columns import IDENTIFIER_KINDS
from scoring.store.breaker import Breaker
from scoring.store.client import Client
from scoring.store.errors import RecordError, StoreUnavailable
from scoring.store.fallback import FallbackFile
from scoring.store.following import Following
from scoring.store.keys import HASH_BYTES, Keys, customer_hash
from scoring.store.links import NOBODY, unpack_link
from scoring.store.persons import (
    Person,
    parse_person,
    parse_sent,
    person_command,
    sent_command,
)
from scoring.store.published import Pointer, PublishedSnapshot, nothing_published
from scoring.store.reading import Reading
from scoring.store.recent_list import RECENT_EVENTS
from scoring.store.recent_record import unpack_recent
from scoring.store.records import ALIAS, CustomerRecord, alias_record, alias_target
from scoring.store.watch import NOBODY as WATCHED_BY_NOBODY
from scoring.store.watch import Watch
from scoring.store.wire import Wire, pack

Command = tuple[bytes, ...]
# HGET of a record and ZRANGE of recent events, as they travel
_OWN = (
    b"*3\r\n$4\r\nHGET\r\n$%%d\r\n%%b\r\n$%d\r\n%%b\r\n"
    b"*5\r\n$6\r\nZRANGE\r\n$%%d\r\n%%b\r\n$1\r\n0\r\n$2\r\n%d\r\n$3\r\nREV\r\n"
) % (HASH_BYTES, RECENT_EVENTS - 1)
_ALIAS = bytes([ALIAS])
_LAST = str(RECENT_EVENTS - 1).encode()


class _Asked(NamedTuple):
    """Whose data: the ``customer`` of this hash (None: nobody's). ``own``: most likely the
    customer's own id, and not a device's or another alias."""

    customer: bytes | None
    own: bool = True


class _Raw(NamedTuple):
    """The answers of one round trip; ``pointer`` was read after ``record``."""

    record: bytes | None
    recent: list[bytes]
    pointer: bytes | None
    live: bytes | None
    customer: bytes | None  # whose these are: another one behind a device or an alias
    carried: bool
    sent: tuple[float, ...]


class Reader:
    """Reads one workspace. ``secret`` keys the customer hashes; ``workspace_dir`` holds
    fallback.json and the files that processes share. Every read raises StoreUnavailable if there
    is no usable answer in time. ``sends``: how many messages sent are read along (0 where there is
    no fatigue cap)."""

    def __init__(
        self,
        client: Client,
        workspace: str,
        secret: bytes,
        workspace_dir: Path | None = None,
        *,
        breaker: Breaker | None = None,
        watch: Watch = WATCHED_BY_NOBODY,
        wire: Wire | None = None,
        sends: int = 0,
    ) -> None:
        self._sends = sends
        self._wire = wire or Wire(client, watch=watch)
        self._workspace = workspace
        self._secret = secret
        self._keys = Keys(workspace)
        self._newest = (b"MGET", self._keys.pointer.encode(), self._keys.live.encode())
        self._newest_packed = pack(*self._newest)
        self._breaker = breaker or Breaker()
        self._fallback = FallbackFile(workspace_dir) if workspace_dir else None
        self._following = Following(
            client, self._keys, workspace_dir and workspace_dir / "published", watch
        )

    @property
    def loading(self) -> bool:
        """Whether a new snapshot is being loaded, for which calls may wait a little."""
        return self._following.loading

    @property
    def away(self) -> bool:
        """Whether the store failed, and was not there again since."""
        return not self._breaker.closed

    @property
    def behind_s(self) -> float:
        """For how long live changes of items have been known but not had, in seconds."""
        return self._following.behind_s

    def hash_of(self, customer: str) -> bytes:
        """The pseudonym under which Redis (and a landing link) knows the customer, 12 bytes."""
        return customer_hash(self._secret, self._workspace, customer)

    def read(self, customer: str | bytes | None = None, carry: Command | None = None) -> Reading:
        """Everything for one content call. ``customer`` is an external id, ``kind:identifier``, or
        a hash, as landing links hold one; None reads the snapshot alone. ``carry``: a command that
        travels along; that it failed fails nothing else."""
        if customer is None or isinstance(customer, bytes):
            return self._guarded(_Asked(customer, own=False), carry)
        kind, separator, _ = customer.partition(":")
        own = not (separator and kind in IDENTIFIER_KINDS)
        return self._guarded(_Asked(self.hash_of(customer), own), carry)

    def _guarded(self, asked: _Asked, carry: Command | None) -> Reading:
        if not self._breaker.allow():
            raise StoreUnavailable("open", "Redis failed less than half a second ago")
        try:
            reading = self._read(asked, carry)
        except redis.TimeoutError as problem:
            self._breaker.failure()
            raise StoreUnavailable("timeout", str(problem)) from problem
        except (redis.ConnectionError, RedisClusterException, OSError) as problem:
            self._breaker.failure()
            raise StoreUnavailable("connection", str(problem)) from problem
        except RecordError as problem:
            self._breaker.success()  # it answers
            raise StoreUnavailable("rubbish", str(problem)) from problem
        except StoreUnavailable:
            self._breaker.success()  # likewise: that nothing is published, or not loaded yet
            raise
        except redis.RedisError as problem:
            raise StoreUnavailable("error", str(problem)) from problem
        self._breaker.success()
        return reading

    def published(self) -> PublishedSnapshot:
        """The snapshot that readers see now."""
        return self.read().published

    def fallback(self) -> PublishedSnapshot:
        """The best that is known without Redis: the snapshot this process saw last, else the
        popular items on disk; never raises."""
        latest = self._following.latest
        if latest is not None:
            return latest
        return self._fallback.read() if self._fallback else nothing_published()

    def _read(self, asked: _Asked, carry: Command | None) -> Reading:
        if asked.own and carry is None and not self._sends and self._wire.one_server:
            reading = self._at_once(asked.customer)
            if reading is not None:
                return reading
        published, raw = self._consistent(asked, carry)
        carried = raw.carried
        target = alias_target(raw.record) if raw.record is not None else None
        if target is not None:  # ids that were merged, or a cluster
            earlier = raw.recent
            published, raw = self._consistent(_Asked(target), None)
            recent = sorted([*earlier, *raw.recent], key=_at, reverse=True)
            raw = raw._replace(recent=recent)
        record = None
        if raw.record is not None and alias_target(raw.record) is None:
            record = CustomerRecord(raw.record, published.widths)
        events = tuple(map(unpack_recent, raw.recent)) if raw.recent else ()
        return Reading(published, raw.customer, record, events, sent=raw.sent, carried=carried)

    def _at_once(self, customer: bytes | None) -> Reading | None:
        """What nearly all calls of a campaign are, in few steps: a customer's own id, and the
        snapshot that this process holds. None for everything else, which goes the long way."""
        following = self._following
        published = following.latest
        if published is None or customer is None:
            return None
        records, events = self._keys.record_and_recent(published.generation, customer)
        request = _OWN % (len(records), records, customer, len(events), events)
        answers = self._wire.send(request + self._newest_packed, 3)
        record, recent, newest = answers
        if type(newest) is not list or type(recent) is not list:
            return None
        if not following.holds(published, *newest):
            return None
        if record is None:
            known = None
        elif type(record) is bytes and not record.startswith(_ALIAS):
            known = CustomerRecord(record, published.widths)
        else:
            return None
        events_of = tuple([unpack_recent(each) for each in recent]) if recent else ()
        return Reading(published, customer, known, events_of)

    def _consistent(self, asked: _Asked, carry: Command | None) -> tuple[PublishedSnapshot, _Raw]:
        """A record and the snapshot it belongs to. A record found under a generation belongs to
        it for good; one not found counts only while the pointer still names that generation."""
        following = self._following
        published = following.latest
        raw = self._fetch(published, asked, carry)
        for _attempt in range(2):
            if raw.pointer is None:
                raise StoreUnavailable("no_snapshot", "nothing is published")
            if published is not None and following.is_current(raw.pointer, published):
                return following.with_live(published, raw.live), raw
            newer = following.follow(Pointer.unpack(raw.pointer).generation)
            if newer is None or newer is published:
                break
            published = newer
            raw = self._fetch(published, asked, None)._replace(carried=raw.carried)
        if published is not None and (
            raw.record is not None or asked.customer is None or self._still_serves(published)
        ):
            return following.with_live(published, raw.live), raw
        raise StoreUnavailable("loading", "the snapshot is being loaded")

    def _still_serves(self, published: PublishedSnapshot) -> bool:
        """Whether who is not found in it is not known: no newer one can be loaded, and its records
        are in the store."""
        if not self._following.failed:
            return False
        meta = self._keys.meta(published.generation).encode()
        return bool(_checked(self._wire.ask([(b"EXISTS", meta)])[0]))

    def _fetch(
        self, published: PublishedSnapshot | None, asked: _Asked, carry: Command | None
    ) -> _Raw:
        generation = published.generation if published is not None else ""
        questions, understand = self._questions(asked, generation)
        commands = [carry, *questions, self._newest] if carry else [*questions, self._newest]
        answers = self._wire.ask(commands)
        carried = carry is not None and not isinstance(answers.pop(0), redis.RedisError)
        pointer, live = _checked(answers[-1])
        person = understand(answers) if asked.customer is not None else _NOBODY
        customer = person.customer or None
        return _Raw(person.record, person.recent, pointer, live, customer, carried, person.sent)

    def _questions(
        self, asked: _Asked, generation: str
    ) -> tuple[list[Command], Callable[[list[Any]], Person]]:
        """The commands about a person, and what makes a person of their answers."""
        customer, keys = asked.customer, self._keys
        if customer is None:
            return [], lambda _answers: _NOBODY
        if not asked.own and self._wire.one_server:
            command = self._person_command(generation, customer)
            return [_packed(command)], lambda answers: self._person(
                answers[0], generation, customer
            )
        records, recent = keys.record_and_recent(generation, customer)
        commands: list[Command] = [
            (b"HGET", records, customer),
            (b"ZRANGE", recent, b"0", _LAST, b"REV"),
        ]
        if asked.own:
            if self._sends:
                commands.append(_packed(sent_command(keys, customer, self._sends)))
            return commands, lambda answers: _own(customer, *map(_checked, answers[:-1]))
        commands.append((b"GET", keys.alias(customer).encode()))
        return commands, lambda answers: _linked(customer, *map(_checked, answers[:3]))

    def _person_command(
        self, generation: str, customer: bytes, *, load: bool = False
    ) -> tuple[Any, ...]:
        return person_command(
            self._keys, generation, customer, RECENT_EVENTS, sends=self._sends, load=load
        )

    def _person(self, answer: Any, generation: str, customer: bytes) -> Person:
        """A server that was started anew does not know the script yet."""
        if isinstance(answer, redis.RedisError) and str(answer).startswith("NOSCRIPT"):
            command = self._person_command(generation, customer, load=True)
            (answer,) = self._wire.ask([_packed(command)])
        return parse_person(_checked(answer))


_NOBODY = Person(b"", None, [])


def _own(customer: bytes, record: Any, recent: Any, sent: Any = ()) -> Person:
    return Person(customer, record, recent, parse_sent(sent) if sent else ())


def _linked(customer: bytes, record: Any, recent: Any, link: bytes | None) -> Person:
    """A live link counts before the snapshot's; an empty one says whose it is not."""
    if link is None:
        return Person(customer, record, recent)
    owner, _ = unpack_link(link)
    if owner == NOBODY:
        is_alias = record is not None and alias_target(record) is not None
        return Person(customer, None if is_alias else record, recent)
    return Person(customer, alias_record(owner), recent)


def _checked(answer: Any) -> Any:
    if isinstance(answer, redis.RedisError):
        raise answer
    return answer


def _packed(command: tuple[Any, ...]) -> Command:
    return tuple(each if isinstance(each, bytes) else str(each).encode() for each in command)


def _at(raw: bytes) -> Any:
    return unpack_recent(raw).at_s
