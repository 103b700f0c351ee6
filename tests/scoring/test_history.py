"""What customers did, as arrays: cut off sharply, counted in days, kept on disk whole."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scoring import history as histories
from scoring.history import BOUGHT, CLICKED, ENGAGED, LevelView, crossed, hour_of
from tests.scoring.histories import (
    CUTOFF,
    assert_same,
    bought,
    days_ago,
    empty,
    make,
    with_another_future,
)
from tests.shop import NOW_HOUR, history, make_shop

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
TRIPLES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 30)), max_size=60)


def view_of(triples: list[tuple[int, int, int]]) -> LevelView:
    columns = np.array(triples, dtype=np.int32).reshape(-1, 3).T
    return LevelView.of(columns[0], columns[1], columns[2], n_customers=5, n_targets=4)


def arrays_of_view(view: LevelView) -> dict[str, NDArray]:
    return {name: value for name, value in vars(view).items() if isinstance(value, np.ndarray)}


def by_pair(triples: list[tuple[int, int, int]]) -> dict[tuple[int, int], list[int]]:
    """The rule, spelled out: the distinct days of each pair, latest first."""
    days: dict[tuple[int, int], set[int]] = defaultdict(set)
    for customer, target, age in triples:
        days[customer, target].add(age)
    return {pair: sorted(days[pair]) for pair in sorted(days)}


@given(MOMENTS, st.integers(1, 10**12))
def test_every_event_before_a_moment_has_a_smaller_hour(moment: datetime, earlier_us: int) -> None:
    event = moment - timedelta(microseconds=earlier_us)
    assert int(event.timestamp() // 3600) < hour_of(moment)


def test_an_event_on_the_full_hour_is_not_before_it() -> None:
    assert hour_of(datetime(1970, 1, 1, 5, tzinfo=UTC)) == 5
    assert hour_of(datetime(1970, 1, 1, 5, 0, 0, 1, tzinfo=UTC)) == 6


@given(TRIPLES)
def test_a_view_counts_each_day_of_a_pair_once(triples: list[tuple[int, int, int]]) -> None:
    view, expected = view_of(triples), by_pair(triples)
    pairs = list(zip(view.pair_customer.tolist(), view.pair_target.tolist(), strict=True))
    assert pairs == list(expected)
    assert view.days.tolist() == [len(days) for days in expected.values()]
    for row, days in enumerate(expected.values()):
        part = slice(view.start[row], view.start[row + 1])
        assert view.age[part].tolist() == days
        assert set(view.customer[part]) == {pairs[row][0]}
        assert set(view.target[part]) == {pairs[row][1]}


@given(TRIPLES, st.floats(0.5, 200))
def test_a_day_one_half_life_ago_counts_half(
    triples: list[tuple[int, int, int]], half_life: float
) -> None:
    expected = [sum(2 ** (-day / half_life) for day in days) for days in by_pair(triples).values()]
    np.testing.assert_allclose(view_of(triples).decayed(half_life), expected, rtol=1e-5)


@given(TRIPLES, st.integers(0, 40))
def test_a_view_of_before_is_the_view_of_that_day(
    triples: list[tuple[int, int, int]], days: int
) -> None:
    rows = [(customer, item, days_ago(age), BOUGHT) for customer, item, age in triples]
    past = make(rows, customers=5, items=4, brand=[0, 1, 1, -1])
    for level in ("item", "brand"):
        then = past.view(level, CUTOFF).before(days)
        expected = past.view(level, CUTOFF - 24 * days)
        assert_same(arrays_of_view(then), arrays_of_view(expected))
        np.testing.assert_array_equal(then.days, expected.days)


@given(TRIPLES)
def test_find_gives_the_row_of_each_pair_and_minus_one_for_others(
    triples: list[tuple[int, int, int]],
) -> None:
    rows = {pair: row for row, pair in enumerate(by_pair(triples))}
    asked = [(customer, target) for customer in range(5) for target in range(4)]
    customer, target = np.array(asked, dtype=np.int32).T
    assert view_of(triples).find(customer, target).tolist() == [rows.get(p, -1) for p in asked]


def test_a_view_ends_at_its_cutoff() -> None:
    rows = [(0, 0, CUTOFF - 1, BOUGHT), (0, 0, CUTOFF, BOUGHT), (0, 1, CUTOFF + 5, BOUGHT)]
    view = make(rows, customers=1, items=2).view("item", CUTOFF)
    assert view.pair.tolist() == [0]
    assert view.age.tolist() == [0]


def test_ages_are_whole_days_before_the_cutoff() -> None:
    hours = (CUTOFF - 1, CUTOFF - 24, CUTOFF - 25)
    view = make([(0, 0, hour, BOUGHT) for hour in hours], customers=1, items=1).view("item", CUTOFF)
    assert view.age.tolist() == [0, 1]


def test_items_of_one_brand_on_one_day_are_one_day_of_the_brand() -> None:
    rows = [*bought(0, 0, 3), *bought(0, 1, 3), *bought(0, 1, 8)]
    view = make(rows, customers=1, items=2, brand=[0, 0]).view("brand", CUTOFF)
    assert view.days.tolist() == [2]


def test_an_item_without_category_or_an_event_without_item_belongs_to_no_category() -> None:
    rows = [*bought(0, 0, 1), *bought(1, 1, 1), *bought(1, -1, 2)]
    past = make(rows, customers=2, items=2, category=[0, -1])
    assert past.view("category", CUTOFF).pair_customer.tolist() == [0]
    assert past.visits(CUTOFF).days.tolist() == [1, 2]


def test_views_of_several_cutoffs_kinds_and_levels_do_not_mix() -> None:
    past = history(make_shop(customers=10, items=16, days=40))
    asked = [
        (level, cutoff, kind)
        for cutoff in (NOW_HOUR, NOW_HOUR - 200)
        for level in histories.LEVELS
        for kind in (BOUGHT, ENGAGED, CLICKED)
    ]
    for level, cutoff, kind in [*asked, *reversed(asked)]:
        of_item, size = past.catalogue.of_item[level], past.catalogue.size(level)
        expected = past.view_of(of_item, size, cutoff, kind)
        found = past.view(level, cutoff, kind)
        np.testing.assert_array_equal(found.pair, expected.pair)
        np.testing.assert_array_equal(found.age, expected.age)


def test_labels_are_of_the_window_alone() -> None:
    hours = (CUTOFF - 1, CUTOFF, CUTOFF + 23, CUTOFF + 24)
    rows = [(0, item, hour, BOUGHT) for item, hour in enumerate(hours)]
    rows += [(1, 1, CUTOFF, BOUGHT), (1, 1, CUTOFF + 2, BOUGHT), (1, 2, CUTOFF, ENGAGED)]
    past = make(rows, customers=2, items=4)
    labels = past.labels(past.catalogue.of_item["item"], 4, CUTOFF, CUTOFF + 24, BOUGHT)
    assert labels.tolist() == [1, 2, 5]


def test_a_customer_is_known_from_any_kind_of_event_before_the_cutoff() -> None:
    rows = [(0, 0, CUTOFF - 1, CLICKED), (1, 0, CUTOFF, BOUGHT), (2, -1, CUTOFF - 9, ENGAGED)]
    known = make(rows, customers=4, items=1).known_customers(CUTOFF)
    assert known.tolist() == [True, False, True, False]


def test_another_future_changes_no_view() -> None:
    past = history(make_shop(customers=10, items=16, days=40), before=None)
    other = with_another_future(past, NOW_HOUR)
    assert len(other.hour) != len(past.hour)
    for level in histories.LEVELS:
        one, two = past.view(level, NOW_HOUR), other.view(level, NOW_HOUR)
        np.testing.assert_array_equal(one.pair, two.pair)
        np.testing.assert_array_equal(one.age, two.age)


def test_an_empty_history_has_empty_views() -> None:
    nothing = empty()
    view = nothing.view("item", CUTOFF)
    assert len(view.pair) == len(view.days) == len(view.decayed(7)) == 0
    assert view.find(np.array([0], np.int32), np.array([0], np.int32)).tolist() == [-1]
    assert not nothing.known_customers(CUTOFF).any()


def test_a_shop_without_brands_has_an_empty_brand_view() -> None:
    past = make(bought(0, 0, 1), customers=1, items=1)
    assert len(past.view("brand", CUTOFF).pair) == 0
    assert len(past.labels(past.catalogue.of_item["brand"], 0, 0, CUTOFF, BOUGHT)) == 0


def test_a_saved_history_comes_back_whole(tmp_path: Path) -> None:
    past = history(make_shop(customers=10, items=16, days=40))
    histories.save(past, tmp_path / "history")
    loaded = histories.load(tmp_path / "history")
    for name in ("customers", "customer", "item", "hour", "kind", "profile_names",
                 "profile_customer", "profile_feature"):  # fmt: skip
        np.testing.assert_array_equal(getattr(loaded, name), getattr(past, name))
    for level in histories.LEVELS:
        one, two = loaded.catalogue, past.catalogue
        np.testing.assert_array_equal(one.names[level], two.names[level])
        np.testing.assert_array_equal(one.of_item[level], two.of_item[level])
    np.testing.assert_array_equal(loaded.catalogue.sellable, past.catalogue.sellable)


def test_what_items_are_is_kept_with_them_and_no_file_tells_of_nothing(tmp_path: Path) -> None:
    past = history(make_shop(customers=10, items=24, days=40))
    histories.save(past, tmp_path / "told")
    loaded = histories.load(tmp_path / "told").catalogue
    for name in ("content", "content_centres", "content_kind", "name_kind"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(past.catalogue, name))
    histories.save(empty(), tmp_path / "untold")
    assert not list((tmp_path / "untold").glob("content*"))
    assert histories.load(tmp_path / "untold").catalogue.content.size == 0


def test_an_empty_history_can_be_saved(tmp_path: Path) -> None:
    histories.save(make([], customers=0, items=0), tmp_path)
    assert histories.load(tmp_path).n_customers == 0


def test_bad_input_a_history_with_a_missing_file_is_an_error(tmp_path: Path) -> None:
    histories.save(empty(), tmp_path)
    (tmp_path / "hour.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"hour\.npy"):
        histories.load(tmp_path)


def test_bad_input_a_history_that_was_cut_short_is_an_error(tmp_path: Path) -> None:
    histories.save(make(bought(0, 0, 1, 2, 3), customers=1, items=1), tmp_path)
    whole = (tmp_path / "hour.npy").read_bytes()
    (tmp_path / "hour.npy").write_bytes(whole[:-4])
    with pytest.raises(ValueError, match="fully written"):
        histories.load(tmp_path)


def test_bad_input_a_pickle_in_a_history_is_refused(tmp_path: Path) -> None:
    histories.save(empty(), tmp_path)
    np.save(tmp_path / "hour.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        histories.load(tmp_path)


def test_days_ago_is_what_the_tests_take_it_for() -> None:
    view = make([(0, 0, days_ago(7), BOUGHT)], customers=1, items=1).view("item", CUTOFF)
    assert view.age.tolist() == [7]


def test_two_groupings_crossed_number_the_pairs_that_occur() -> None:
    one = np.array([0, 0, 5, 5, -1, 0], dtype=np.int32)
    other = np.array([2, 0, 2, 2, 1, -1], dtype=np.int32)
    assert crossed(one, other).tolist() == [1, 0, 2, 2, -1, -1]


def test_bad_input_groupings_without_a_group_have_no_pairs() -> None:
    none = np.full(2, -1, dtype=np.int32)
    assert crossed(none, none).tolist() == crossed(none, np.arange(2, dtype=np.int32)).tolist()
    assert crossed(none[:0], none[:0]).shape == (0,)
