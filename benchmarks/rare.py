"""Whether items that few have bought are judged right: what is expected against what came.

    python -m benchmarks.rare [--task NAME] [--data FOLDER] [--earlier N]

A random 400 items a group, by how many customers bought them before the cut-off, asked about for
every known customer, as a segment would. ``expected`` and ``came`` count purchases within the
window over all pairs, and among the 500 that are likeliest, which are habits. The last line is
JSON: {group: {expected, came, likeliest_expected, likeliest_came}}.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import ours
from benchmarks.tasks import RANKING, Task
from benchmarks.tasks.data import Data, add_option
from scoring.history import BOUGHT

GROUPS = {"1–19": (1, 20), "20–49": (20, 50), "50–199": (50, 200), "200 and more": (200, 10**9)}
ITEMS, LIKELIEST = 400, 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--task", choices=sorted(RANKING), default="cj_rank")
    parser.add_argument("--earlier", type=int, default=0, help="this many windows before")
    add_option(parser)
    arguments = parser.parse_args()
    task = RANKING[arguments.task].earlier(arguments.earlier)
    with tempfile.TemporaryDirectory() as cache:
        figures = judged(task, Data(arguments.data, Path(cache)))
    print(f"{'past buyers':14}{'expected':>10}{'came':>8}{'likeliest: expected':>22}{'came':>8}")
    for group, row in figures.items():
        print(f"{group:14}{row['expected']:>10.0f}{row['came']:>8}"
              f"{row['likeliest_expected']:>22.0f}{row['likeliest_came']:>8}")  # fmt: skip
    print(json.dumps(figures))


def judged(task: Task, data: Data) -> dict[str, dict[str, float]]:
    history = task.history(data)
    fitted = ours.fit(history, task.cutoff, task.horizon_days, "item")
    view = history.view("item", task.cutoff)
    known = np.flatnonzero(history.known_customers(task.cutoff)).astype(np.int32)
    labels = history.labels(
        history.catalogue.of_item["item"],
        view.n_targets,
        task.cutoff,
        task.cutoff + task.horizon_hours,
        BOUGHT,
    )
    rng = np.random.default_rng(0)
    figures = {}
    for group, items in grouped(np.bincount(view.pair_target, minlength=view.n_targets), rng):
        each = [fitted.probability("item", known, np.full_like(known, item)) for item in items]
        said = np.concatenate(each)
        key = (known[None, :].astype(np.int64) * view.n_targets + items[:, None]).ravel()
        came = np.isin(key, labels)
        likeliest = np.argsort(-said, kind="stable")[:LIKELIEST]
        figures[group] = {
            "expected": float(said.sum()),
            "came": int(came.sum()),
            "likeliest_expected": float(said[likeliest].sum()),
            "likeliest_came": int(came[likeliest].sum()),
        }
    return figures


def grouped(
    buyers: NDArray[np.int64], rng: np.random.Generator
) -> list[tuple[str, NDArray[np.int32]]]:
    """Sorted items of each group that has any."""
    found = []
    for group, (least, most) in GROUPS.items():
        items = np.flatnonzero((buyers >= least) & (buyers < most))
        if len(items):
            chosen = rng.choice(items, min(ITEMS, len(items)), replace=False)
            found.append((group, np.sort(chosen).astype(np.int32)))
    return found


if __name__ == "__main__":
    main()
