"""Histories made by hand, and ways to change what a model must not look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.fitted import Fitted
from scoring.history import BOUGHT, Catalogue, History
from scoring.level import Level
from scoring.models.affinity import AffinityTrainer
from scoring.training import fit_level

CUTOFF = 24 * 100  # hours: a hundred days into the epoch, so that days are easily counted
Row = tuple[int, int, int, int]  # customer, item, hour, kind


def days_ago(days: int) -> int:
    """The hour in the middle of the day ``days`` before the cut-off, 0 = the last 24 hours."""
    return CUTOFF - 24 * days - 12


def bought(customer: int, item: int, *days: int) -> list[Row]:
    return [(customer, item, days_ago(day), BOUGHT) for day in days]


def make(
    rows: Iterable[Row],
    *,
    customers: int,
    items: int,
    brand: Iterable[int] | None = None,
    category: Iterable[int] | None = None,
) -> History:
    """A history of ``rows``; ``brand`` and ``category``: each item's number, -1 (default) none."""
    of_item = {
        "item": np.arange(items, dtype=np.int32),
        "brand": _numbers(brand, items),
        "category": _numbers(category, items),
    }
    names = {
        level: np.array([f"{level}-{n}" for n in range(int(of.max(initial=-1)) + 1)], dtype=np.str_)
        for level, of in of_item.items()
    }
    catalogue = Catalogue(names, of_item, np.ones(items, np.float32), np.ones(items, dtype=bool))
    nothing = np.zeros(0, np.int32)
    history = History(
        customers=np.array([f"customer-{n}" for n in range(customers)], dtype=np.str_),
        customer=nothing,
        item=nothing,
        hour=nothing,
        kind=nothing.astype(np.int8),
        catalogue=catalogue,
        profile_names=np.zeros(0, np.str_),
        profile_customer=nothing,
        profile_feature=nothing,
    )
    return with_rows(history, rows)


def empty(*, customers: int = 4, items: int = 3) -> History:
    return make([], customers=customers, items=items, brand=[0] * items, category=[0] * items)


def checkerboard(*, customers: int = 40, items: int = 20, seed: int = 3) -> History:
    """Even customers buy even items, odd ones odd items: 60 % of them, each on one day. Nothing
    but the purchases tells the blocks apart."""
    random = np.random.default_rng(seed)
    rows: list[Row] = []
    for customer in range(customers):
        own = np.arange(customer % 2, items, 2)
        for item in random.choice(own, size=len(own) * 6 // 10, replace=False):
            rows += bought(customer, int(item), int(random.integers(0, 60)))
    return make(rows, customers=customers, items=items)


def with_rows(history: History, rows: Iterable[Row]) -> History:
    """The history with more events."""
    more = np.array(list(rows), dtype=np.int32).reshape(-1, 4)
    columns = [
        np.concatenate([old, new]) for old, new in zip(_columns(history), more.T, strict=True)
    ]
    return _with_columns(history, columns)


def before(history: History, cutoff: int) -> History:
    """The history without its events at or after ``cutoff``."""
    keep = history.hour < cutoff
    return _with_columns(history, [column[keep] for column in _columns(history)])


def with_another_future(history: History, cutoff: int, *, events: int = 300) -> History:
    """The same past; everything from ``cutoff`` (an hour) on replaced by random events."""
    random = np.random.default_rng(99)
    future = zip(
        random.integers(0, history.n_customers, events),
        random.integers(-1, history.catalogue.n_items, events),
        cutoff + random.integers(0, 24 * 30, events) * (np.arange(events) > 20),
        random.integers(0, 3, events),
        strict=True,
    )
    return with_rows(
        before(history, cutoff), [(int(a), int(b), int(c), int(d)) for a, b, c, d in future]
    )


def all_pairs(history: History, n_targets: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(customer, target): everyone with everything."""
    customer, target = np.divmod(np.arange(history.n_customers * n_targets), n_targets)
    return customer.astype(np.int32), target.astype(np.int32)


def level_of(past: History, name: str, cutoff: int, *, window_days: int = 7) -> Level:
    """The named level (or ``any``) as training fits it, with a little affinity."""
    affinity = AffinityTrainer(past, cutoff, components=4, seed=1).advance(cutoff, 1)
    return fit_level(past, name, cutoff, affinity, window_days)


def arrays_of(fitted: Fitted) -> dict[str, NDArray]:
    """Everything a fitted model holds, by name."""
    found: dict[str, NDArray] = {}
    for name, level in fitted.levels.items():
        found |= {f"{name}/{key}": array for key, array in arrays_of_level(level).items()}
    for kind, judges in fitted.judges.items():
        for name, judge in judges.items():
            parts = {"stacker": judge.stacker.arrays(), "calibrator": judge.calibrator.arrays()}
            for part, arrays in parts.items():
                found |= {f"{part}/{kind}/{name}/{key}": array for key, array in arrays.items()}
    return found


def arrays_of_level(level: Level) -> dict[str, NDArray]:
    found = {"of_item": level.of_item}
    parts: Iterator[tuple[str, Any]] = iter(
        [*level.scorers.items(), *((f"up-{n}", scorer) for n, (scorer, _) in level.parents.items())]
    )
    for name, scorer in parts:
        found |= {f"{name}/{key}": array for key, array in scorer.arrays().items()}
    return found


def assert_same(one: dict[str, NDArray], other: dict[str, NDArray]) -> None:
    """Both hold the same arrays, to the bit."""
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype, name
        assert array.shape == other[name].shape, name
        assert array.tobytes() == other[name].tobytes(), name


def _numbers(values: Iterable[int] | None, items: int) -> NDArray[np.int32]:
    return np.array([-1] * items if values is None else list(values), dtype=np.int32)


def _columns(history: History) -> list[NDArray]:
    return [history.customer, history.item, history.hour, history.kind]


def _with_columns(history: History, columns: list[NDArray]) -> History:
    customer, item, hour, kind = columns
    order = np.lexsort((kind, item, customer, hour))
    return replace(
        history,
        customer=customer[order].astype(np.int32),
        item=item[order].astype(np.int32),
        hour=hour[order].astype(np.int32),
        kind=kind[order].astype(np.int8),
    )
