"""What customers bought and do not need again yet: out of every list until it is due.

The same rule holds at send time (plugin.content.known): for as many days after the purchase as the
item usually lasts, for content.exclude_bought_days at least.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.history import BOUGHT, History, starts
from scoring.models import Ints

_HOURS_A_DAY = 24


class Out(NamedTuple):
    """Items that are out at a cut-off, ordered by customer and item, each pair once. ``pair``:
    int64, customer * n_items + item; ``hour``: int32, of the last purchase; ``until``: int32, days
    since 1970 (UTC): from that day on it may be shown again."""

    pair: NDArray[np.int64]
    hour: Ints
    until: Ints
    n_items: int

    def holds(self, customer: Ints, item: Ints) -> NDArray[np.bool_]:
        """bool[n]: the item of each pair is out for that customer."""
        key = customer.astype(np.int64) * self.n_items + item
        if not len(self.pair):
            return np.zeros(len(key), dtype=bool)
        at = np.minimum(np.searchsorted(self.pair, key), len(self.pair) - 1)
        return np.asarray(self.pair[at] == key)


def out(
    history: History, cutoff: int, repeat_days: NDArray[np.uint16], exclude_bought_days: int
) -> Out:
    """What is out at ``cutoff`` (hours). ``repeat_days``: uint16[n_items], of
    scoring.replenishment; 0: not known, which leaves ``exclude_bought_days``."""
    days = np.maximum(repeat_days.astype(np.int32), exclude_bought_days)
    # the cut-off was rounded up to an hour: one more, so that no day is cut short
    start = cutoff - _HOURS_A_DAY * int(days.max(initial=0)) - 1
    customer, item, hour = history.select(BOUGHT, start=start, end=cutoff)
    lasts = np.where(item >= 0, days[item], 0) if len(days) else np.zeros(len(item), np.int32)
    still = (lasts > 0) & (hour >= cutoff - _HOURS_A_DAY * lasts - 1)
    customer, item, hour = customer[still], item[still], hour[still]
    n_items = history.catalogue.n_items
    pair = customer.astype(np.int64) * n_items + item
    order = np.lexsort((-hour, pair))
    last = order[starts(pair[order])]
    # whole days, so that few bytes tell it: the one on which it comes back is not shown in
    until = hour[last] // _HOURS_A_DAY + 1 + lasts[still][last]
    return Out(pair[last], hour[last], until.astype(np.int32), n_items)
