"""Is what is due really bought? Due items of a night against what customers bought in the week
after it, on The Complete Journey, beside rules that name as many items for each customer.

    python -m benchmarks.replenishment [--earlier N]

Every rule chooses among what the customer bought before and the night may recommend; "fixed" names
what was last bought nearest to so many days ago. A due item is told from 14 days before its day on,
so nobody can be right about all. ``--earlier N`` moves the cut-off N weeks back: choose there,
judge without it. ``precision``: bought within the week, of all items named. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tasks import NOVEMBER, WEEK, Data, Task, completejourney
from scoring import ranking, replenishment, training
from scoring.history import BOUGHT, History, LevelView
from scoring.models import Floats
from settings.workspace import ContentSettings, ModelSettings

TASK = Task("cj_due", completejourney.read, "item", NOVEMBER, WEEK)
FIXED_DAYS = (7, 14, 30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--earlier", type=int, default=0, metavar="N", help="weeks back")
    task = TASK.earlier(parser.parse_args().earlier)
    with tempfile.TemporaryDirectory() as scratch:
        history = task.history(Data(None, Path(scratch)))
    figures = judged(history, task)
    print(f"\n{'rule':24}{'named':>10}{'precision':>12}")
    for name, row in figures.items():
        print(f"{name:24}{row['named']:>10,.0f}{row['precision']:>12.4f}")
    print(json.dumps(figures))


def judged(history: History, task: Task) -> dict[str, dict[str, float]]:
    """named and precision by rule."""
    models, content = ModelSettings(), ContentSettings()
    fitted = training.fit(
        history, task.cutoff, horizon_days=task.horizon_days, levels=("item",), settings=models
    )
    pairs = ranking.recommendable(history, fitted, exclude_bought_days=content.exclude_bought_days)
    typical = replenishment.repeat_days(history, task.cutoff)
    likely = fitted.preference(*pairs)
    due = replenishment.due(history, task.cutoff, pairs, likely, typical)
    view = history.view("item", task.cutoff)
    end = task.cutoff + task.horizon_hours
    of_item = history.catalogue.of_item["item"]
    bought = history.labels(of_item, view.n_targets, task.cutoff, end, BOUGHT)
    named = due.customer.astype(np.int64) * view.n_targets + due.item
    limits = np.bincount(due.customer, minlength=view.n_customers)
    lists = {"rightsend": named, "rightsend, in the week": named[due.due_in < 7]}
    scores = rules(view, typical)
    candidate = view.find(*pairs)
    allowed = np.isin(np.arange(len(view.pair)), candidate)
    scores["model, due or not"] = np.full(len(view.pair), -np.inf)
    scores["model, due or not"][candidate[candidate >= 0]] = likely[candidate >= 0]
    for name, score in scores.items():
        lists[name] = best(view, np.where(allowed, score, -np.inf), limits)
    return {
        name: {"named": len(rows), "precision": round(float(np.isin(rows, bought).mean()), 4)}
        for name, rows in lists.items()
    }


def rules(view: LevelView, typical: NDArray[np.uint16]) -> dict[str, Floats]:
    """float32[n_pairs] each: what was bought before, the highest named first."""
    since = view.age[view.start[:-1]].astype(np.float32)
    first = view.age[view.start[1:] - 1]
    again = view.days > 1
    own = (first - since) / np.maximum(view.days - 1, 1)
    item = typical[view.pair_target].astype(np.float32)
    scores = {f"fixed {days} days": -np.abs(since - days) for days in FIXED_DAYS}
    scores["fixed 30 days, habits"] = np.where(again, scores["fixed 30 days"], -np.inf)
    scores["own mean gap"] = np.where(again, -np.abs(since - own), -np.inf)
    scores["item's interval"] = np.where(item > 0, -np.abs(since - item), -np.inf)
    scores["strongest habits"] = view.decayed(60)
    return scores


def best(view: LevelView, score: Floats, limits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs: as many of each customer as ``limits`` int64[n_customers] says."""
    customer = view.pair_customer
    order = np.lexsort((view.pair, -score, customer))
    first = np.searchsorted(customer[order], np.arange(view.n_customers))
    place = np.arange(len(order)) - first[customer[order]]
    chosen = order[(place < limits[customer[order]]) & np.isfinite(score[order])]
    return np.asarray(view.pair[chosen])


if __name__ == "__main__":
    main()
