"""What the benchmark of profits counts, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.profit import SHARES, Campaign, campaign, summary


def of(probability: list[float], bought: list[int], error: float = 0.2) -> Campaign:
    return campaign("tea", np.array(probability, np.float32), np.array(bought, bool), error)


def test_profit_of_our_size_and_of_hindsights():
    found = of([0.9, 0.5, 0.01, 0.015], [1, 1, 0, 1])
    assert (found.size, found.hindsight_size) == (2, 3)
    assert found.profit == pytest.approx(2 - 0.04)
    assert found.hindsight == pytest.approx(3 - 0.06)
    assert found.full == pytest.approx(3 - 0.08)
    assert found.ratio == pytest.approx(1.96 / 2.94)


def test_hindsight_may_send_nothing_at_all():
    found = of([0.9, 0.5], [0, 0])
    assert (found.hindsight_size, found.hindsight) == (0, 0.0)
    assert np.isnan(found.ratio)


def test_what_was_predicted_beside_what_came():
    found = of([0.5] * 40, [1] * 20 + [0] * 20)
    assert (found.expected, found.bought) == (20.0, 20)
    assert len(found.held) == len(SHARES) + 1
    assert found.held[-1]
    assert not of([0.5] * 40, [0] * 40).held[-1]


def test_the_summary_is_of_all_targets():
    found = [of([0.9, 0.5, 0.01, 0.015], [1, 1, 0, 1]), of([0.5] * 40, [1] * 20 + [0] * 20)]
    told = summary(found, 0.2)
    assert told["targets"] == 2
    assert told["mean_ratio"] == pytest.approx(np.mean([each.ratio for each in found]), abs=1e-4)
    assert told["predicted_over_actual"] == pytest.approx((1.425 + 20) / 23, abs=1e-3)
    assert 0 <= told["coverage"] <= 1


def test_bad_input_a_target_that_nobody_bought_does_not_spoil_the_mean():
    bought = of([0.9, 0.5], [1, 1])
    told = summary([bought, of([0.9, 0.5], [0, 0])], 0.2)
    assert told["mean_ratio"] == 1.0
