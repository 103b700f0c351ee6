"""Where the data sets lie, and plain columns → a History."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scoring.history import LEVELS, Catalogue, History, Ints

VARIABLE = "RIGHTSEND_BENCHMARK_DATA"


@dataclass(frozen=True)
class Data:
    """``folder``: of the data sets that no package carries; ``cache``: for what is built once a
    run."""

    folder: Path | None
    cache: Path

    def file(self, name: str) -> Path:
        if self.folder is None:
            raise SystemExit(f"{name} is needed: give its folder with --data or in {VARIABLE}")
        return self.folder / name


def add_option(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get(VARIABLE)
    parser.add_argument(
        "--data", type=Path, default=Path(default) if default else None, metavar="FOLDER",
        help=f"data sets that no package carries (default: ${VARIABLE}); without it only "
        "The Complete Journey is run",
    )  # fmt: skip


@dataclass(frozen=True)
class Columns:
    """Events as parallel columns: ``customer`` (str), ``item`` (row in ``items``), ``hour`` since
    the epoch, ``kind`` as in History."""

    customer: NDArray[np.str_]
    item: NDArray[np.int64]
    hour: NDArray[np.int64]
    kind: NDArray[np.int8]


def history_of(
    columns: Columns, items: NDArray[np.str_], category: NDArray[np.str_] | None = None
) -> History:
    """A history without profile, brands or prices. ``items``: sorted ids; ``category``: of each."""
    customers, customer = np.unique(columns.customer, return_inverse=True)
    names = {level: np.zeros(0, dtype=np.str_) for level in LEVELS} | {"item": items}
    of_item: dict[str, Ints] = {level: np.full(len(items), -1, np.int32) for level in LEVELS}
    of_item["item"] = np.arange(len(items), dtype=np.int32)
    if category is not None:
        names["category"], number = np.unique(category, return_inverse=True)
        of_item["category"] = number.astype(np.int32)
    order = np.lexsort((columns.kind, columns.item, customer, columns.hour))
    nothing = np.zeros(0, dtype=np.int32)
    return History(
        customers=customers,
        customer=customer[order].astype(np.int32),
        item=columns.item[order].astype(np.int32),
        hour=columns.hour[order].astype(np.int32),
        kind=columns.kind[order],
        catalogue=Catalogue(
            names=names,
            of_item=of_item,
            price=np.full(len(items), np.nan, dtype=np.float32),
            sellable=np.ones(len(items), dtype=bool),
        ),
        profile_names=np.zeros(0, dtype=np.str_),
        profile_customer=nothing,
        profile_feature=nothing,
    )
