"""Related items and what is bought together, judged by what customers then did.

    python -m benchmarks.relations [--data FOLDER] [--earlier N]

- related: of each item of a customer's purchase after the cut-off, is something of the customer's
  next purchase among its ten (hit rate, and mean reciprocal rank of the first)?
- together: of each item of a basket after the cut-off, is another item of that basket among its
  ten?

An item is never its own relation. Rivals: best sellers of 28 days, plain counts of co-occurrence
(which rank as the confidence of association rules), lift of association rules, cosine. Each is
learned from before the cut-off; where one has nothing to say of an item, best sellers stand in.
``--earlier N``: N windows back, to choose there. The last line is JSON.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from benchmarks.targeting import run_each
from benchmarks.tasks import RANKING, TARGETING, WEEK, Data, Task
from benchmarks.tasks.data import add_option
from scoring import relations
from scoring.history import BOUGHT, History
from scoring.models import Ints

LENGTH = 10
AFTER = 4 * WEEK  # hours that are judged
LIFT_SUPPORT = 20  # customers or baskets: below, lift finds coincidences
TASKS = {"cj": RANKING["cj_rank"], "tafeng": RANKING["tafeng_rank"]} | {
    "taobao": TARGETING["taobao_category"]
}
Table = Ints  # int32[n_items, LENGTH], -1 none


@dataclass(frozen=True)
class Asked:
    """Queries: ``item``: int32[n]; ``basket``: int32[n], where the answer is looked for; ``held``:
    sorted int64 keys basket * n_items + item of what the baskets hold."""

    item: Ints
    basket: Ints
    held: NDArray[np.int64]

    def judge(self, table: Table, n_items: int) -> dict[str, float]:
        """Hit rate and mean reciprocal rank."""
        shown = table[self.item].astype(np.int64)
        key = self.basket.astype(np.int64)[:, None] * n_items + shown
        at = np.minimum(np.searchsorted(self.held, key), len(self.held) - 1)
        hit = (self.held[at] == key) & (shown >= 0) & (shown != self.item[:, None])
        first = np.where(hit.any(axis=1), 1.0 / (hit.argmax(axis=1) + 1), 0.0)
        return {
            "hr10": round(float(hit.any(axis=1).mean()), 4),
            "mrr": round(float(first.mean()), 4),
        }


def same_basket(history: History, task: Task) -> Asked:
    """Each item of a basket with two or more asks for the others."""
    visit, item = visits(history, task.cutoff, task.cutoff + AFTER)
    basket = np.unique(visit, return_inverse=True)[1]
    n_items = history.catalogue.n_items
    held = np.unique(basket * n_items + item)
    basket, item = held // n_items, (held % n_items).astype(np.int32)
    several = np.bincount(basket)[basket] > 1
    return Asked(item[several], basket[several].astype(np.int32), held)


def visits(history: History, start: int | None, end: int) -> tuple[NDArray[np.int64], Ints]:
    """(customer << 32 | hour, item) of what was bought in [start, end)."""
    customer, item, hour = history.select(BOUGHT, start=start, end=end)
    some = item >= 0
    return customer[some].astype(np.int64) << 32 | hour[some].astype(np.int64), item[some]


def next_basket(history: History, task: Task, before: bool) -> Asked:
    """Each item of a customer's purchase asks for the customer's next one.

    ``before``: the purchase before the cut-off counts too, where the window holds but one.
    """
    start = task.cutoff
    key, item = visits(history, None if before else start, start + AFTER)
    visit, number = np.unique(key, return_inverse=True)
    n_items = history.catalogue.n_items
    held = np.unique(number * n_items + item)
    number, item = held // n_items, (held % n_items).astype(np.int32)
    following = np.minimum(number + 1, len(visit) - 1)
    asks = (following > number) & (visit[following] >> 32 == visit[number] >> 32)
    asks &= (visit[following] & 0xFFFFFFFF) >= start
    return Asked(item[asks], following[asks].astype(np.int32), held)


def best_sellers(history: History, cutoff: int) -> Table:
    """The same for every item, without itself."""
    _, item, _ = history.select(BOUGHT, start=cutoff - AFTER, end=cutoff)
    count = np.bincount(item[item >= 0], minlength=history.catalogue.n_items)
    best = np.argsort(-count, kind="stable")[: LENGTH + 1].astype(np.int32)
    table = np.tile(best[:LENGTH], (history.catalogue.n_items, 1))
    table[best[:LENGTH], np.arange(LENGTH)] = best[LENGTH]
    return table


def counted(
    rows: sp.csr_array, position: Ints, score: Callable[[NDArray, NDArray, NDArray], NDArray]
) -> Table:
    """Of each column of ``rows`` (ones) the columns with the highest ``score(counts of both,
    count of it, counts of the others)``."""
    count = np.asarray(rows.sum(axis=0)).ravel()
    original = np.flatnonzero(position >= 0).astype(np.int32)
    table = np.full((len(position), LENGTH), -1, dtype=np.int32)
    turned = sp.csr_array(rows.T)
    for begin in range(0, len(original), 256):
        own = np.arange(begin, min(begin + 256, len(original)))
        both = (turned[own] @ rows).toarray()
        both[np.arange(len(own)), own] = 0
        value = score(both, count[own][:, None], count)
        best = np.argpartition(-value, LENGTH, axis=1)[:, :LENGTH]
        order = np.argsort(-np.take_along_axis(value, best, axis=1), axis=1, kind="stable")
        best = np.take_along_axis(best, order, axis=1)
        found = np.take_along_axis(value, best, axis=1) > 0
        table[original[own]] = np.where(found, original[best], -1)
    return table


def lift(both: NDArray, own: NDArray, other: NDArray) -> NDArray:
    return np.where(both >= LIFT_SUPPORT, both / (own * other), 0)


RULES: Mapping[str, Callable[[NDArray, NDArray, NDArray], NDArray]] = {
    "counts (confidence)": lambda both, own, other: both / own,
    "cosine": lambda both, own, other: both / np.sqrt(own * other),
    "lift": lift,
}


def run(name: str, task: Task, data: Data) -> dict[str, dict[str, dict[str, float]]]:
    history = task.history(data)
    n_items, cutoff = history.catalogue.n_items, task.cutoff
    baskets = relations.Baskets.of(history, cutoff)
    held, position = baskets.held, baskets.position
    member = (np.ones(held.shape[0], np.float32), (baskets.customer, np.arange(held.shape[0])))
    by_customer = sp.csr_array(sp.csr_array(member, (history.n_customers, held.shape[0])) @ held)
    by_customer.data[:] = 1
    best = best_sellers(history, cutoff)
    asked = {
        "related": next_basket(history, task, before=name == "tafeng"),
        "together": same_basket(history, task),
    }
    ours = {
        "related": relations.related(baskets, LENGTH).target,
        "together": relations.bought_together(baskets, LENGTH).target,
    }
    tables: dict[str, dict[str, Table]] = {
        what: {
            "rightsend": ours[what],
            "best sellers": best,
            **{rule: counted(rows, position, score) for rule, score in RULES.items()},
        }
        for what, rows in (("related", by_customer), ("together", held))
    }
    out: dict[str, dict[str, dict[str, float]]] = {}
    for what, methods in tables.items():
        print(f"\n## {name}, {what}: {len(asked[what].item):,} questions\n")
        print(f"{'':22}{'hr10':>8}{'mrr':>8}")
        out[what] = {}
        for method, table in methods.items():
            row = out[what][method] = asked[what].judge(np.where(table < 0, best, table), n_items)
            print(f"{method:22}{row['hr10']:>8.4f}{row['mrr']:>8.4f}", flush=True)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", choices=list(TASKS), default=["cj", "tafeng"])
    parser.add_argument("--earlier", type=int, default=0, metavar="N", help="windows back")
    add_option(parser)
    run_each(parser.parse_args(), TASKS, run)


if __name__ == "__main__":
    main()
