"""How many customer–target pairs are scored a second, against the libraries of others.

    python -m benchmarks.scoring [--task NAME] [--data FOLDER] [--copies N] [--repeat N]

The shop of a task one window before it is judged (The Complete Journey unless told otherwise), and
the same shop, but for profiles, with each customer N times: our calibrated probability from end to
end (description, trees, calibration) of all customers for many targets of the task's level and for
many items, and for one target at a time as a segment asks. Rivals in the same run, turn by turn:
implicit's ALS ``recommend`` (which counts as customers × targets) and LightFM's ``predict``, each
of all targets of the level.

Medians over the turns. "a second" is by the clock, ours in one thread, the rivals in two; "a core
second" by processor time, which other work on the machine moves least; "of ALS" compares the
latter. The last line is JSON, with ``pairs_per_s`` of many targets in the larger shop.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from lightfm import LightFM
from threadpoolctl import threadpool_limits

from benchmarks.tasks import TARGETING, Data, Task
from benchmarks.tasks.data import add_option
from scoring import training
from scoring.fitted import ANY, Fitted
from scoring.history import History
from scoring.level import Level
from scoring.models import Ints
from scoring.models.affinity import AffinityTrainer
from settings.workspace import ModelSettings

THREADS = 2
COMPONENTS = 64  # of the rivals
ITEMS = 200  # best sellers that are asked for at once; of other levels, all
SEGMENTS = 10  # targets that are asked for one at a time
SETTINGS = ModelSettings(training_windows=2)  # the trees are as many and as deep with more windows


@dataclass(frozen=True)
class Case:
    """``run`` scores ``pairs`` pairs."""

    pairs: int
    run: Callable[[], object]


def copied(history: History, copies: int) -> History:
    """The same shop with every customer ``copies`` times."""
    n = history.n_customers
    offset = np.repeat(np.arange(copies, dtype=np.int32) * n, len(history.customer))
    customer = np.tile(history.customer, copies) + offset
    item, hour, kind = (
        np.tile(getattr(history, name), copies) for name in ("item", "hour", "kind")
    )
    order = np.lexsort((kind, item, customer, hour))
    names = [np.char.add(f"{copy}-", history.customers) for copy in range(copies)]
    nothing = np.zeros(0, dtype=np.int32)
    return replace(
        history,
        customers=np.concatenate(names),
        customer=customer[order],
        item=item[order],
        hour=hour[order],
        kind=kind[order],
        profile_customer=nothing,
        profile_feature=nothing,
        profile_names=np.zeros(0, dtype=np.str_),
    )


def described(history: History, fitted: Fitted, name: str) -> Level:
    """The named level of another history at the model's cut-off."""
    trainer = AffinityTrainer(
        history, fitted.cutoff, components=SETTINGS.affinity_components, seed=1
    )
    affinity = trainer.advance(fitted.cutoff, 1)
    return training.fit_level(history, name, fitted.cutoff, affinity, fitted.window_days)


def ours(history: History, fitted: Fitted) -> dict[str, Case]:
    """Of every level: many targets of everyone known at once, and one target at a time."""
    known = np.flatnonzero(history.known_customers(fitted.cutoff)).astype(np.int32)
    cases = {}
    for name, level in fitted.levels.items():
        best = level.scorers["popularity"].best(ITEMS if name == "item" else level.n_targets)
        pairs = np.repeat(known, len(best)), np.tile(best, len(known))
        single = [(known, np.full_like(known, target)) for target in best[:SEGMENTS]]
        cases[f"many_{name}"] = scored(fitted, name, [pairs])
        cases[f"one_{name}"] = scored(fitted, name, single)
    return cases


def scored(fitted: Fitted, level: str, asked: Sequence[tuple[Ints, Ints]]) -> Case:
    """Pairs that are asked for one array after the other."""

    def run() -> None:
        for pairs in asked:
            fitted.probability(level, *pairs)

    return Case(sum(len(customer) for customer, _ in asked), run)


def rivals(history: History, level: str, cutoff: int) -> dict[str, Case]:
    """All targets of the level, of everyone who bought."""
    view = history.view(level, cutoff)
    shape = (view.n_customers, view.n_targets)
    bought = sp.csr_matrix(
        (np.ones(len(view.pair), np.float32), (view.pair_customer, view.pair_target)), shape=shape
    )
    with threadpool_limits(1, "blas"):  # as the library asks for
        als = AlternatingLeastSquares(
            factors=COMPONENTS, iterations=3, num_threads=THREADS, random_state=1
        )
        als.fit(bought, show_progress=False)
    lightfm = LightFM(no_components=COMPONENTS, loss="warp", random_state=1)
    lightfm.fit(bought.tocoo(), epochs=1, num_threads=THREADS)
    known = np.unique(view.pair_customer).astype(np.int32)
    pairs = np.repeat(known, shape[1]), np.tile(np.arange(shape[1], dtype=np.int32), len(known))

    def recommend() -> None:
        with threadpool_limits(1, "blas"):
            als.recommend(known, bought[known], N=10)

    return {
        "als_recommend": Case(len(pairs[0]), recommend),
        "lightfm_predict": Case(
            len(pairs[0]), lambda: lightfm.predict(*pairs, num_threads=THREADS)
        ),
    }


def measured(cases: Mapping[str, Case], repeat: int) -> dict[str, dict[str, float]]:
    """Pairs a second of each case, in turn; the first turn warms up and is not counted."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for turn in range(repeat + 1):
        for name, case in cases.items():
            wall, core = time.perf_counter(), time.process_time()
            case.run()
            if turn:
                took = time.perf_counter() - wall, time.process_time() - core
                seconds[name].append(took)
    figures = {}
    for name, case in cases.items():
        wall, core = (statistics.median(each) for each in zip(*seconds[name], strict=True))
        figures[name] = {
            "pairs": case.pairs,
            "per_s": round(case.pairs / wall),
            "per_core_s": round(case.pairs / core),
        }
    return figures


def compared(
    history: History, fitted: Fitted, level: str, repeat: int
) -> dict[str, dict[str, float]]:
    """Ours and the rivals, with ``of_als``: pairs a core second over those of ALS."""
    cases = ours(history, fitted) | rivals(history, level, fitted.cutoff)
    figures = measured(cases, repeat)
    return {
        name: row | {"of_als": ratio(row, figures["als_recommend"])}
        for name, row in figures.items()
    }


def show(title: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    heads = f"{'pairs':>12}{'a second':>14}{'a core second':>16}{'of ALS':>9}"
    print(f"\n## {title}\n\n{'':20}{heads}")
    for name, row in figures.items():
        cells = (
            f"{row['pairs']:>12,}{row['per_s']:>14,}{row['per_core_s']:>16,}{row['of_als']:>9.2f}"
        )
        print(f"{name.replace('_', ' '):20}{cells}", flush=True)


def run(history: History, task: Task, copies: int, repeat: int) -> dict[str, Any]:
    """Prints the tables and gives the JSON document."""
    levels = list(dict.fromkeys([task.level, "item"]))
    fitted = training.fit(
        history, task.cutoff, horizon_days=task.horizon_days, levels=levels, settings=SETTINGS
    )
    small = compared(history, fitted, task.level, repeat)
    show(f"{task.name}: {history.n_customers:,} customers", small)
    large = copied(history, copies)
    wide = replace(fitted, levels={name: described(large, fitted, name) for name in levels})
    big = compared(large, wide, task.level, repeat)
    show(f"{large.n_customers:,} customers", big)
    load = os.getloadavg()[0]
    print(f"\nload of the machine: {load:.1f} on {os.cpu_count()} processors")
    headline = big[f"many_{task.level}"]
    return {
        "pairs_per_s": headline["per_s"],
        "pairs_per_core_s": headline["per_core_s"],
        "over_als_recommend": headline["of_als"],
        "over_lightfm_predict": ratio(headline, big["lightfm_predict"]),
        task.name: small,
        "larger": big,
        "load": round(load, 2),
    }


def ratio(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """Of pairs, by processor time."""
    return round(ours["per_core_s"] / theirs["per_core_s"], 3)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tasks = [name for name, task in TARGETING.items() if task.level != ANY]
    parser.add_argument("--task", choices=tasks, default="cj_category", help="whose shop")
    add_option(parser)
    parser.add_argument("--copies", type=int, default=8, help="of each customer in the larger shop")
    parser.add_argument("--repeat", type=int, default=5, help="turns")
    options = parser.parse_args()
    task = TARGETING[options.task].earlier(1)
    if reason := task.missing(options.data):
        parser.error(f"{task.name} {reason}")
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as cache:
        history = task.history(Data(options.data, Path(cache)))
    print(json.dumps(run(history, task, options.copies, options.repeat)))


if __name__ == "__main__":
    main()
