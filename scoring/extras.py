"""What a night tells of each customer beside scores, as columns of the snapshot's scores."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scoring import columns as c
from scoring.behaviour import Behaviour
from scoring.bought import Out
from scoring.replenishment import Due
from scoring.store.bought_record import MOST_BOUGHT

_INDEXES = pa.uint32()


def score_columns(
    customers: pa.Table, behaviour: Behaviour, due: Due, today: int
) -> Mapping[str, pa.Array]:
    """Time zone, consent, due and watched items and messages of all ``customers`` (Identity's, in
    the order of the history). ``today``: days since 1970."""
    count = len(customers)
    night = pc.unique(customers[c.NIGHT_CONSENT]).to_pylist()
    words = pa.array([_consent(text) for text in night], pa.string())
    told = pc.index_in(customers[c.NIGHT_CONSENT], value_set=pa.array(night, pa.string()))
    days = np.maximum(due.due_in + today, 0)
    watched, sent = behaviour.watched, behaviour.sent
    due_starts = _starts(due.customer, count)
    watched_starts = _starts(watched["customer"].to_numpy(), count)
    sent_starts = _starts(sent["customer"].to_numpy(), count)
    return {
        c.TIMEZONE: _zones(customers[c.TIMEZONE].cast(pa.string()).combine_chunks()),
        c.AD_CONSENT: customers[c.AD_CONSENT].cast(pa.bool_()).combine_chunks(),
        c.NIGHT_CONSENT: words.take(told.combine_chunks()),
        c.DUE_INDEX: _lists(due_starts, due.item),
        c.DUE_DAY: _lists(due_starts, days),
        c.DUE_INTERVAL: _lists(due_starts, due.interval),
        c.WATCHED_INDEX: _lists(watched_starts, watched["item"].to_numpy()),
        c.WATCHED_EVENT: _lists(watched_starts, watched["event"].to_numpy()),
        c.WATCHED_DAY: _lists(watched_starts, watched["day"].to_numpy()),
        c.WATCHED_PRICE: pa.ListArray.from_arrays(
            watched_starts, watched["price"].combine_chunks()
        ),
        c.SENT_CHANNEL: pa.ListArray.from_arrays(sent_starts, sent["channel"].combine_chunks()),
        c.SENT_DAY: _lists(sent_starts, sent["day"].to_numpy()),
    }


def bought_columns(out: Out, count: int) -> Mapping[str, pa.Array]:
    """What each of ``count`` customers bought and does not need again yet, last purchase first, at
    most MOST_BOUGHT of them."""
    customer, item = np.divmod(out.pair, max(out.n_items, 1))
    order = np.lexsort((item, -out.hour, customer))
    place = np.arange(len(order)) - np.searchsorted(customer, customer)[order]
    kept = order[place < MOST_BOUGHT]
    starts = _starts(customer[kept], count)
    return {
        c.BOUGHT_INDEX: _lists(starts, item[kept]),
        c.BOUGHT_UNTIL: _lists(starts, out.until[kept]),
    }


def _zones(names: pa.Array) -> pa.Array:
    """Null for what is no time zone."""
    known = sorted(set(pc.unique(names).to_pylist()) & zoneinfo.available_timezones())
    there = pc.is_in(names, value_set=pa.array(known, pa.string()))
    return pc.if_else(there, names, pa.scalar(None, pa.string()))


def _consent(text: str | None) -> str | None:
    """The channels with a yes or no, sorted; None if there is none."""
    try:
        document = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return None
    known = {
        channel: word
        for channel, word in (document.items() if isinstance(document, dict) else ())
        if isinstance(word, bool)
    }
    return orjson.dumps(known, option=orjson.OPT_SORT_KEYS).decode() if known else None


def _starts(customer: NDArray, count: int) -> pa.Array:
    """Offsets of each customer's rows, which are ordered by customer."""
    return pa.array(np.searchsorted(customer, np.arange(count + 1)), pa.int32())


def _lists(starts: pa.Array, values: NDArray) -> pa.ListArray:
    return pa.ListArray.from_arrays(starts, pa.array(values.astype(np.uint32), _INDEXES))
