"""Cold start on The Complete Journey: new items, new customers, a shop of one week.

    python -m benchmarks.coldstart [--task NAME ...] [--data FOLDER] [--earlier N] [--without TEXT]

What is hidden is told in scoring.backtest.coldstart. ``--earlier N`` moves every cut-off N windows
back: choose there, judge without it. The last line is JSON: {task: {method: {measure: mean}}}, for
new items with the AUC minus that of the category-activity rule, paired over items: days on which
the customer bought of the category, ties by visits ("category days" lets ties count half).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks import ours
from benchmarks.ranking import BASE, SHORT
from benchmarks.targeting import Row, options, run_all, scores_of
from benchmarks.tasks import NOVEMBER, OCTOBER, WEEK, Data, Task, completejourney
from scoring.backtest import coldstart, rivals
from scoring.backtest.coldstart import Both
from scoring.backtest.ranking import Baskets, best_lists
from scoring.backtest.ranking import evaluate as evaluate_ranking
from scoring.backtest.targeting import Method, Panel, Targeting, evaluate, rounded
from scoring.models import Ints
from scoring.models.content import Content

RULE = "category activity"
COMPARED = ("auc", "captured@30")

ITEMS, CUSTOMERS, SHOP = "cj_new_items", "cj_new_customers", "cj_new_shop"
TASKS = {
    task.name: task
    for name, level, horizon, least in (
        (ITEMS, "item", 4 * WEEK, coldstart.MIN_ITEM_BUYERS),
        (CUSTOMERS, "category", WEEK, 50),
        (SHOP, "category", WEEK, 50),
    )
    for task in (
        Task(name, completejourney.read, level, NOVEMBER, horizon, min_buyers=least),
        Task(f"{name}_october", completejourney.read, level, OCTOBER, horizon, min_buyers=least),
    )
}


def content(panel: Panel) -> NDArray[np.float32]:
    """The content scorer alone, nothing learned: how much of what is like the target is bought."""
    model = Content.fit(panel.history, panel.of_item, panel.n_targets, panel.cutoff)
    described = model.describe(*panel.pairs())
    return np.nan_to_num(described[:, model.features.index("alike")]).reshape(panel.shape)


def print_targeting(result: Targeting, rule: str) -> None:
    print(f"\n{'':22}{'auc':>8}{'cap30':>8}   minus {rule}: auc, cap30 (95 %, paired over targets)")
    for method in result.measures:
        means = "".join(f"{result.mean(method, name):>8.3f}" for name in COMPARED)
        differences = [result.difference(method, rule, name) for name in COMPARED]
        cells = "".join(
            f"{f'{m:+.3f} ({low:+.3f} … {high:+.3f})':>28}" for m, low, high in differences
        )
        print(f"{method:<22}{means}{cells}", flush=True)


def targeting_rows(result: Targeting, rule: str) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for method in result.measures:
        mean, low, high = result.difference(method, rule, "auc")
        rows[method] = {
            "auc": rounded(result.mean(method, "auc")),
            "cap30": rounded(result.mean(method, "captured@30")),
            "auc_minus_rule": rounded(mean),
            "auc_minus_rule_low": rounded(low),
            "auc_minus_rule_high": rounded(high),
            "targets": result.counted("auc"),
        }
    return rows


def new_items(task: Task, data: Data, wanted: Callable[[str], bool]) -> dict[str, Row]:
    outcome = coldstart.new_items(
        task.history(data), task.cutoff, task.horizon_hours, min_buyers=task.min_buyers
    )
    methods = chosen(
        wanted,
        {
            RULE: coldstart.category_activity,
            "category days": coldstart.category_days,
            "activity": rivals.activity,
            "content": content,
        },
    )
    scores, _ = scores_of(outcome, methods)
    result = evaluate(outcome, scores)
    print(
        f"\n## {task.name}: {outcome.panel.shape[0]} items that nobody had bought, "
        f"{outcome.bought.sum()} buyers among {outcome.panel.shape[1]} customers"
    )
    print_targeting(result, RULE)
    rows = targeting_rows(result, RULE)
    for method, score in scores.items():
        rows[method]["pooled_auc"] = rounded(coldstart.pooled_auc(outcome, score))
    return rows


def new_customers(task: Task, data: Data, wanted: Callable[[str], bool]) -> dict[str, Row]:
    both = coldstart.new_customers(
        task.history(data), task.level, task.cutoff, task.horizon_hours, min_buyers=task.min_buyers
    )
    return judge(task, both, "random", wanted)


def new_shop(task: Task, data: Data, wanted: Callable[[str], bool]) -> dict[str, Row]:
    both = coldstart.new_shop(
        task.history(data), task.level, task.cutoff, task.horizon_hours, min_buyers=task.min_buyers
    )
    return judge(task, both, "frequency", wanted)


def judge(task: Task, both: Both, rule: str, wanted: Callable[[str], bool]) -> dict[str, Row]:
    """Targeting beside ``rule``, ranking beside the best sellers."""
    methods = chosen(
        wanted, {rule: rivals.TARGETING[rule], "activity": rivals.activity, "content": content}
    )
    scores, _ = scores_of(both.outcome, methods)
    result = evaluate(both.outcome, scores)
    print(
        f"\n## {task.name}: {both.outcome.panel.shape[1]} customers, {both.outcome.panel.shape[0]} "
        f"targets; {len(both.baskets.panel.customer)} customers bought"
    )
    print_targeting(result, rule)
    rows = targeting_rows(result, rule)
    for method, row in ranking_rows(both.baskets, wanted).items():
        rows[method] = rows.get(method, {}) | row
    return rows


def ranking_rows(baskets: Baskets, wanted: Callable[[str], bool]) -> dict[str, Row]:
    """HR@10, recall@10 and NDCG@10 with the difference to the best sellers."""
    lists: dict[str, Ints] = {
        name: best_lists(baskets, rival(baskets.panel)) for name, rival in rivals.RANKING.items()
    }
    if wanted(ours.NAME):
        lists[ours.NAME] = ours.ranker(baskets.panel).lists(new_only=False)
    result = evaluate_ranking(baskets, lists)
    print(f"\n{'':22}" + "".join(f"{name + ' minus ' + BASE:>42}" for name in SHORT.values()))
    rows: dict[str, Row] = {}
    for method in lists:
        cells = ""
        rows[method] = {}
        for measure, name in SHORT.items():
            mean, low, high = result.difference(method, BASE, measure)
            rows[method][name] = rounded(result.mean(method, measure))
            rows[method][f"{name}_minus_best_sellers"] = rounded(mean)
            cell = f"{result.mean(method, measure):.3f}, {mean:+.3f} ({low:+.3f} … {high:+.3f})"
            cells += f"{cell:>42}"
        print(f"{method:<22}{cells}", flush=True)
    return rows


def chosen(wanted: Callable[[str], bool], methods: Mapping[str, Method]) -> dict[str, Method]:
    """The rule, which comes first, and what is wanted of the others and of ours."""
    rule = next(iter(methods))
    every = {**methods, ours.NAME: ours.targeting}
    return {name: method for name, method in every.items() if name == rule or wanted(name)}


RUNS = {ITEMS: new_items, CUSTOMERS: new_customers, SHOP: new_shop}


def run(task: Task, data: Data, wanted: Callable[[str], bool]) -> dict[str, Row]:
    return RUNS[task.name.removesuffix("_october")](task, data, wanted)


def main() -> None:
    run_all(options(__doc__, TASKS), TASKS, run)


if __name__ == "__main__":
    main()
