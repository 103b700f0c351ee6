"""Activity: how often somebody shops, and how widely."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.history import BOUGHT
from scoring.models.activity import Activity
from tests.scoring.histories import CUTOFF, bought, days_ago, make

ROWS = [*bought(0, 0, 2, 9), *bought(0, 1, 2), *bought(0, 2, 16), *bought(1, 0, 30)]


def row(customer: int) -> dict[str, float]:
    past = make(ROWS, customers=3, items=3)
    activity = Activity.fit(past.visits(CUTOFF), past.view("item", CUTOFF))
    out = activity.describe(np.array([customer], np.int32), np.array([2], np.int32))
    return dict(zip(activity.features, out[0].tolist(), strict=True))


def test_a_visit_is_a_day_whatever_was_in_the_basket() -> None:
    found = row(0)
    assert found["visit_days"] == 3
    assert found["visit_recency_days"] == 2
    assert found["visit_gap_days"] == 7
    assert found["visit_due"] == pytest.approx(3 / 7)


def test_breadth_is_how_many_targets_and_how_many_a_visit() -> None:
    found = row(0)
    assert found["breadth"] == 3
    assert found["targets_a_visit"] == pytest.approx(4 / 3)


def test_who_never_came_has_zero_visits_at_an_unknown_time() -> None:
    found = row(2)
    assert found["visit_days"] == found["breadth"] == found["targets_a_visit"] == 0
    assert np.isnan(found["visit_recency_days"])


def test_a_purchase_of_nothing_known_is_still_a_visit() -> None:
    past = make([(0, -1, days_ago(4), BOUGHT)], customers=1, items=1)
    out = Activity.fit(past.visits(CUTOFF), past.view("item", CUTOFF)).table[0]
    assert out[Activity.features.index("visit_days")] == 1
    assert out[Activity.features.index("breadth")] == 0
