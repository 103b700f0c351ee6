"""Nothing that happens from the cut-off on changes what is said of it: no feature, no candidate, no
probability, no list.

Only events move. What is listed in the catalogue, and who is a customer, is known at the cut-off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from scoring import canonical, features, identity, training
from scoring.fitted import ANY, Fitted
from scoring.history import BOUGHT, CLICKED, ENGAGED, LEVELS, History, hour_of
from scoring.lake import Lake
from scoring.level import Level
from scoring.ranking import best, never_bought, recommendable
from tests import shop
from tests.scoring import histories
from tests.scoring.conftest import quick_trees, train
from tests.scoring.histories import Row, all_pairs, arrays_of, assert_same, level_of
from tests.shop import NOW, NOW_HOUR, make_shop, quick_models

WEEK = 7 * 24
GROUP = "group"  # a target made for the occasion
EVERY_LEVEL = (*LEVELS, ANY, GROUP)
Change = Callable[[History, int], History]


def truncated(past: History, cutoff: int) -> History:
    return histories.before(past, cutoff)


def replaced(past: History, cutoff: int) -> History:
    return histories.with_another_future(past, cutoff, events=2000)


def shuffled(past: History, cutoff: int) -> History:
    """Later events happen to others, with other items, at other times and are other deeds."""
    random = np.random.default_rng(11)
    later = np.flatnonzero(past.hour >= cutoff)
    columns: list[NDArray] = [past.customer, past.item, past.hour, past.kind]
    mixed = [column[random.permutation(later)].tolist() for column in columns]
    return histories.with_rows(truncated(past, cutoff), zip(*mixed, strict=True))


def sold_out_of_the_blue(past: History, cutoff: int) -> History:
    """Everyone, the silent included, buys, sees and clicks what never sold, at once."""
    items = past.catalogue.n_items
    never = np.setdiff1d(np.arange(items), past.item[past.hour < cutoff]).tolist()
    rows = [
        (customer, item, cutoff, kind)
        for customer in range(past.n_customers)
        for item in [*never, 0]
        for kind in (BOUGHT, ENGAGED, CLICKED)
    ]
    return histories.with_rows(past, rows)


every_change = pytest.mark.parametrize(
    "change", [truncated, replaced, shuffled, sold_out_of_the_blue]
)


@pytest.fixture(scope="module")
def past() -> History:
    """A shop with two weeks after NOW; its last items were never sold before."""
    whole = shop.history(make_shop(customers=50, items=26, days=60), before=None)
    quiet = (whole.item >= 20) & (whole.hour < NOW_HOUR)
    columns = (whole.customer, whole.item, whole.hour, whole.kind)
    rows = zip(*(column[~quiet].tolist() for column in columns), strict=True)
    return histories.with_rows(truncated(whole, 0), rows)


def level_at(past: History, name: str, cutoff: int) -> Level:
    if name != GROUP:
        return level_of(past, name, cutoff)
    of_item = np.where(past.catalogue.of_item["category"] == 2, 0, -1).astype(np.int32)
    return Level.fit_group(past, of_item, cutoff)


def told(level: Level) -> dict[str, NDArray]:
    """What a level says of random pairs, and whom it proposes."""
    random = np.random.default_rng(3)
    customer = random.integers(0, level.n_customers, 800).astype(np.int32)
    target = random.integers(0, level.n_targets, 800).astype(np.int32)
    proposed = level.candidates()
    return {
        "features": level.describe(customer, target),
        "customer": proposed[0],
        "target": proposed[1],
    }


def said(past: History, fitted: Fitted) -> dict[str, NDArray]:
    """Every probability and preference, and the ranked lists."""
    found: dict[str, NDArray] = {}
    for kind in fitted.judges:
        for name, level in fitted.levels.items():
            pairs = all_pairs(past, level.n_targets)
            found[f"{name}/{kind}"] = fitted.probability(name, *pairs, kind)
    found["preference"] = fitted.preference(*all_pairs(past, past.catalogue.n_items))
    pairs = recommendable(past, fitted, exclude_bought_days=2)
    found["new"] = never_bought(past, fitted.cutoff, *pairs)
    ranked = best(*pairs, fitted.preference(*pairs), past.n_customers, limit=10)
    found |= {f"ranked/{name}": array for name, array in vars(ranked).items()}
    return found


def test_the_changes_change_what_comes_and_leave_what_was(past: History) -> None:
    then = past.hour < NOW_HOUR
    assert not np.isin(np.arange(20, 26), past.item[then]).any()  # six items never sold
    assert np.isin(np.arange(22), past.item).all()  # two of which soon are
    for change in (truncated, replaced, shuffled, sold_out_of_the_blue):
        other = change(past, NOW_HOUR)
        for name in ("customer", "item", "hour", "kind"):
            one, two = getattr(past, name), getattr(other, name)
            assert one[then].tolist() == two[other.hour < NOW_HOUR].tolist()
        assert past.item[~then].tolist() != other.item[other.hour >= NOW_HOUR].tolist()


@every_change
@pytest.mark.parametrize("name", EVERY_LEVEL)
def test_no_feature_and_no_candidate_knows_the_future(
    name: str, change: Change, past: History
) -> None:
    one = level_at(past, name, NOW_HOUR)
    two = level_at(change(past, NOW_HOUR), name, NOW_HOUR)
    assert one.features == two.features
    assert_same(told(one), told(two))


@pytest.mark.parametrize("name", EVERY_LEVEL)
def test_yesterday_does_change_features(name: str, past: History) -> None:
    """So that the test above would see it."""
    news: list[Row] = [(c, 2, NOW_HOUR - 5, BOUGHT) for c in range(past.n_customers)]
    other = level_at(histories.with_rows(past, news), name, NOW_HOUR)
    one, two = told(level_at(past, name, NOW_HOUR))["features"], told(other)["features"]
    assert one.tobytes() != two.tobytes()


@pytest.fixture(scope="module")
def both(past: History) -> tuple[Fitted, Fitted]:
    return train(past)


@every_change
def test_no_score_of_tonight_knows_the_future(
    change: Change, past: History, both: tuple[Fitted, Fitted]
) -> None:
    other = change(past, NOW_HOUR)
    tonight, holdout = train(other)
    assert_same(arrays_of(tonight), arrays_of(both[0]))
    assert_same(arrays_of(holdout), arrays_of(both[1]))
    assert_same(said(other, tonight), said(past, both[0]))


@every_change
def test_the_holdout_knows_nothing_of_the_window_it_is_judged_by(
    change: Change, past: History, both: tuple[Fitted, Fitted]
) -> None:
    other = change(past, NOW_HOUR - WEEK)
    _, holdout = train(other)
    assert holdout.cutoff == NOW_HOUR - WEEK
    assert_same(arrays_of(holdout), arrays_of(both[1]))
    assert_same(said(other, holdout), said(past, both[1]))


def test_tonight_does_learn_from_the_window_that_the_holdout_is_judged_by(
    past: History, both: tuple[Fitted, Fitted]
) -> None:
    tonight, _ = train(shuffled(past, NOW_HOUR - WEEK))
    one, two = said(past, tonight)["item/0"], said(past, both[0])["item/0"]
    assert one.tobytes() != two.tobytes()


@pytest.mark.parametrize("horizon_days", [2, 28])
def test_any_horizon_is_learned_from_the_past_alone(horizon_days: int, past: History) -> None:
    models = quick_models(training_windows=3)
    found = []
    for other in (past, shuffled(past, NOW_HOUR), truncated(past, NOW_HOUR)):
        with quick_trees(5):
            fitted = training.fit(
                other, NOW_HOUR, horizon_days=horizon_days, levels=["item"], settings=models
            )
        found.append(arrays_of(fitted) | said(other, fitted))
    assert_same(found[0], found[1])
    assert_same(found[0], found[2])


def test_a_history_that_was_asked_about_later_days_tells_no_more_of_earlier_ones(
    past: History,
) -> None:
    """Views are kept from one question to the next."""
    asked = histories.replace(past)
    for cutoff in (NOW_HOUR + 2 * WEEK, NOW_HOUR):
        level_of(asked, "item", cutoff)
    again = told(level_of(asked, "item", NOW_HOUR - WEEK))
    assert_same(again, told(level_of(histories.replace(past), "item", NOW_HOUR - WEEK)))


def night(lake: Lake, now: datetime) -> tuple[History, dict[str, NDArray]]:
    """From the lake to what tonight says of items."""
    people = identity.resolve(lake.events(before=now), lake.customers())
    past = features.build(lake, people, features.item_table(lake, now), now)
    with quick_trees(5):
        models = quick_models(training_windows=2)
        fitted = training.fit(
            past, hour_of(now), horizon_days=7, levels=["item", ANY], settings=models
        )
    return past, arrays_of(fitted) | said(past, fitted)


def add(lake: Lake, name: str, events: Iterable[dict[str, object]]) -> None:
    rows = pa.Table.from_pylist(list(events), schema=canonical.schema(canonical.EVENTS))
    lake.append_events(rows, batch=name)


def later_events(made: shop.Shop, now: datetime) -> list[dict[str, object]]:
    """Known and unknown people buy known and unknown items at any price, from ``now`` on."""
    people = [*made.customers[:20], *(f"stranger-{n}" for n in range(5))]
    items = [*(item.item_id for item in made.items), "never-listed"]
    moments = [now, now + timedelta(seconds=1), now + timedelta(minutes=30), now + timedelta(2)]
    return [
        {
            "event_id": f"later-{number}",
            "occurred_at": moments[number % 4],
            "identifier": people[number % len(people)],
            "identifier_kind": "external_id" if number % 7 else "device_id",
            "event_type": ("purchase", "view", "click")[number % 3],
            "item_id": items[number % len(items)],
            "quantity": 1.0,
            "unit_price": 1000.0 + number,
        }
        for number in range(600)
    ]


@pytest.fixture(scope="module")
def made() -> shop.Shop:
    return make_shop(customers=30, items=24, days=50)


@pytest.mark.parametrize("minutes", [0, 20], ids=["on the hour", "within an hour"])
def test_a_lake_with_later_events_gives_the_same_history_and_the_same_scores(
    minutes: int, made: shop.Shop, tmp_path: Path
) -> None:
    now = NOW + timedelta(minutes=minutes)
    knowing, ignorant = Lake(tmp_path / "knowing"), Lake(tmp_path / "ignorant")
    shop.fill(knowing, made)
    add(knowing, "later", later_events(made, now))
    shop.fill(ignorant, made, before=now)
    (one, of_one), (two, of_two) = night(knowing, now), night(ignorant, now)
    assert_same(arrays_of_history(one), arrays_of_history(two))
    assert_same(of_one, of_two)


def test_items_that_only_later_events_name_do_not_exist_yet(
    made: shop.Shop, tmp_path: Path
) -> None:
    """A shop that lists no items: they come into being with their first sale."""
    lake = Lake(tmp_path / "lake")
    lake.append_events(shop.event_rows(made, before=NOW), batch="events")
    one = night(lake, NOW)
    add(lake, "later", later_events(made, NOW))
    two = night(lake, NOW)
    assert "never-listed" not in two[0].catalogue.names["item"]
    assert_same(arrays_of_history(one[0]), arrays_of_history(two[0]))
    assert_same(one[1], two[1])


def test_bad_input_a_lake_of_nothing_but_the_future_is_an_empty_shop(
    made: shop.Shop, tmp_path: Path
) -> None:
    lake = Lake(tmp_path / "lake")
    add(lake, "later", later_events(made, NOW))
    past, found = night(lake, NOW)
    assert (past.n_customers, past.catalogue.n_items, len(past.hour)) == (0, 0, 0)
    assert len(found["preference"]) == 0


def test_bad_input_events_without_a_past_make_every_customer_alike(past: History) -> None:
    """Before the first event nobody is told from anybody, however rich the future."""
    cutoff = int(past.hour.min())
    level = level_of(past, "item", cutoff)
    everything = level.describe(*all_pairs(past, past.catalogue.n_items))
    rows = everything.reshape(past.n_customers, -1)
    assert all(row.tobytes() == rows[0].tobytes() for row in rows)


def arrays_of_history(past: History) -> dict[str, NDArray]:
    catalogue = past.catalogue
    found = {name: value for name, value in vars(past).items() if isinstance(value, np.ndarray)}
    found |= {f"catalogue {n}": v for n, v in vars(catalogue).items() if isinstance(v, np.ndarray)}
    for level in LEVELS:
        found[f"names {level}"] = catalogue.names[level]
        found[f"of item {level}"] = catalogue.of_item[level]
    return found
