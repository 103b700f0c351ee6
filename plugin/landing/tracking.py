"""Opens and clicks of landing pages, on their way to the events of their customers.

A request only puts a tap into memory. A thread of the process notes taps in the store, waits until
all workers have noted theirs, judges them (plugin.landing.robots) and queues them as events. While
the store is away taps wait; more than MOST_WAITING are lost and counted. Nothing here delays or
fails a page.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import orjson
import redis
from redis.exceptions import RedisClusterException

from plugin import logs
from plugin.landing.robots import PREFETCH, judged
from plugin.landing.token import Landing
from scoring import columns as c
from scoring.store.errors import RecordError
from scoring.store.recent import RecentEvents
from scoring.store.taps import PAGE_BYTES, NotedTap, Taps

MOST_WAITING = 10_000
TICK_S = 0.5
SETTLED_S = 2.0  # a burst lasts one second, a worker notes twice a second
ONE_VISIT_S = 1800  # what is opened or followed again within half an hour is one event
_TROUBLE = (redis.RedisError, RedisClusterException, OSError)


class Shown(NamedTuple):
    """Where a tap was made: ``decision``: id of what the page showed, 32 hex digits or empty;
    ``position``: the item's place on it, from 1."""

    decision: str
    position: int | None = None


class Tap(NamedTuple):
    """``item``: id of the item whose link was followed, empty for the page itself; ``at_s``: Unix
    time by the workspace's clock; ``sign``: what the request betrays, one of robots.SIGNS."""

    landing: Landing
    item: str
    shown: Shown
    at_s: float
    sign: str | None

    @property
    def page(self) -> bytes:
        text = repr(self.landing).encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=PAGE_BYTES).digest()

    def noted(self) -> NotedTap:
        return NotedTap(self.page, self.item, round(self.at_s * 1000))


class Place(NamedTuple):
    """Where the taps of one workspace go."""

    taps: Taps
    recent: RecentEvents


class Counts(Protocol):
    """What is counted: each ``open`` and ``click``, and those that were lost."""

    def landing(self, event: str, *, robot: bool) -> None: ...
    def landing_lost(self, count: int) -> None: ...


class Tracker:
    """One a process, shared by its threads. ``clock`` counts seconds, never backwards."""

    def __init__(
        self,
        places: Mapping[str, Place],
        counts: Counts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = places
        self._counts = counts
        self._clock = clock
        self._fresh: deque[Tap] = deque()
        self._noted: deque[tuple[float, Tap]] = deque()
        self._flushing = threading.Lock()
        self._starting = threading.Lock()
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, tap: Tap) -> None:
        """Takes a tap of a customer; some microseconds."""
        if len(self._fresh) + len(self._noted) >= MOST_WAITING:
            self._counts.landing_lost(1)
            return
        self._fresh.append(tap)
        if self._thread is None:
            self._start()
        self._awake.set()

    def _start(self) -> None:
        """A thread of this process carries the taps away: not before there are any, for web workers
        are forked."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="taps", daemon=True)
                self._thread.start()
                atexit.register(self.flush, at_once=True)

    def flush(self, *, at_once: bool = False) -> None:
        """Carries on what can be carried on now; ``at_once`` judges all taps by what is known."""
        with self._flushing:
            try:
                self._note()
                self._settle(float("inf") if at_once else self._clock() - SETTLED_S)
            except _TROUBLE:
                return  # they wait

    def _run(self) -> None:
        while True:
            self._awake.wait()
            time.sleep(TICK_S)
            self._awake.clear()
            try:
                self.flush()
            except Exception:  # noqa: BLE001  the thread must outlive what one flush meets
                logs.seldom("background work failed", reason="taps", exc_info=True)
            if self._fresh or self._noted:
                self._awake.set()

    def _note(self) -> None:
        """Noted taps leave the queue after the store has them."""
        while self._fresh:
            taps = list(self._fresh)
            for workspace, place in self._places.items():
                mine = [tap for tap in taps if tap.landing.workspace == workspace]
                seen = [tap for tap in mine if _says_something(tap)]
                place.taps.note([(tap.landing.customer, tap.noted()) for tap in seen])
            now = self._clock()
            for _ in taps:
                self._noted.append((now, self._fresh.popleft()))

    def _settle(self, until: float) -> None:
        """Taps noted by ``until`` become events."""
        due = [tap for noted_at, tap in self._noted if noted_at <= until]
        for workspace, place in self._places.items():
            self._remember(place, [tap for tap in due if tap.landing.workspace == workspace])
        for _ in due:
            self._noted.popleft()

    def _remember(self, place: Place, taps: Sequence[Tap]) -> None:
        if not taps:
            return
        noted = place.taps.of(sorted({tap.landing.customer for tap in taps}))
        told = [_judged(tap, noted[tap.landing.customer]) for tap in taps]
        try:
            place.recent.remember([event(tap) for tap in told])
        except RecordError:
            self._counts.landing_lost(len(told))
            return
        for tap in told:
            self._counts.landing("click" if tap.item else "open", robot=tap.sign is not None)


def event(tap: Tap) -> dict[str, Any]:
    """The canonical event of a judged tap. The same again within ONE_VISIT_S has the same id."""
    automated = tap.sign is not None
    if tap.item:
        kind = c.AUTOMATED_CLICK if automated else c.CLICK
    else:
        kind = c.AUTOMATED_OPEN if automated else c.OPEN
    properties = {
        "source": "landing",
        "decision_id": tap.landing.decision.hex() or None,
        "page_decision_id": tap.shown.decision or None,
        "position": tap.shown.position,
        "automated": tap.sign,
    }
    known = {name: value for name, value in properties.items() if value is not None}
    row: dict[str, Any] = dict.fromkeys(c.EVENT_COLUMNS)
    return row | {
        c.EVENT_ID: _event_id(tap, kind),
        c.OCCURRED_AT: datetime.fromtimestamp(tap.at_s, UTC),
        c.IDENTIFIER: tap.landing.customer.hex(),
        c.IDENTIFIER_KIND: c.CUSTOMER_HASH,
        c.EVENT_TYPE: kind,
        c.ITEM_ID: tap.item or None,
        c.CAMPAIGN_ID: tap.landing.campaign or None,
        c.CHANNEL: tap.landing.channel or None,
        c.PROPERTIES: orjson.dumps(known, option=orjson.OPT_SORT_KEYS).decode(),
    }


def _event_id(tap: Tap, kind: str) -> str:
    visit = int(tap.at_s // ONE_VISIT_S)
    text = "\x1f".join((repr(tap.landing), kind, tap.item, str(visit)))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _judged(tap: Tap, noted: Sequence[NotedTap]) -> Tap:
    if tap.sign is not None:
        return tap
    page = tap.page
    mine = [each for each in noted if each.page == page]
    return tap._replace(sign=judged(tap.item, round(tap.at_s * 1000), mine))


def _says_something(tap: Tap) -> bool:
    """Of the taps beside it. A page that was prefetched is open, one that a program read is not;
    a link that was prefetched is not followed, one that a program read is."""
    if tap.sign is None:
        return True
    return tap.sign != PREFETCH if tap.item else tap.sign == PREFETCH
