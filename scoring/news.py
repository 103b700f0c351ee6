"""What changed about items: new ones, prices before, what can be sold again.

The lake holds items as they are now. What they were is told by the nights before: the items of a
snapshot carry list prices of the last PRICE_DAYS and since when an item is known, and each night
takes them over from the newest snapshot before it. So nothing is known of the time before the first
night, and nothing of changes between two nights. Prices paid are no list prices (they hold coupons
and discounts of the customer) and are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scoring import columns as c
from scoring.fitted import Fitted
from scoring.history import BOUGHT, History
from settings.memory import BACK_DAYS, NEW_DAYS

PRICE_DAYS = 14
ARRIVALS = 300
# of the items known before: more at once are another catalogue read in, not news
MOST_NEW_SHARE = 0.2
CHANCE = 1e-3  # that an item so sold was there before and nobody bought it
JUDGES = 500  # customers whose mean probability orders the arrivals

Days = NDArray[np.int32]


@dataclass(frozen=True)
class Before:
    """The snapshot before: its items, and the day on which it saw them (days since 1970)."""

    items: pa.Table
    day: int


def day_of(moment: datetime) -> int:
    """Days since 1970-01-01 (UTC)."""
    return int(moment.timestamp()) // 86_400


def item_columns(
    items: pa.Table, history: History, before: Before | None, now: datetime
) -> dict[str, pa.Array]:
    """new_since, price_before, back_since, past_price and past_price_day, by row of ``items`` (as
    features.item_table gives them, the catalogue of ``history``)."""
    today = day_of(now)
    was = _rows_before(items, before)
    since = _new_since(items, history, before, was, today)
    prices, days = _past_prices(items, before, was, today)
    highest = [max(past[1:], default=None) for past in prices]
    return {
        c.NEW_SINCE: pa.array(since, pa.int32()),
        c.PRICE_BEFORE: pa.array(highest, pa.float64()),
        c.BACK_SINCE: pa.array(_back_since(items, before, was, today), pa.int32()),
        c.PAST_PRICE: pa.array(prices, pa.list_(pa.float64())),
        c.PAST_PRICE_DAY: pa.array(days, pa.list_(pa.uint32())),
    }


def arrivals(
    history: History, fitted: Fitted, new_since: Days, today: int, rng: np.random.Generator
) -> pa.Table:
    """item_index and score of the ARRIVALS new items that can be sold and that a random customer
    most probably buys, best first.

    The probability is the night's: of an item without a sale that of the stacker for such items,
    which judges by brand, category, price, text and who looked at it.
    """
    new = (new_since > today - NEW_DAYS) & (new_since <= today) & history.catalogue.sellable
    found = np.flatnonzero(new).astype(np.int32)
    count = min(JUDGES, history.n_customers)
    judges = np.sort(rng.choice(history.n_customers, count, replace=False)).astype(np.int32)
    score = np.zeros(len(found), dtype=np.float32)
    if len(found) and count:
        pairs = np.tile(judges, len(found)), np.repeat(found, count)
        score = fitted.probability("item", *pairs).reshape(len(found), count).mean(axis=1)
    best = np.lexsort((found, -score))[:ARRIVALS]
    return pa.table(
        {
            c.ITEM_INDEX: pa.array(found[best], pa.uint32()),
            "score": pa.array(score[best], pa.float32()),
        }
    )


def _rows_before(items: pa.Table, before: Before | None) -> NDArray[np.int64]:
    """int64[n_items]: each item's row in the snapshot before, -1 where it was not there."""
    if before is None:
        return np.full(len(items), -1)
    row = pc.index_in(items[c.ITEM_ID], value_set=before.items[c.ITEM_ID])
    return np.asarray(pc.fill_null(row, -1).to_numpy()).astype(np.int64)


def _of_before(before: Before | None, was: NDArray[np.int64], column: str) -> NDArray:
    """The column as it was, 0 (False) for items that were not there."""
    if before is None:
        return np.zeros(len(was), np.int64)
    values = before.items[column].to_numpy(zero_copy_only=False)
    return np.where(was >= 0, values[was], values.dtype.type(0)) if len(values) else was * 0


def _new_since(
    items: pa.Table,
    history: History,
    before: Before | None,
    was: NDArray[np.int64],
    today: int,
) -> Days:
    """available_from; else the night that saw it first in a catalogue that it was not in before;
    else the day of its first event, if it cannot well have been there before."""
    stated = items[c.AVAILABLE_FROM].cast(pa.int64()).to_numpy(zero_copy_only=False)
    stated = np.nan_to_num(stated / 86_400e6, nan=0.0).astype(np.int64)
    since = np.where(was >= 0, _of_before(before, was, c.NEW_SINCE), _first_sold(history))
    appeared = (was < 0) & items["listed"].to_numpy(zero_copy_only=False)
    if before is not None and appeared.sum() <= MOST_NEW_SHARE * len(before.items):
        since = np.where(appeared, today, since)
    return np.where(stated > 0, stated, since).astype(np.int32)


def _first_sold(history: History) -> Days:
    """Day of the first event, where so many sales since then would hardly leave none in all the
    time before (at a constant rate, the chance is the share of the time to the power of sales);
    else 0."""
    known = history.item >= 0
    if not known.any():
        return np.zeros(history.catalogue.n_items, dtype=np.int32)
    size = history.catalogue.n_items
    first = np.full(size, np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(first, history.item[known], history.hour[known])
    sold = known & (history.kind == BOUGHT)
    sales = np.bincount(history.item[sold], minlength=size)
    begin, end = int(history.hour.min()), int(history.hour.max()) + 1
    share = (end - np.minimum(first, end)) / max(end - begin, 1)
    sure = (sales > 0) & (share**sales < CHANCE)
    return np.where(sure, first // 24, 0).astype(np.int32)


def _back_since(items: pa.Table, before: Before | None, was: NDArray[np.int64], today: int) -> Days:
    """Today if the night before could not sell it though it was available then, else what that
    night said, for BACK_DAYS; 0 for what cannot be sold."""
    if before is None:
        return np.zeros(len(items), dtype=np.int32)
    sellable = items[c.SELLABLE].to_numpy(zero_copy_only=False)
    could = _of_before(before, was, c.SELLABLE).astype(bool)
    available = _of_before(before, was, c.NEW_SINCE) <= before.day
    known = _of_before(before, was, c.BACK_SINCE)
    since = np.where(~could & available & (was >= 0), today, known)
    return np.where(sellable & (since > today - BACK_DAYS), since, 0).astype(np.int32)


def _past_prices(
    items: pa.Table, before: Before | None, was: NDArray[np.int64], today: int
) -> tuple[list[list[float]], list[list[int]]]:
    """List prices and the last day on which each was seen: today's, then those higher than every
    later one, newest first. An item without a list price has none."""
    now = items["list_price"].to_pylist()
    prices = [[] if price is None else [price] for price in now]
    days = [[] if price is None else [today] for price in now]
    if before is None:
        return prices, days
    old_prices = before.items[c.PAST_PRICE].to_pylist()
    old_days = before.items[c.PAST_PRICE_DAY].to_pylist()
    for row, old in enumerate(was.tolist()):
        if old < 0 or not prices[row]:
            continue
        for price, day in zip(old_prices[old], old_days[old], strict=True):
            if price > prices[row][-1] and day >= today - PRICE_DAYS:
                prices[row].append(price)
                days[row].append(day)
    return prices, days
