"""Is a campaign as profitable as hindsight could have made it? Sizes and forecasts, checked.

    python -m benchmarks.profit [--task NAME ...] [--data FOLDER] [--earlier N]

For each of the 60 best-selling categories (buyers in the 28 days before the cut-off): Rightsend's
profit-maximal size against the best size that hindsight would choose of the same ranking, against
a send to everybody and to the best 20 %. Beside it what was predicted and what then happened, and
how often the 95 % interval held it, over targets and sizes. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import ours
from benchmarks.tasks import TARGETING, Data, Task
from benchmarks.tasks.data import add_option
from scoring import forecast
from scoring.fitted import Fitted
from scoring.history import BOUGHT, History

TASKS = {name: TARGETING[name] for name in ("cj_category", "cj_category_october")}
COST, MARGIN = 0.02, 1.00  # of a send and of a buyer
TARGETS = 60
FIXED_SHARE = 0.2
SHARES = (0.01, 0.02, 0.05, *(k / 10 for k in range(1, 11)))


@dataclass(frozen=True)
class Campaign:
    """One target. Profits in the currency of COST; ``held``: whether each interval of SHARES, then
    that of our size, held what happened."""

    name: str
    size: int
    hindsight_size: int
    profit: float
    hindsight: float
    full: float
    fixed: float
    expected: float
    bought: int
    expected_of_size: float
    bought_of_size: int
    held: tuple[bool, ...]

    @property
    def ratio(self) -> float:
        return self.profit / self.hindsight if self.hindsight > 0 else np.nan


def campaign(
    name: str, probability: NDArray[np.float32], bought: NDArray[np.bool_], relative_error: float
) -> Campaign:
    """``probability``, ``bought``: of everybody known, for one target."""
    order = np.lexsort((np.arange(len(probability)), -probability))
    p, buyers = probability[order], np.concatenate([[0], np.cumsum(bought[order])])
    profit = buyers * MARGIN - np.arange(len(p) + 1) * COST
    size = forecast.profitable(p, COST, MARGIN)
    held = []
    for count in (*(round(share * len(p)) for share in SHARES), size):
        told = forecast.answers(p[:count], relative_error)
        held.append(bool(told.low <= buyers[count] <= told.high))
    return Campaign(
        name=name,
        size=size,
        hindsight_size=int(np.argmax(profit)),
        profit=float(profit[size]),
        hindsight=float(profit.max()),
        full=float(profit[-1]),
        fixed=float(profit[round(FIXED_SHARE * len(p))]),
        expected=float(p.sum(dtype=np.float64)),
        bought=int(buyers[-1]),
        expected_of_size=float(p[:size].sum(dtype=np.float64)),
        bought_of_size=int(buyers[size]),
        held=tuple(held),
    )


def campaigns(history: History, fitted: Fitted, task: Task) -> list[Campaign]:
    level = fitted.levels[task.level]
    known = np.flatnonzero(history.known_customers(task.cutoff)).astype(np.int32)
    end = task.cutoff + task.horizon_hours
    labels = history.labels(level.of_item, level.n_targets, task.cutoff, end, BOUGHT)
    names = history.catalogue.names[task.level]
    error = fitted.relative_error(task.level)
    out = []
    for target in level.scorers["popularity"].best(TARGETS):
        probability = fitted.probability(task.level, known, np.full_like(known, target))
        bought = np.isin(known.astype(np.int64) * level.n_targets + target, labels)
        out.append(campaign(str(names[target]), probability, bought, error))
    return out


def summary(found: list[Campaign], relative_error: float) -> dict[str, Any]:
    """What the issue asks for, and the same of other sizes, which it has to beat."""

    def total(name: str) -> float:
        return float(sum(getattr(each, name) for each in found))

    held = np.array([each.held for each in found])
    return {
        "targets": len(found),
        "mean_ratio": round(float(np.nanmean([each.ratio for each in found])), 4),
        "total_ratio": round(total("profit") / total("hindsight"), 4),
        "full_send_total_ratio": round(total("full") / total("hindsight"), 4),
        "fixed_share_total_ratio": round(total("fixed") / total("hindsight"), 4),
        "predicted_over_actual": round(total("expected") / total("bought"), 4),
        "predicted_over_actual_of_size": round(
            total("expected_of_size") / total("bought_of_size"), 4
        ),
        "coverage": round(float(held[:, :-1].mean()), 4),
        "coverage_of_size": round(float(held[:, -1].mean()), 4),
        "coverage_by_share": dict(
            zip(map(str, SHARES), held[:, :-1].mean(axis=0).round(3).tolist(), strict=True)
        ),
        "relative_error": round(relative_error, 4),
    }


def print_campaigns(task: Task, found: list[Campaign]) -> None:
    print(f"\n## {task.name}: cost {COST} a send, margin {MARGIN} a buyer\n")
    print(
        f"{'target':<44}{'size':>7}{'best':>7}{'profit':>9}{'best':>9}{'ratio':>7}"
        f"{'all':>9}{'20 %':>9}{'expected':>10}{'bought':>8}"
    )
    for each in found:
        print(
            f"{each.name[-42:]:<44}{each.size:>7}{each.hindsight_size:>7}{each.profit:>9.2f}"
            f"{each.hindsight:>9.2f}{each.ratio:>7.3f}{each.full:>9.2f}{each.fixed:>9.2f}"
            f"{each.expected:>10.1f}{each.bought:>8}"
        )


def run(task: Task, data: Data) -> dict[str, Any]:
    history = task.history(data)
    fitted = ours.fit(history, task.cutoff, task.horizon_days, task.level)
    found = campaigns(history, fitted, task)
    print_campaigns(task, found)
    figures = summary(found, fitted.relative_error(task.level))
    print()
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):<32}{value}", flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--earlier", type=int, default=0, metavar="N", help="windows back")
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as cache:
        data = Data(arguments.data, Path(cache))
        figures = {
            name: run(TASKS[name].earlier(arguments.earlier), data) for name in arguments.task
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
