"""Ranking on real data: the ten items that Rightsend and every rival would show each customer.

    python -m benchmarks.ranking [--task NAME ...] [--data FOLDER] [--earlier N] [--without TEXT]

Over all items and over items new to the customer, for the customers who then bought. The last line
is JSON: {task: {method: {hr10, recall10, ndcg10, new_hr10, …}}}.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from benchmarks import ours
from benchmarks.rivals import of_ranking_task
from benchmarks.targeting import Row, options, run_all
from benchmarks.tasks import RANKING, Data, Task
from scoring.backtest.ranking import (
    HIT_RATE,
    MEASURES,
    NDCG,
    RECALL,
    Baskets,
    Ranking,
    ScoreAll,
    best_lists,
    evaluate,
    observe,
)
from scoring.backtest.rivals import RANKING as RULES
from scoring.backtest.targeting import Panel, rounded
from scoring.models import Ints

SHORT = {HIT_RATE: "hr10", RECALL: "recall10", NDCG: "ndcg10"}
BASE = "best sellers"


class Ranker(Protocol):
    def lists(self, *, new_only: bool) -> Ints: ...


class ByScore:
    """A rival that scores everything, as one that makes lists."""

    def __init__(self, baskets: Baskets, score: ScoreAll) -> None:
        self._baskets, self._score = baskets, score

    def lists(self, *, new_only: bool) -> Ints:
        return best_lists(self._baskets, self._score, new_only=new_only)


def makers(
    task: Task, baskets: Baskets, wanted: Callable[[str], bool]
) -> Mapping[str, Callable[[], Ranker]]:
    """What trains each method."""
    days = task.best_seller_days
    rules = {name: partial(rule, days=days) for name, rule in RULES.items()}
    rivals: dict[str, Callable[[Panel], ScoreAll]] = {**rules, **of_ranking_task(task)}

    def maker(rival: Callable[[Panel], ScoreAll]) -> Callable[[], Ranker]:
        return lambda: ByScore(baskets, rival(baskets.panel))

    found: dict[str, Callable[[], Ranker]] = {ours.NAME: lambda: ours.ranker(baskets.panel)}
    return found | {n: maker(rival) for n, rival in rivals.items() if n == BASE or wanted(n)}


def print_part(result: Ranking, seconds: Row) -> None:
    what = "new items only" if result.new_only else "all items"
    print(f"\n### {what}: {result.customers} customers\n")
    print(f"{'':26}" + "".join(f"{SHORT[name] + ' (95 %)':>24}" for name in MEASURES), end="")
    print(f"{'ndcg / ' + BASE:>22}{'seconds':>9}")
    for method in result.measures:
        for_all = [(result.mean(method, name), *result.interval(method, name)) for name in MEASURES]
        cells = "".join(f"{f'{m:.3f} ({low:.3f}–{high:.3f})':>24}" for m, low, high in for_all)
        ratio = result.ratio(method, BASE, NDCG)
        print(f"{method:<26}{cells}{ratio:>22.2f}{seconds[method]:>9.1f}")
    print(f"\n{ours.NAME + ' minus, paired':<26}", end="")
    print("".join(f"{SHORT[name]:>28}" for name in MEASURES))
    for rival in result.measures:
        if rival != ours.NAME:
            differences = [result.difference(ours.NAME, rival, name) for name in MEASURES]
            cells = "".join(
                f"{f'{mean:+.3f} ({low:+.3f} … {high:+.3f})':>28}"
                for mean, low, high in differences
            )
            print(f"{rival:<26}{cells}", flush=True)


def run(task: Task, data: Data, wanted: Callable[[str], bool]) -> dict[str, Row]:
    baskets = observe(task.history(data), task.level, task.cutoff, task.horizon_hours)
    print(f"\n## {task.name}: {len(baskets.panel.customer)} known customers who bought")
    lists: dict[bool, dict[str, Ints]] = {False: {}, True: {}}
    seconds: Row = {}
    for name, make in makers(task, baskets, wanted).items():
        started = time.perf_counter()
        ranker = make()
        for new_only in lists:
            lists[new_only][name] = ranker.lists(new_only=new_only)
        seconds[name] = round(time.perf_counter() - started, 2)
    rows: dict[str, Row] = {name: {"seconds": seconds[name]} for name in seconds}
    for new_only, prefix in ((False, ""), (True, "new_")):
        result = evaluate(baskets, lists[new_only], new_only=new_only)
        print_part(result, seconds)
        for name in seconds:
            for measure, label in SHORT.items():
                rows[name][prefix + label] = rounded(result.mean(name, measure))
            ratio = result.ratio(name, BASE, NDCG)
            rows[name][f"{prefix}ndcg10_over_best_sellers"] = rounded(ratio)
        rows[ours.NAME][f"{prefix}customers"] = result.customers
    return rows


def main() -> None:
    run_all(options(__doc__, RANKING), RANKING, run)


if __name__ == "__main__":
    main()
