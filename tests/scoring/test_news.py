"""What is new, back or cheaper: told by dates, by nights before, and never made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scoring import columns as c
from scoring import news
from scoring.history import BOUGHT, History
from scoring.news import Before, day_of
from scoring.snapshot_schema import conform
from tests.scoring.histories import make

NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
TODAY = day_of(NOW)


def item(item_id: str, **more: Any) -> dict[str, Any]:
    told = {c.ITEM_ID: item_id, c.SELLABLE: True, "list_price": None, "listed": True}
    return {**told, c.AVAILABLE_FROM: None, **more}


def table(rows: list[dict[str, Any]]) -> pa.Table:
    types = {
        "list_price": pa.float64(), c.AVAILABLE_FROM: pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    return pa.table({
        name: pa.array([row[name] for row in rows], types.get(name)) for name in rows[0]
    })  # fmt: skip


def history(sales: dict[int, list[int]], n_items: int, days: int = 300) -> History:
    """Purchases of items by days ago; something else happened ``days`` ago."""
    rows = [(0, item, 24 * (TODAY - ago) + 1, BOUGHT) for item in sales for ago in sales[item]]
    rows.append((0, -1, 24 * (TODAY - days), BOUGHT))
    return make(rows, customers=1, items=n_items)


def told(
    rows: list[dict[str, Any]], before: Before | None = None, sales: dict | None = None
) -> list[dict[str, Any]]:
    items = table(rows)
    past = history(sales or {}, len(rows))
    columns = news.item_columns(items, past, before, NOW)
    return pa.table(columns).to_pylist()


def night(rows: list[dict[str, Any]], days_ago: int = 1, before: Before | None = None) -> Before:
    """The same as the snapshot of some days ago has it."""
    items, moment = table(rows), NOW - timedelta(days=days_ago)
    columns = news.item_columns(items, history({}, len(rows)), before, moment)
    for name, column in columns.items():
        items = items.append_column(name, column)
    names = (c.NAME, c.BRAND, c.CATEGORY, c.PRICE, c.MARGIN, c.URL, c.IMAGE_URL)
    for name in names:
        items = items.append_column(name, pa.nulls(len(rows)))
    return Before(conform("items", items), day_of(moment))


def test_a_stated_date_is_when_an_item_is_new() -> None:
    since = NOW - timedelta(days=5)
    assert told([item("tea", available_from=since)])[0][c.NEW_SINCE] == TODAY - 5


def test_the_first_night_does_not_know_since_when_items_are_there() -> None:
    assert told([item("tea")])[0][c.NEW_SINCE] == 0


def test_an_item_that_the_night_before_did_not_see_is_new_since_today_and_stays_so() -> None:
    rows = [item(f"old-{number}") for number in range(9)]
    first = night(rows, days_ago=2)
    second = night([*rows, item("tea")], days_ago=1, before=first)
    assert [row[c.NEW_SINCE] for row in told([*rows, item("tea")], second)] == [*[0] * 9, TODAY - 1]


def test_a_whole_catalogue_that_appears_at_once_is_not_news() -> None:
    rows = [item(f"old-{number}") for number in range(9)]
    appeared = [item(f"new-{number}") for number in range(9)]
    found = told([*rows, *appeared], night(rows))
    assert {row[c.NEW_SINCE] for row in found} == {0}


def test_many_sales_at_once_after_long_silence_tell_a_new_item() -> None:
    rows = [item("often"), item("rare")]
    found = told(rows, sales={0: [9, 8, 7, 5], 1: [9]})
    assert [row[c.NEW_SINCE] for row in found] == [TODAY - 9, 0]


def test_a_higher_list_price_of_two_weeks_is_the_price_before() -> None:
    before = night([item("tea", list_price=12.0), item("mug", list_price=4.0)])
    found = told([item("tea", list_price=10.0), item("mug", list_price=5.0)], before)
    assert [row[c.PRICE_BEFORE] for row in found] == [12.0, None]


def test_the_highest_price_of_the_last_two_weeks_counts_and_then_the_next() -> None:
    def after(days: int) -> float | None:
        first = night([item("tea", list_price=12.0)], days_ago=days)
        second = night([item("tea", list_price=11.0)], days_ago=days - 5, before=first)
        third = night([item("tea", list_price=10.0)], days_ago=days - 6, before=second)
        found: float | None = told([item("tea", list_price=10.0)], third)[0][c.PRICE_BEFORE]
        return found

    assert [after(10), after(14), after(17), after(20)] == [12.0, 12.0, 11.0, None]


def test_a_price_that_is_only_what_was_paid_never_drops() -> None:
    before = night([item("tea", list_price=None)])
    assert told([item("tea", list_price=2.0)], before)[0][c.PRICE_BEFORE] is None
    before = night([item("tea", list_price=2.0)])
    assert told([item("tea", list_price=None)], before)[0][c.PRICE_BEFORE] is None


def test_what_was_sold_out_and_can_be_sold_is_back() -> None:
    gone, there = item("tea", sellable=False), item("tea")
    first = night([gone], days_ago=3)
    assert told([there], first)[0][c.BACK_SINCE] == TODAY
    second = night([there], days_ago=2, before=first)
    assert told([there], second)[0][c.BACK_SINCE] == TODAY - 2
    assert told([gone], second)[0][c.BACK_SINCE] == 0


def test_what_was_not_available_yet_is_new_and_not_back() -> None:
    coming = item("tea", sellable=False, available_from=NOW)
    found = told([item("tea", available_from=NOW)], night([coming]))
    assert (found[0][c.BACK_SINCE], found[0][c.NEW_SINCE]) == (0, TODAY)


def test_a_snapshot_of_before_tells_no_news_of_an_item_it_lacks() -> None:
    found = told([item("tea", sellable=False), item("mug")], night([item("mug")]))
    assert pc.sum(pa.array([row[c.BACK_SINCE] for row in found])).as_py() == 0
