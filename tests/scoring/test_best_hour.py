"""The best hour: a customer's own, drawn to the shop's, never in quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.best_hour import (
    HOURS,
    UNIT,
    UNKNOWN,
    Counts,
    Smoothing,
    around_the_clock,
    best,
    best_hours,
    counts,
    outside,
)
from scoring.identity import resolve
from scoring.lake import Lake
from settings.workspace import SendSettings
from tests.scoring.shop import event_table, workspace

NOW = datetime(2026, 3, 10, tzinfo=UTC)
ALL_DAY = np.ones(HOURS, dtype=bool)
SHARP = Smoothing(prior_sessions=2.0, concentration=None)


def table(*customers: dict[int, float]) -> Counts:
    """Sessions by hour."""
    made = np.zeros((len(customers), HOURS), dtype=np.uint16)
    for row, sessions in enumerate(customers):
        for hour, number in sessions.items():
            made[row, hour] = round(number * UNIT)
    return made


def test_the_posterior_by_hand() -> None:
    """The shop has 2, 4 and 6 of its 12 sessions at 8, 12 and 20, worth 1/3, 2/3 and 1 of prior:
    the second has 2.33, 2.67 and 1, the third 1, 0 and 1 and the prior's choice."""
    shop = table({20: 5}, {8: 1, 12: 4}, {8: 1, 20: 1})
    assert best(shop, ALL_DAY, SHARP).tolist() == [20, 12, 20]


def test_little_evidence_gets_the_shop_s_hour_and_much_its_own() -> None:
    others = [{19: 10}] * 20
    found = best(table(*others, {9: 1}, {9: 3}), ALL_DAY, SHARP)
    assert found[-2:].tolist() == [19, 9]


def test_hours_beside_each_other_are_evidence_for_each_other() -> None:
    customer = {9: 1, 10: 1, 11: 1, 18: 1.5}
    assert best(table(customer), ALL_DAY, SHARP).tolist() == [18]
    assert best(table(customer), ALL_DAY, Smoothing(2.0, 6.0)).tolist() == [10]


def test_midnight_has_neighbours_on_both_sides() -> None:
    customer = {23: 1, 0: 1, 1: 1, 12: 1.5}
    assert best(table(customer), ALL_DAY, Smoothing(2.0, 6.0)).tolist() == [0]


def test_the_kernel_keeps_the_sum_and_falls_on_both_sides_alike() -> None:
    one = np.zeros((1, HOURS))
    one[0, 3] = 4.0
    smooth = around_the_clock(one, 6.0)[0]
    assert smooth.sum() == pytest.approx(4.0)
    np.testing.assert_allclose(np.roll(smooth, -3)[1:], np.roll(smooth, -3)[:0:-1])
    assert smooth[3] > smooth[2] > smooth[1]
    # the density of von Mises: exp(kappa cos 15°) / exp(kappa)
    assert smooth[4] / smooth[3] == pytest.approx(np.exp(6 * (np.cos(np.pi / 12) - 1)))


def test_of_equal_hours_the_earliest_is_taken() -> None:
    assert best(table({18: 1, 7: 1, 12: 1}), ALL_DAY, SHARP).tolist() == [7]


def test_the_best_outside_of_quiet_hours_is_taken() -> None:
    customer = table({22: 5, 7: 3, 20: 2, 12: 1})
    assert best(customer, outside("21:00-08:00"), SHARP).tolist() == [20]
    assert best(customer, outside(None), SHARP).tolist() == [22]


@pytest.mark.parametrize(
    ("quiet", "hours"),
    [
        ("21:00-08:00", range(8, 21)),
        ("20:50-08:00", range(8, 20)),
        ("21:00-08:01", range(9, 21)),
        ("00:00-06:00", range(6, 24)),
        ("12:15-12:20", [*range(12), *range(13, 24)]),
        ("09:00-09:00", range(24)),
        (None, range(24)),
    ],
)
def test_an_hour_is_outside_if_no_minute_of_it_is_quiet(quiet: str | None, hours: Any) -> None:
    assert np.flatnonzero(outside(quiet)).tolist() == list(hours)


def test_who_was_never_seen_has_none_and_nobody_has_one_if_no_hour_is_left() -> None:
    shop = table({20: 5}, {})
    assert best(shop, ALL_DAY, SHARP).tolist() == [20, UNKNOWN]
    assert best(shop, outside("00:30-23:30"), SHARP).tolist() == [UNKNOWN] * 2
    assert best(table({}, {}), ALL_DAY, SHARP).tolist() == [UNKNOWN] * 2
    assert len(best(table(), ALL_DAY, SHARP)) == 0


def test_blocks_of_customers_are_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(1)
    shop = chance.integers(0, 3 * UNIT, (50, HOURS)).astype(np.uint16)
    whole = best(shop, outside("21:00-08:00"), Smoothing())
    monkeypatch.setattr("scoring.best_hour._BLOCK", 7)
    np.testing.assert_array_equal(best(shop, outside("21:00-08:00"), Smoothing()), whole)


HOUR = st.integers(0, HOURS - 1)
CUSTOMER = st.dictionaries(HOUR, st.integers(1, 90), max_size=6)
QUIET = st.none() | st.builds("{:02d}:00-{:02d}:30".format, HOUR, HOUR)


@given(st.lists(CUSTOMER, min_size=1, max_size=6), QUIET, st.permutations(range(6)))
def test_an_hour_is_allowed_known_only_with_evidence_and_nobody_s_place_matters(
    customers: list[dict[int, int]], quiet: str | None, order: list[int]
) -> None:
    shop, allowed = table(*customers), outside(quiet)
    found = best(shop, allowed, Smoothing())
    assert ((found != UNKNOWN) == (shop.any(axis=1) & allowed.any())).all()
    assert allowed[found[found != UNKNOWN]].all()
    shuffled = [each for each in order if each < len(customers)]
    np.testing.assert_array_equal(best(shop[shuffled], allowed, Smoothing()), found[shuffled])


@given(st.lists(CUSTOMER, min_size=1, max_size=6), HOUR)
def test_a_day_that_begins_later_has_its_best_hour_so_much_later(
    customers: list[dict[int, int]], later: int
) -> None:
    """But for ties, which the clock breaks."""
    shop = table(*customers)
    density = around_the_clock(shop / UNIT + 5 * shop.sum(axis=0) / max(shop.sum(), 1), 6.0)
    two = np.sort(density, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 1e-6
    moved = best(np.roll(shop, later, axis=1), ALL_DAY, Smoothing())
    expected = (best(shop, ALL_DAY, Smoothing()) + later) % HOURS
    clear &= shop.any(axis=1)
    np.testing.assert_array_equal(moved[clear], expected[clear])


# from events


def event(days_ago: float, hour: float, who: str = "kim", event_type: str = "view") -> dict:
    at = NOW - timedelta(days=days_ago) + timedelta(hours=hour, minutes=7)
    number = f"{days_ago}-{hour}-{who}-{event_type}"
    told = {"event_id": number, "occurred_at": at, "event_type": event_type}
    return {**told, "identifier": who}


def filled(folder: Path, *events: dict) -> Lake:
    lake = Lake(folder / "lake")
    lake.append_events(event_table(*events), batch="events")
    return lake


def found(lake: Lake, **settings: Any) -> list[int]:
    people = resolve(lake.events(before=NOW), lake.customers())
    return best_hours(lake, people, workspace(Path(), **settings), NOW).tolist()


def test_counts_fade_by_half_in_sixty_days_and_end_after_ninety(tmp_path: Path) -> None:
    events = event(1, 10), event(60, 12), event(61, 13, event_type="open"), event(92, 14)
    lake = filled(tmp_path, *events)
    people = resolve(lake.events(before=NOW), lake.customers())
    row = counts(lake, people, workspace(Path()), NOW)[0]
    expected = {10: UNIT * 0.5 ** (1 / 60), 12: UNIT / 2, 13: 2 * UNIT * 0.5 ** (61 / 60)}
    assert {hour: row[hour] for hour in np.flatnonzero(row).tolist()} == {
        hour: round(value) for hour, value in expected.items()
    }


def test_ninety_days_of_opens_in_one_hour_fit(tmp_path: Path) -> None:
    lake = filled(tmp_path, *(event(day, 10, event_type="open") for day in range(1, 91)))
    people = resolve(lake.events(before=NOW), lake.customers())
    row = counts(lake, people, workspace(Path()), NOW, half_life_days=1e9)[0]
    assert row[10] == 90 * 2 * UNIT


def test_customers_get_their_hours_in_order_in_the_workspace_s_zone(tmp_path: Path) -> None:
    early = [event(day, 1, "ada") for day in range(1, 15)]
    late = [event(day, 10, "lee") for day in range(1, 15)]
    lake = filled(tmp_path, *late, *early, event(100, 10, "kim"))
    assert found(lake, timezone="Asia/Seoul") == [10, UNKNOWN, 19]


def test_at_night_the_nearest_of_the_allowed_hours(tmp_path: Path) -> None:
    lake = filled(tmp_path, *(event(day, 23) for day in range(1, 15)))
    assert found(lake) == [20]
    assert found(lake, send=SendSettings(quiet_hours=None)) == [23]


def test_of_dates_alone_no_hour_is_known(tmp_path: Path) -> None:
    dates = [{**event(day, 0), "occurred_at": NOW - timedelta(days=day)} for day in range(1, 15)]
    assert found(filled(tmp_path, *dates), send=SendSettings(quiet_hours=None)) == [UNKNOWN]


def test_what_happens_after_the_night_s_moment_does_not_count(tmp_path: Path) -> None:
    later = [event(-day, 15) for day in range(1, 15)]
    assert found(filled(tmp_path, event(1, 10), *later)) == [10]


def test_an_empty_lake_has_nobody(tmp_path: Path) -> None:
    assert found(Lake(tmp_path / "lake")) == []
