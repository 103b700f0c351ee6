"""Items as they are now: the newest word counts, and whoever asks learns what changed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scoring.store.client import Client
from scoring.store.errors import RecordError
from scoring.store.keys import Keys
from scoring.store.live import LiveItem, changes, drop, remember
from tests.conftest import WORKSPACE

KEYS = Keys(WORKSPACE)
NOON_S = 1_512_388_800.0


def say(client: Client, item_id: str = "item-01", at_s: float = NOON_S, **facts: Any) -> None:
    remember(client, KEYS, [(item_id, facts, at_s)], NOON_S)


def test_nothing_was_said_about_any_item(redis_client: Client) -> None:
    assert changes(redis_client, KEYS, 0) == (0, {}, False)


def test_who_asks_learns_what_changed_since(redis_client: Client) -> None:
    say(redis_client, "item-01", stock=0)
    seen, found, _ = changes(redis_client, KEYS, 0)
    assert found == {"item-01": LiveItem(0, None, None, NOON_S)}
    assert changes(redis_client, KEYS, seen) == (seen, {}, False)
    say(redis_client, "item-02", price=4.99, sellable=False)
    later, found, _ = changes(redis_client, KEYS, seen)
    assert later > seen
    assert found == {"item-02": LiveItem(None, 4.99, False, NOON_S)}


def test_what_is_said_adds_to_what_was_said(redis_client: Client) -> None:
    say(redis_client, stock=3)
    say(redis_client, at_s=NOON_S + 5, price=2.5)
    assert changes(redis_client, KEYS, 0).items == {
        "item-01": LiveItem(3, 2.5, None, NOON_S + 5, NOON_S)
    }


def test_late_news_does_not_undo_newer_news(redis_client: Client) -> None:
    say(redis_client, stock=0, at_s=NOON_S + 60)
    say(redis_client, stock=9, price=1.0)
    assert changes(redis_client, KEYS, 0).items == {"item-01": LiveItem(0, 1.0, None, NOON_S + 60)}


def test_the_same_again_is_no_change(redis_client: Client) -> None:
    say(redis_client, stock=3, at_s=NOON_S + 0.123456)
    seen, _, _ = changes(redis_client, KEYS, 0)
    say(redis_client, stock=3, at_s=NOON_S + 0.123456)
    say(redis_client, stock=3, at_s=NOON_S + 9)
    assert changes(redis_client, KEYS, seen) == (seen, {}, False)


def test_more_items_than_a_script_takes(redis_client: Client) -> None:
    items = [(f"item-{n}", {"stock": n}, NOON_S) for n in range(1500)]
    remember(redis_client, KEYS, items, NOON_S)
    found = changes(redis_client, KEYS, 0).items
    assert {name: live.stock for name, live in found.items()} == {
        f"item-{n}": n for n in range(1500)
    }


def test_a_store_that_began_anew_tells_everything(redis_client: Client) -> None:
    say(redis_client, "item-01", stock=1)
    found = {"item-01": LiveItem(1, None, None, NOON_S, NOON_S)}
    assert changes(redis_client, KEYS, 70) == (1, found, True)


def test_what_the_snapshot_knows_is_dropped(redis_client: Client) -> None:
    say(redis_client, "old", stock=1)
    count, _, _ = changes(redis_client, KEYS, 0)
    say(redis_client, "not in the lake yet", stock=1)
    remember(redis_client, KEYS, [("late", {"stock": 1}, NOON_S)], NOON_S + 100)
    assert drop(redis_client, KEYS, up_to=count, got_before_s=NOON_S + 50) == 1
    assert drop(redis_client, KEYS, up_to=99, got_before_s=NOON_S) == 0
    told = changes(redis_client, KEYS, count)
    assert told.whole  # whoever has seen the old one forgets it
    assert set(told.items) == {"not in the lake yet", "late"}
    assert changes(redis_client, KEYS, told.counter) == (told.counter, {}, False)
    assert set(changes(redis_client, KEYS, 0).items) == {"not in the lake yet", "late"}


def test_what_is_withdrawn_stays_until_it_is_on_sale_again(redis_client: Client) -> None:
    say(redis_client, sellable=False)
    assert drop(redis_client, KEYS, up_to=9, got_before_s=NOON_S + 1) == 0
    say(redis_client, sellable=True, at_s=NOON_S + 1)
    assert drop(redis_client, KEYS, up_to=9, got_before_s=NOON_S + 1) == 1


def test_what_can_be_sold_again_is_so_since_then(redis_client: Client) -> None:
    """Whatever is said of it afterwards."""
    told = [({"stock": 0}, None), ({"stock": 9}, 1), ({"stock": 8}, 1), ({"price": 2.0}, 1)]
    told += [({"sellable": False}, None), ({"stock": 7}, None), ({"sellable": True}, 6)]
    for minute, (facts, back) in enumerate(told):
        say(redis_client, at_s=NOON_S + 60 * minute, **facts)
        live = changes(redis_client, KEYS, 0).items["item-01"]
        assert live.back_s == (None if back is None else NOON_S + 60 * back), facts
        assert live.was_out == (back is not None)


def test_what_was_never_out_came_from_nowhere(redis_client: Client) -> None:
    say(redis_client, price=2.0)
    say(redis_client, at_s=NOON_S + 5, stock=3)
    say(redis_client, at_s=NOON_S + 9, sellable=True)
    live = changes(redis_client, KEYS, 0).items["item-01"]
    assert (live.back_s, live.was_out) == (NOON_S + 5, False)


def test_a_late_word_moves_no_moment(redis_client: Client) -> None:
    say(redis_client, stock=0)
    say(redis_client, at_s=NOON_S + 60, stock=9)
    say(redis_client, at_s=NOON_S + 30, stock=0)
    assert changes(redis_client, KEYS, 0).items["item-01"].back_s == NOON_S + 60


def test_entries_from_before_are_read_and_get_a_moment(redis_client: Client) -> None:
    old = orjson.dumps({"stock": [4, NOON_S], "price": [2.0, NOON_S + 7], "got": NOON_S})
    redis_client.hset(KEYS.live_items, "item-01", old)
    redis_client.zadd(KEYS.live_order, {"item-01": 1})
    found = changes(redis_client, KEYS, 0).items
    assert found == {"item-01": LiveItem(4, 2.0, None, NOON_S + 7)}
    say(redis_client, at_s=NOON_S + 9, stock=3)
    assert changes(redis_client, KEYS, 0).items["item-01"].back_s == NOON_S


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
            st.fixed_dictionaries(
                {},
                optional={
                    "stock": st.integers(0, 10**9),
                    "price": st.integers(0, 10**10).map(lambda cents: cents / 100),
                    "sellable": st.booleans(),
                },
            ),
        ),
        max_size=8,
    )
)
def test_the_last_word_of_equal_moments_counts(
    redis_client: Client, told: list[tuple[str, dict[str, Any]]]
) -> None:
    redis_client.flushall()
    expected: dict[str, dict[str, Any]] = {}
    for item_id, facts in told:
        remember(redis_client, KEYS, [(item_id, facts, NOON_S)], NOON_S)
        expected.setdefault(item_id, {}).update(facts)
    found = changes(redis_client, KEYS, 0).items
    for item_id, facts in expected.items():
        live = found.get(item_id, LiveItem(None, None, None, 0.0))
        assert (live.stock, live.price, live.sellable) == (
            facts.get("stock"), facts.get("price"), facts.get("sellable"),
        )  # fmt: skip


def test_bad_input_rubbish_in_the_store_is_left_out(redis_client: Client) -> None:
    say(redis_client, "good", stock=1)
    for name, raw in (("a", b"{"), ("b", b"[]"), ("c", b'{"stock": ["x", 1]}'), ("d", b"null")):
        redis_client.hset(KEYS.live_items, name, raw)
        redis_client.zadd(KEYS.live_order, {name: 1})
    assert set(changes(redis_client, KEYS, 0).items) == {"good"}
    say(redis_client, "a", stock=7)
    assert set(changes(redis_client, KEYS, 0).items) == {"a", "good"}
    redis_client.set(KEYS.live, "many")
    with pytest.raises(RecordError, match="count of live items"):
        changes(redis_client, KEYS, 0)


def test_bad_input_an_id_that_is_no_text_costs_the_whole_call(redis_client: Client) -> None:
    with pytest.raises(RecordError, match="cannot be written"):
        remember(redis_client, KEYS, [("a", {}, 1.0), ("\ud800", {"stock": 1}, 1.0)], 1.0)
    assert changes(redis_client, KEYS, 0) == (0, {}, False)
