"""How many customer–target pairs are scored a second, against the libraries of others.

    python -m benchmarks.scoring [--copies N] [--repeat N]

The Complete Journey, and the same shop with each customer N times: our calibrated probability from
end to end (description, trees, calibration) of all customers for many targets, for one target at a
time as a segment asks, and for items. Rivals in the same run, turn by turn: implicit's ALS
``recommend`` (which counts as customers × items) and LightFM's ``predict``, each of the same pairs.
Medians over the turns; ``per_core_s`` is by processor time, which other work on the machine moves
least. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from lightfm import LightFM
from threadpoolctl import threadpool_limits

from benchmarks.tasks import TARGETING, Data
from scoring import training
from scoring.fitted import Fitted
from scoring.history import History
from scoring.level import Level
from scoring.models import Ints
from scoring.models.affinity import AffinityTrainer
from settings.workspace import ModelSettings

THREADS = 2
COMPONENTS = 64  # of the rivals
ITEMS = 200  # best-selling items that are asked for
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


def ours(history: History, fitted: Fitted, *, items: bool) -> dict[str, Case]:
    known = np.flatnonzero(history.known_customers(fitted.cutoff)).astype(np.int32)
    cases = {"many_targets": many(fitted, "category", known, fitted.levels["category"].n_targets)}
    best = fitted.levels["category"].scorers["popularity"].best(SEGMENTS)

    def one_by_one() -> None:
        for target in best:
            fitted.probability("category", known, np.full(len(known), target, dtype=np.int32))

    cases["one_target"] = Case(len(known) * len(best), one_by_one)
    if items:
        cases["items"] = many(fitted, "item", known, ITEMS)
    return cases


def many(fitted: Fitted, level: str, known: Ints, limit: int) -> Case:
    best = fitted.levels[level].scorers["popularity"].best(limit)
    pairs = np.repeat(known, len(best)), np.tile(best, len(known))
    return Case(len(pairs[0]), lambda: fitted.probability(level, *pairs))


def rivals(history: History, fitted: Fitted) -> dict[str, Case]:
    """On the categories, as ours."""
    view = history.view("category", fitted.cutoff)
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


def show(title: str, figures: Mapping[str, Mapping[str, float]]) -> None:
    print(f"\n## {title}\n\n{'':20}{'pairs':>12}{'a second':>14}{'a core second':>16}")
    for name, row in figures.items():
        cells = f"{row['pairs']:>12,}{row['per_s']:>14,}{row['per_core_s']:>16,}"
        print(f"{name.replace('_', ' '):20}{cells}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--copies", type=int, default=8, help="of each customer in the larger shop")
    parser.add_argument("--repeat", type=int, default=5, help="turns")
    options = parser.parse_args()
    task = TARGETING["cj_category"].earlier(1)
    with tempfile.TemporaryDirectory(prefix="rightsend-benchmark-") as cache:
        history = task.history(Data(None, Path(cache)))
    fitted = training.fit(
        history, task.cutoff, horizon_days=7, levels=["category", "item"], settings=SETTINGS
    )
    small = measured(ours(history, fitted, items=True) | rivals(history, fitted), options.repeat)
    show(f"The Complete Journey: {history.n_customers:,} customers", small)
    large = copied(history, options.copies)
    wide = replace(fitted, levels={"category": described(large, fitted, "category")})
    big = measured(ours(large, wide, items=False) | rivals(large, wide), options.repeat)
    show(f"{large.n_customers:,} customers", big)
    load = os.getloadavg()[0]
    print(f"\nload of the machine: {load:.1f} on {os.cpu_count()} processors")
    document = {
        "pairs_per_s": big["many_targets"]["per_s"],
        "pairs_per_core_s": big["many_targets"]["per_core_s"],
        "over_als_recommend": ratio(big, "als_recommend"),
        "over_lightfm_predict": ratio(big, "lightfm_predict"),
        "complete_journey": small,
        "larger": big,
        "load": round(load, 2),
    }
    print(json.dumps(document))


def ratio(figures: Mapping[str, Mapping[str, float]], rival: str) -> float:
    """Our pairs for many targets over the rival's, by processor time."""
    return round(figures["many_targets"]["per_core_s"] / figures[rival]["per_core_s"], 3)


if __name__ == "__main__":
    main()
