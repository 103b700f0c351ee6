"""How often a key may call: a flood of one client must not cost the others their answers.

Content fails open: counted in this process alone, and who is over it gets the prepared non-personal
answer (``reason`` rate_limited), never an error, which a messaging tool would hold against the
host. Events are counted in the process, too, but refused with 429: their sender keeps them and
comes again. Administration fails closed: counted in the store for all web processes together, and
refused with 503 while the store cannot count.

The pace of a key is kept as one number, the generic cell rate algorithm of ITU-T I.371: the moment
at which the calls so far would be over, had they come at the allowed rate. Threads may race for it
and then count one call for two, which a limit of this kind can bear and a lock would not be worth.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil
from typing import Any

from plugin.presence import Presence
from scoring.store.keys import Keys
from settings.workspace import LimitSettings

BURST_S = 2.0  # what a key may spend at once, in seconds of its rate
WINDOW_S = 60  # administration is counted by the clock's minute


class Pace:
    """At most ``per_s`` calls a second for each key, ``BURST_S`` seconds' worth of them at once.

    None: any number. Only keys that were verified may be asked about: each is remembered.
    """

    def __init__(self, per_s: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._each_s = 1.0 / per_s if per_s else 0.0
        self._clock = clock
        self._over_at: dict[str, float] = {}

    def allow(self, key_id: str) -> bool:
        """Whether this call is within the rate; counts it if it is."""
        now = self._clock()
        over_at = self._over_at.get(key_id, now)
        if over_at > now + BURST_S:
            return False
        self._over_at[key_id] = (over_at if over_at > now else now) + self._each_s
        return True

    def wait_s(self, key_id: str) -> int:
        """0 when this call is within the rate, which counts it; else whole seconds to wait."""
        if self.allow(key_id):
            return 0
        return max(1, ceil(self._over_at[key_id] - BURST_S - self._clock()))


class Limits:
    """The limits of the installation as one web process keeps them."""

    def __init__(
        self,
        settings: LimitSettings,
        presence: Presence,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        content = Pace(settings.content_per_s, clock=clock)
        events = Pace(settings.events_per_s, clock=clock)
        # called for every message that goes out: bound once, not looked up through two objects
        self.allow = content.allow
        self.events_wait_s = events.wait_s
        self._administration = settings.administration_per_minute
        self._presence = presence
        self._wall_clock = wall_clock

    def administration_wait_s(self, workspace: str, key_id: str) -> int:
        """0 when this call is within the rate, else whole seconds until the next minute.

        Raises StoreUnavailable when the store cannot count it: then it must not happen.
        """
        now = int(self._wall_clock())
        name = Keys(workspace).limit(key_id, now // WINDOW_S)

        def count(client: Any) -> int:
            pipe = client.pipeline(transaction=False)
            pipe.incr(name)
            pipe.expire(name, 2 * WINDOW_S)
            return int(pipe.execute()[0])

        if self._presence.ask(count) <= self._administration:
            return 0
        return WINDOW_S - now % WINDOW_S
