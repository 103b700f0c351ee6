"""What the gate lets through, and the sentence with which it does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from scoring import columns as c
from scoring import gate
from scoring.snapshot import SnapshotMeta
from scoring.snapshot_schema import SnapshotTables
from settings.workspace import GateSettings
from tests import factories

SETTINGS = GateSettings(max_quality_drop_share=0.1, min_coverage_share=0.95)


def before(customers: int = 40, **lifts: float | None) -> SnapshotMeta:
    return SnapshotMeta(
        "yesterday", "shop", factories.CUTOFF, factories.CUTOFF, 7,
        customers=customers, quality={"lift@20": lifts},
    )  # fmt: skip


def quality(**lifts: float | None) -> dict:
    return {"lift@20": lifts}


def with_column(tables: SnapshotTables, name: str, column: pa.Array) -> SnapshotTables:
    at = tables.scores.column_names.index(name)
    return replace(tables, scores=tables.scores.set_column(at, name, column))


# quality


@pytest.mark.parametrize(
    ("now", "was"),
    [(3.0, 3.0), (3.5, 3.0), (2.71, 3.0), (2.7, 3.0)],
    ids=["same", "better", "a little worse", "just as much worse as allowed"],
)
def test_quality_that_is_good_enough(now, was) -> None:
    assert gate.quality_problem(quality(item=now), before(item=was), SETTINGS) is None


def test_the_first_night_has_nothing_to_be_compared_with() -> None:
    assert gate.quality_problem(quality(item=0.1), None, SETTINGS) is None


def test_worse_quality_is_told_with_level_numbers_and_setting() -> None:
    told = gate.quality_problem(
        quality(item=3.0, category=2.0), before(item=3.0, category=3.0), SETTINGS
    )
    assert told == (
        "lift@20 of category fell from 3.00 to 2.00, below 2.70 (gate.max_quality_drop_share 0.1) "
        "and by more than chance explains (0.00)"
    )


def test_a_more_patient_gate_lets_it_through() -> None:
    patient = replace(SETTINGS, max_quality_drop_share=0.5)
    assert gate.quality_problem(quality(item=2.0), before(item=3.0), patient) is None


def measured(lift: float | None, error: float | None, targets: int = 60) -> dict:
    return {
        "lift@20": {"item": lift},
        "lift@20_error": {"item": error},
        "targets": {"item": targets},
    }


def after(**quality: object) -> SnapshotMeta:
    return replace(before(), quality=quality)


@pytest.mark.parametrize(
    ("error", "refused"), [(0.4, False), (0.05, True), (None, True)], ids=["tiny", "large", "old"]
)
def test_a_drop_that_chance_explains_is_none(error, refused) -> None:
    """A few targets' mean moves by a fifth from night to night; that of many does not."""
    told = gate.quality_problem(measured(2.4, error), after(**measured(3.0, error)), SETTINGS)
    assert (told is not None) is refused


def test_a_model_that_knows_nothing_is_refused_in_a_tiny_shop_too() -> None:
    told = gate.quality_problem(measured(1.0, 0.1), after(**measured(3.0, 0.4, 4)), SETTINGS)
    assert told is not None and "more than chance explains (0.81)" in told


def test_what_was_not_measured_yesterday_is_not_compared() -> None:
    assert gate.quality_problem(quality(item=3.0), before(item=None), SETTINGS) is None
    assert gate.quality_problem(quality(item=3.0), before(), SETTINGS) is None


TOO_FEW = {"left_out": {"item": "no item was bought by 20 known customers in the window"}}
GONE = {"left_out": {"item": "the catalogue has no item"}, "missing": ["item"]}


def test_bad_input_a_level_that_cannot_be_measured_any_more_stops_the_night() -> None:
    told = gate.quality_problem(TOO_FEW, after(**measured(3.0, 0.1)), SETTINGS)
    assert told == (
        "item was measured for the snapshot before (lift@20 3.00) and cannot be tonight: no item "
        "was bought by 20 known customers in the window; check the sources, or set "
        "gate.max_quality_drop_share to 1 for one night if that is meant"
    )


def test_bad_input_a_level_that_left_the_catalogue_stops_the_night() -> None:
    told = gate.quality_problem(GONE, after(**measured(3.0, 0.4, 2)), SETTINGS)
    assert told is not None and "the catalogue has no item" in told


def test_bad_input_a_figure_that_is_none_tonight_stops_the_night() -> None:
    told = gate.quality_problem(quality(item=None), before(item=3.0), SETTINGS)
    assert told is not None and "no target has a figure" in told


def test_a_tiny_shop_may_have_a_week_without_well_sold_targets() -> None:
    assert gate.quality_problem(TOO_FEW, after(**measured(3.0, 0.4, 2)), SETTINGS) is None


def test_a_gate_that_allows_everything_does() -> None:
    open_gate = replace(SETTINGS, max_quality_drop_share=1.0)
    for tonight in (GONE, measured(0.1, 0.0)):
        assert gate.quality_problem(tonight, after(**measured(3.0, 0.1)), open_gate) is None


# scores


def test_good_scores_pass() -> None:
    assert gate.scores_problem(factories.tables(), before(40), SETTINGS) is None
    assert gate.scores_problem(factories.tables(customers=38), before(40), SETTINGS) is None


def test_lower_coverage_is_told_with_both_counts() -> None:
    told = gate.scores_problem(factories.tables(customers=37), before(40), SETTINGS)
    assert told == ("only 37 customers were scored after 40 before (gate.min_coverage_share 0.95)")


@pytest.mark.parametrize("rubbish", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", [c.PURCHASE_PROBABILITY, c.EXPECTED_PURCHASES])
def test_bad_input_a_number_that_is_none_stops_the_night(name, rubbish) -> None:
    tables = factories.tables()
    values = tables.scores[name].to_numpy().copy()
    values[7] = rubbish
    told = gate.scores_problem(with_column(tables, name, pa.array(values)), None, SETTINGS)
    assert told == f"{name} holds numbers that are not finite"


@pytest.mark.parametrize("name", [c.ITEM_PROBABILITY, c.BRAND_PROBABILITY, c.CATEGORY_PROBABILITY])
def test_bad_input_nan_within_one_customers_list_stops_the_night(name) -> None:
    tables = factories.tables()
    lists = tables.scores[name].to_pylist()
    lists[3][0] = float("nan")
    told = gate.scores_problem(with_column(tables, name, pa.array(lists)), None, SETTINGS)
    assert told == f"{name} holds numbers that are not finite"


def test_bad_input_a_missing_number_stops_the_night() -> None:
    tables = factories.tables()
    values = tables.scores[c.PURCHASE_PROBABILITY].to_pylist()
    values[0] = None
    column = pa.array(values, pa.float32())
    told = gate.scores_problem(with_column(tables, c.PURCHASE_PROBABILITY, column), None, SETTINGS)
    assert told == "purchase_probability holds numbers that are not finite"


def test_bad_input_nobody_scored_stops_the_night() -> None:
    tables = factories.tables()
    told = gate.scores_problem(replace(tables, scores=tables.scores.slice(0, 0)), None, SETTINGS)
    assert told is not None and "no customer was scored" in told


def test_bad_input_nothing_to_recommend_stops_the_night() -> None:
    tables = factories.tables()
    empty = replace(tables, popular=tables.popular.slice(0, 0))
    told = gate.scores_problem(empty, None, SETTINGS)
    assert told is not None and "nothing to recommend: check stock" in told
