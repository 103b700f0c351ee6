"""Targeting on a shop whose answer is known by hand, and the table that a reader gets."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.backtest import report, summary
from scoring.backtest.report import Results
from scoring.backtest.targeting import Targeting, best_selling, evaluate, observe
from scoring.fitted import ANY, Fitted
from scoring.history import BOUGHT, History
from scoring.models import Ints
from settings.workspace import ModelSettings
from tests.scoring.histories import CUTOFF, Row, before, bought, make
from tests.shop import no_progress

MODELS = ModelSettings(horizon_days=7, min_target_buyers=2)
FIRST_HOUR, LAST_HOUR = CUTOFF, CUTOFF + 7 * 24 - 1


@dataclass(frozen=True)
class Fewest:
    """A fitted model's stand-in: the less the customer bought the target, the more probable."""

    past: History
    cutoff: int = CUTOFF

    def probability(
        self, level: str, customer: Ints, target: Ints, kind: int
    ) -> NDArray[np.float32]:
        view = self.past.view(level, self.cutoff, kind)
        days = np.append(view.days, 0)[view.find(customer, target)]
        return (0.5 / (1 + days)).astype(np.float32)


def later(customer: int, item: int, hour: int = FIRST_HOUR) -> Row:
    return (customer, item, hour, BOUGHT)


def fitted(past: History) -> Fitted:
    return cast(Fitted, Fewest(past))


@pytest.fixture
def past() -> History:
    """Ten customers know item 0 from n days of purchases; 0, 1 and 9 buy it in the window.
    Customer 10 comes new in the window."""
    rows = [row for n in range(1, 10) for row in bought(n, 0, *range(n))]
    rows += bought(0, 1, 3)
    rows += [later(0, 0), later(1, 0, LAST_HOUR), later(9, 0), later(9, 0, FIRST_HOUR + 30)]
    rows += [later(10, 0), later(2, 0, LAST_HOUR + 1), later(3, 1), later(4, 1)]
    return make(rows, customers=11, items=3, brand=[0, 0, 0])


def one(results: Results, level: str) -> Targeting:
    return next(judged.targeting for judged in results.levels if judged.level == level)


def documents(results: Results) -> dict[str, Any]:
    return {judged.level: summary.of_level(judged) for judged in results.levels}


def test_only_known_customers_and_purchases_of_the_window_count(past: History) -> None:
    item = one(report.of_history(past, fitted(past), MODELS, no_progress), "item")
    assert item.customers == 10
    assert item.targets == ["item-0", "item-1"]
    assert item.buyers == [3, 2]


def test_model_and_rule_are_measured_on_the_same_customers(past: History) -> None:
    item = one(report.of_history(past, fitted(past), MODELS, no_progress), "item")
    # best 20 %: the model takes customers 0 and 1, both buy; the rule 9 and 8, one buys
    assert item.measures["rightsend"]["lift@20"][0] == pytest.approx(2 / 3 / 0.2)
    assert item.measures["frequency"]["lift@20"][0] == pytest.approx(1 / 3 / 0.2)
    # of 3 buyers x 7 others the model has those of customers 0 and 1 right
    assert item.measures["rightsend"]["auc"][0] == pytest.approx(14 / 21)
    assert item.measures["frequency"]["auc"][0] == pytest.approx(7 / 21)


def test_expected_purchases_are_set_beside_those_that_happened(past: History) -> None:
    item = one(report.of_history(past, fitted(past), MODELS, no_progress), "item")
    days = np.array([0, *range(1, 10)])
    first = (0.5 / (1 + days)).sum()
    second = 0.5 / 2 + 9 * 0.5
    assert item.expected_over_observed == pytest.approx((first + second) / 5, rel=1e-5)
    assert sum(row["count"] for row in item.calibration) == 20


def test_the_truth_may_come_from_elsewhere(past: History) -> None:
    model = fitted(past)
    known = before(past, CUTOFF)
    whole = report.of_history(past, model, MODELS, no_progress)
    apart = report.of_history(known, model, MODELS, no_progress, truth=past)
    assert documents(apart) == documents(whole)
    assert report.of_history(known, model, MODELS, no_progress).levels == []


def test_best_selling_is_by_purchases_before_the_cutoff(past: History) -> None:
    assert best_selling(past, "item", CUTOFF, 10).tolist() == [0, 1]
    assert best_selling(past, "item", CUTOFF, 1).tolist() == [0]
    assert best_selling(past, "category", CUTOFF, 5).tolist() == []


def test_targets_with_too_few_buyers_say_nothing(past: History) -> None:
    strict = ModelSettings(horizon_days=7, min_target_buyers=3)
    results = report.of_history(past, fitted(past), strict, no_progress)
    assert one(results, "item").targets == ["item-0"]
    assert {judged.level for judged in results.levels} == {"item", "brand"}
    assert results.left_out == {"category": "the catalogue has no category"}
    assert results.missing == ["category"]


def test_the_gate_gets_one_figure_a_level(past: History) -> None:
    results = report.of_history(past, fitted(past), MODELS, no_progress)
    quality = summary.quality(results)
    assert quality["targets"] == {"item": 2, "brand": 1}
    assert quality["left_out"] == {"category": "the catalogue has no category"}
    assert quality["lift@20_error"]["item"] > 0
    item = one(results, "item")
    expected = np.mean(item.measures["rightsend"]["lift@20"])
    assert quality["lift@20"]["item"] == pytest.approx(expected, abs=1e-4)


def test_the_table_has_a_line_a_level_and_method(past: History) -> None:
    lines = summary.table(
        report.of_history(past, fitted(past), MODELS, no_progress).levels
    ).splitlines()
    assert "lift@20" in lines[0]
    assert [line[:26].strip().split(maxsplit=1) for line in lines[1:]] == [
        ["item", "rightsend"], ["item", "rule 90 days"], ["item", "frequency"],
        ["brand", "rightsend"], ["brand", "rule 90 days"], ["brand", "frequency"],
    ]  # fmt: skip
    assert len({len(line) for line in lines}) == 1  # columns stand under their heads
    assert lines[1].split()[2] == "2"


def test_the_report_names_each_target_and_an_interval_around_each_mean(past: History) -> None:
    document = documents(report.of_history(past, fitted(past), MODELS, no_progress))["item"]
    assert [row["target"] for row in document["targets"]] == ["item-0", "item-1"]
    measures = document["methods"]["rightsend"]
    assert measures.pop("lift@5")["mean"] is None  # 5 % of so few customers is nobody
    for measure in (measures[name] for name in ("lift@10", "captured@30", "auc", "new_auc")):
        assert measure["low"] <= measure["mean"] <= measure["high"]


def test_bad_input_a_target_that_everybody_bought_leaves_the_report_readable() -> None:
    rows = [row for n in range(5) for row in [*bought(n, 0, 1), later(n, 0)]]
    past = make(rows, customers=5, items=1, brand=[0], category=[0])
    results = report.of_history(past, fitted(past), MODELS, no_progress)
    text = json.dumps([documents(results), summary.quality(results)], allow_nan=False)
    assert json.loads(text)[1]["auc"] == {"item": None, "brand": None, "category": None}
    assert "rightsend" in summary.table(results.levels)


def test_bad_input_buyers_who_are_all_new_leave_the_report_readable() -> None:
    rows = [*bought(0, 0, 1), later(1, 0), later(2, 0)]
    past = make(rows, customers=3, items=1)
    results = report.of_history(past, fitted(past), MODELS, no_progress)
    json.dumps([documents(results), summary.quality(results)], allow_nan=False)


def test_bad_input_no_customer_known_before_gives_no_report() -> None:
    past = make([later(0, 0), later(1, 0)], customers=2, items=1)
    assert report.of_history(past, fitted(past), MODELS, no_progress).levels == []


def test_only_the_asked_targets_are_judged(past: History) -> None:
    outcome = observe(past, "item", CUTOFF, 168, targets=np.array([1], np.int32), min_buyers=1)
    found = evaluate(outcome, {"days": lambda panel: np.zeros(panel.shape)})
    assert found.targets == ["item-1"]
    assert found.buyers == [2]


@pytest.fixture
def groups() -> History:
    """Six customers know the shop; 0, 1 and 2 bought item 0 before. In the window 0, 3 and 4 buy
    it: one repeat, two new buyers."""
    rows = [*bought(0, 0, 1), *bought(1, 0, 2), *bought(2, 0, 3)]
    rows += [*bought(3, 1, 1), *bought(4, 1, 1), *bought(5, 1, 1)]
    return make([*rows, later(0, 0), later(3, 0), later(4, 0)], customers=6, items=2)


def judged(history: History, **scores: list[float]) -> Targeting:
    outcome = observe(history, "item", CUTOFF, 168, min_buyers=1)
    return evaluate(outcome, {name: np.array([row]) for name, row in scores.items()})


def test_repeat_and_new_buyers_are_measured_apart(groups: History) -> None:
    found = judged(groups, ours=[0.1, 0.2, 0.3, 0.9, 0.4, 0.5])
    # repeat: buyer 0 is below both others; new: 3 above 5, 4 below it
    assert found.mean("ours", "repeat_auc") == 0
    assert found.mean("ours", "new_auc") == pytest.approx(0.5)
    # all: 0 beats nobody, 3 beats all three, 4 beats 1 and 2
    assert found.mean("ours", "auc") == pytest.approx(5 / 9)
    # a third of six is two customers, of three it is one
    assert found.mean("ours", "captured@30") == pytest.approx(1 / 3)
    assert found.mean("ours", "new_captured@30") == pytest.approx(1 / 2)
    assert found.mean("ours", "new_lift@20") == pytest.approx(1 / 2 / (1 / 3))


def test_ties_take_their_share_of_the_edge(groups: History) -> None:
    found = judged(groups, ours=[1, 1, 1, 0, 0, 0])
    # 40 % of six is two of the three equal ones, who hold one of three buyers
    assert found.mean("ours", "captured@40") == pytest.approx(2 / 3 / 3)


def test_one_target_takes_its_interval_from_the_customers(groups: History) -> None:
    found = judged(groups, ours=[3, 1, 0, 5, 4, 2], rival=[3, 1, 0, 5, 4, 2])
    low, high = found.interval("ours", "auc")
    assert low <= found.mean("ours", "auc") <= high
    assert found.difference("ours", "rival", "auc") == (0, 0, 0)


def test_many_targets_take_it_from_the_targets(past: History) -> None:
    outcome = observe(past, "item", CUTOFF, 168, min_buyers=2)
    same = np.zeros(outcome.panel.shape)
    found = evaluate(outcome, {"ours": outcome.bought.astype(float), "rival": same})
    assert found.difference("ours", "rival", "auc") == pytest.approx((0.5, 0.5, 0.5))


def test_who_buys_at_all_is_one_target(groups: History) -> None:
    outcome = observe(groups, ANY, CUTOFF, 168, min_buyers=1)
    assert outcome.bought.tolist() == [[True, False, False, True, True, False]]
    assert outcome.repeat.all()


def test_a_probability_is_calibrated_over_all_pairs(groups: History) -> None:
    outcome = observe(groups, "item", CUTOFF, 168, min_buyers=1)
    found = evaluate(outcome, {"ours": np.full((1, 6), 0.25)}, probability="ours")
    assert found.expected_over_observed == pytest.approx(6 * 0.25 / 3)
    assert sum(row["count"] for row in found.calibration) == 6


def test_bad_input_a_score_of_another_shape_is_named(groups: History) -> None:
    with pytest.raises(ValueError, match=r"the score 'ours' is \(1, 2\), not \(1, 6\)"):
        judged(groups, ours=[0.1, 0.2])


def test_bad_input_a_score_with_nan_is_named(groups: History) -> None:
    with pytest.raises(ValueError, match="the score 'ours' holds NaN"):
        judged(groups, ours=[0.1, 0.2, np.nan, 0.1, 0.1, 0.1])


def test_who_was_erased_is_neither_ranked_nor_counted(past: History) -> None:
    names = past.customers.copy()
    names[9] = ""
    left = observe(replace(past, customers=names), "item", CUTOFF, 168, min_buyers=1)
    assert 9 not in left.panel.customer
    whole = observe(past, "item", CUTOFF, 168, min_buyers=1)
    assert left.bought.sum() == whole.bought.sum() - 1
    assert left.panel.shape[1] == whole.panel.shape[1] - 1
