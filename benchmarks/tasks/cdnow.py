"""CDNOW: each line is one purchase of some CDs; who buys at all?

White-space separated with a header; identifiers are sometimes printed twice in the sample file.
"""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.tasks.data import Columns, Data, history_of
from scoring.history import BOUGHT, History, hour_of

FILE = "cdnow/CDNOW_master.txt.gz"
SUMMARY = "cdnow/cdnow_customers_summary.csv"


@lru_cache(maxsize=1)
def read(data: Data, _cutoff: int) -> History:
    with gzip.open(data.file(FILE), "rt") as file:
        rows = [line.split() for line in file.read().splitlines()[1:] if line.strip()]
    customer = np.array([row[0] for row in rows])
    hours = {
        day: hour_of(datetime(int(day[:4]), int(day[4:6]), int(day[6:]), tzinfo=UTC))
        for day in {row[1] for row in rows}
    }
    hour = np.array([hours[row[1]] for row in rows], dtype=np.int64)
    item = np.zeros(len(rows), dtype=np.int64)
    kind = np.full(len(rows), BOUGHT, dtype=np.int8)
    return history_of(Columns(customer, item, hour, kind), np.array(["cd"]))


def summary(data: Data) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(frequency, recency, age) in weeks of the published 1/10 sample, 39 weeks of calibration."""
    with data.file(SUMMARY).open() as file:
        rows = list(csv.DictReader(file))
    frequency, recency, age = (
        np.array([float(row[name]) for row in rows]) for name in ("frequency", "recency", "T")
    )
    return frequency, recency, age
