"""Targeting on real data: Rightsend beside every rival, on the same customers and targets.

    python -m benchmarks.targeting [--task NAME ...] [--data FOLDER] [--earlier N] [--without TEXT]

``--earlier N`` moves every cut-off N windows back: choose there, judge without it. The last line is
JSON: {task: {method: {measure: mean}}}. "new" figures are means over the targets with at least one
buyer who had never bought the target; "new20" over those with at least 20 of them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import ours
from benchmarks.rivals import of_task
from benchmarks.tasks import TARGETING, Data, Task
from benchmarks.tasks.data import add_option
from scoring.backtest import metrics
from scoring.backtest.rivals import TARGETING as RULES
from scoring.backtest.targeting import Method, Outcome, Targeting, evaluate, observe, rounded

Row = dict[str, float | None]

SHOWN = (
    "lift@5", "lift@10", "lift@20", "captured@30", "captured@40", "auc",
    "repeat_lift@10", "repeat_auc", "new_lift@10", "new_auc",
)  # fmt: skip
COMPARED = ("lift@10", "captured@30", "auc", "new_auc")
WELL_FILLED = 20  # new buyers of a target: fewer say little about how well they are ranked


def short(measure: str) -> str:
    """captured@30 → cap30"""
    return measure.replace("captured@", "cap").replace("@", "")


def scores_of(outcome: Outcome, methods: Mapping[str, Method]) -> tuple[dict[str, NDArray], Row]:
    """(each method's scores, the seconds that it took, training included)."""
    scores: dict[str, NDArray] = {}
    seconds: Row = {}
    for name, method in methods.items():
        started = time.perf_counter()
        scores[name] = method(outcome.panel)
        seconds[name] = time.perf_counter() - started
    return scores, seconds


def figures(result: Targeting, method: str, new_buyers: NDArray[np.int64]) -> Row:
    """Every measure's mean over the targets, by its short name."""
    found = result.measures[method]
    row: Row = {short(name): rounded(metrics.mean(values)) for name, values in found.items()}
    filled = new_buyers >= WELL_FILLED
    for name in ("new_auc", "new_lift@10"):
        row[short(name).replace("new_", "new20_")] = rounded(metrics.mean(found[name][filled]))
    return row


def print_task(task: Task, outcome: Outcome, result: Targeting, seconds: Row) -> None:
    panel, new = outcome.panel, outcome.bought & ~outcome.repeat
    print(
        f"\n## {task.name}: {len(panel.target)} targets, {len(panel.customer)} known customers, "
        f"{outcome.bought.sum()} buyers ({new.sum()} new; {result.counted('new_auc')} targets have "
        f"new ones, {(new.sum(axis=1) >= WELL_FILLED).sum()} have {WELL_FILLED} or more)\n"
    )
    print(f"{'':26}" + "".join(f"{short(name):>15}" for name in SHOWN) + f"{'seconds':>9}")
    for method in result.measures:
        means = "".join(f"{result.mean(method, name):>15.3f}" for name in SHOWN)
        print(f"{method:<26}{means}{seconds[method]:>9.1f}")
    print(f"\n{'95 % interval of ' + ours.NAME:<26}", end="")
    for name in SHOWN:
        low, high = result.interval(ours.NAME, name)
        print(f"{f'{low:.3f}–{high:.3f}':>15}", end="")
    print(f"\n\n{ours.NAME + ' minus, paired':<26}" + "".join(f"{short(n):>26}" for n in COMPARED))
    for rival in result.measures:
        if rival != ours.NAME:
            differences = [result.difference(ours.NAME, rival, name) for name in COMPARED]
            cells = (f"{m:+.3f} ({low:+.3f} … {high:+.3f})" for m, low, high in differences)
            print(f"{rival:<26}" + "".join(f"{cell:>26}" for cell in cells))
    print(
        f"\ncalibration error {result.calibration_error:.4f}, predicted over actual buyers "
        f"{result.expected_over_observed:.3f}",
        flush=True,
    )


def run(task: Task, data: Data, wanted: Callable[[str], bool]) -> dict[str, Row]:
    outcome = observe(
        task.history(data), task.level, task.cutoff, task.horizon_hours, min_buyers=task.min_buyers
    )
    rivals: dict[str, Method] = {**RULES, **of_task(task)}
    methods = {ours.NAME: ours.targeting} | {n: m for n, m in rivals.items() if wanted(n)}
    scores, seconds = scores_of(outcome, methods)
    result = evaluate(outcome, scores, probability=ours.NAME)
    print_task(task, outcome, result, seconds)
    new_buyers = (outcome.bought & ~outcome.repeat).sum(axis=1)
    rows = {name: figures(result, name, new_buyers) for name in methods}
    for name in methods:
        rows[name]["seconds"] = round(seconds[name] or 0.0, 2)
    rows[ours.NAME] |= {
        "calibration_error": rounded(result.calibration_error),
        "predicted_over_actual": rounded(result.expected_over_observed),
        "targets": len(result.targets),
    }
    return rows


def options(text: str | None, tasks: Mapping[str, Task]) -> argparse.Namespace:
    """What both benchmarks of predictions take."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", choices=list(tasks), default=list(tasks))
    add_option(parser)
    parser.add_argument("--earlier", type=int, default=0, metavar="N", help="windows back")
    parser.add_argument(
        "--without", nargs="*", default=[], metavar="TEXT", help="leave out rivals so named"
    )
    return parser.parse_args()


def run_each(
    arguments: argparse.Namespace,
    tasks: Mapping[str, Task],
    run_one: Callable[[str, Task, Data], dict[str, Any]],
) -> None:
    """Runs the tasks that have their data and prints the JSON line."""
    document = {}
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as cache:
        data = Data(arguments.data, Path(cache))
        for name in arguments.task:
            task = tasks[name].earlier(arguments.earlier)
            if reason := task.missing(arguments.data):
                print(f"\n## {name}: left out, it {reason}")
                continue
            document[name] = run_one(name, task, data)
    print(json.dumps(document))


def run_all(
    arguments: argparse.Namespace,
    tasks: Mapping[str, Task],
    run_one: Callable[[Task, Data, Callable[[str], bool]], dict[str, Any]],
) -> None:
    """The same with the rivals that are wanted."""

    def wanted(rival: str) -> bool:
        return not any(text in rival for text in arguments.without)

    run_each(arguments, tasks, lambda _, task, data: run_one(task, data, wanted))


def main() -> None:
    run_all(options(__doc__, TARGETING), TARGETING, run)


if __name__ == "__main__":
    main()
