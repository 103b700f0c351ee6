"""What suits each rival best, looked for on the window before the judged one.

    python -m benchmarks.rivals.choose --data FOLDER [--task NAME ...] [--model TEXT ...]

Prints lift@10, captured@30 and AUC (ranking: NDCG@10, all and new) of every point of a grid, the
best one last. What it prints is kept in benchmarks/rivals/__init__.py.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import (
    ALS,
    EASE,
    EASE_DECAYED,
    KNN,
    MODELS,
    PERSONAL_KNN,
    WARP,
    collaborative,
)
from benchmarks.rivals.events import weighted_events
from benchmarks.tasks import RANKING, TARGETING, Data, Task
from benchmarks.tasks.data import add_option
from scoring.backtest import ranking
from scoring.backtest.ranking import NDCG, Baskets
from scoring.backtest.targeting import Method, evaluate, observe

SAMPLE = 2500  # customers

GRIDS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    EASE: {"ridge": (100.0, 400.0, 1000.0, 3000.0)},
    EASE_DECAYED: {"ridge": (30.0, 100.0, 400.0), "half_life_days": (45.0, 120.0, 240.0)},
    ALS: {
        "factors": (16, 64, 128),
        "regularization": (1.0, 30.0, 100.0),
        "alpha": (1.0, 8.0, 20.0),
    },
    KNN: {"half_life_days": (15.0, 40.0, 120.0), "neighbours": (400, 4000)},
    PERSONAL_KNN: {
        "half_life_days": (60.0, 120.0, 240.0),
        "neighbours": (400, 4000),
        "own": (0.2, 0.6),
    },
    WARP: {"components": (16, 64), "epochs": (3, 15)},
    "weighted events": {"half_life_days": (1.0, 2.0, 4.0), "goal_weight": (1.0, 3.0, 6.0, 12.0)},
}


def points(grid: Mapping[str, tuple[float, ...]]) -> Iterator[dict[str, Any]]:
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def method_of(model: str, point: dict[str, Any]) -> Method:
    if model in MODELS:
        return collaborative.targeting(MODELS[model], **point)
    return partial(weighted_events, **point)


RANKING_GRIDS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    EASE: {"ridge": (200.0, 1000.0, 4000.0)},
    EASE_DECAYED: {"ridge": (100.0, 300.0), "half_life_days": (45.0, 90.0)},
    ALS: {"factors": (32, 128), "regularization": (1.0, 30.0), "alpha": (1.0, 8.0)},
    KNN: {"half_life_days": (15.0, 60.0, 240.0), "neighbours": (100, 400)},
    PERSONAL_KNN: {
        "half_life_days": (30.0, 60.0),
        "neighbours": (200, 400),
        "own": (0.5, 0.6, 0.8),
    },
}


def choose_ranking(task: Task, data: Data, wanted: Callable[[str], bool]) -> None:
    baskets = _sample(
        ranking.observe(task.history(data), task.level, task.cutoff, task.horizon_hours)
    )
    print(f"\n## {task.name}, one window earlier: {len(baskets.panel.customer)} customers")
    for model, grid in RANKING_GRIDS.items():
        best: tuple[float, dict[str, Any]] = (0.0, {})
        for point in points(grid) if wanted(model) else ():
            started = time.perf_counter()
            score = collaborative.ranking(MODELS[model], **point)(baskets.panel)
            shown = []
            for new_only in (False, True):
                lists = {model: ranking.best_lists(baskets, score, new_only=new_only)}
                result = ranking.evaluate(baskets, lists, new_only=new_only)
                shown += [result.mean(model, measure) for measure in ranking.MEASURES]
            best = max(best, (shown[2], point), key=lambda pair: pair[0])
            means = " ".join(f"{mean:.3f}" for mean in shown)
            seconds = time.perf_counter() - started
            print(f"{model:<18}{point!s:<72}{NDCG} … {means}  {seconds:.1f} s", flush=True)
        print(f"{model:<18}best: {best[1]}")


def _sample(baskets: Baskets) -> Baskets:
    """Some of the customers: enough to choose by."""
    panel = baskets.panel
    step = -(-len(panel.customer) // SAMPLE)
    customer = panel.customer[::step]
    bought = baskets.bought[np.isin(baskets.bought // panel.n_targets, customer)]
    return Baskets(replace(panel, customer=customer), bought, baskets.before)


def choose(task: Task, data: Data, wanted: Callable[[str], bool]) -> None:
    outcome = observe(
        task.history(data), task.level, task.cutoff, task.horizon_hours, min_buyers=task.min_buyers
    )
    print(f"\n## {task.name}, one window earlier: {len(outcome.panel.target)} targets")
    for model, grid in GRIDS.items():
        if not wanted(model) or (model not in MODELS and not task.name.startswith("taobao")):
            continue
        best: tuple[float, dict[str, Any]] = (0.0, {})
        for point in points(grid):
            started = time.perf_counter()
            result = evaluate(outcome, {model: method_of(model, point)})
            means = {name: result.mean(model, name) for name in ("lift@10", "captured@30", "auc")}
            best = max(best, (means["auc"], point), key=lambda pair: pair[0])
            shown = " ".join(f"{name} {mean:.3f}" for name, mean in means.items())
            seconds = time.perf_counter() - started
            print(f"{model:<18}{point!s:<72}{shown}  {seconds:.1f} s", flush=True)
        print(f"{model:<18}best: {best[1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    tasks = TARGETING | RANKING
    parser.add_argument("--task", nargs="+", choices=list(tasks), default=list(tasks))
    parser.add_argument("--model", nargs="+", default=[""])
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as cache:
        data = Data(arguments.data, Path(cache))
        for name in arguments.task:
            look = choose_ranking if name in RANKING else choose
            look(
                tasks[name].earlier(1),
                data,
                lambda model: any(text in model for text in arguments.model),
            )


if __name__ == "__main__":
    main()
