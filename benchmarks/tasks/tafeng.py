"""Ta-Feng grocery baskets: no dates, so that a basket is a day.

Days are counted back from each customer's last basket, which falls on the day of the window.
"""

from __future__ import annotations

import gzip
import json
from functools import lru_cache

import numpy as np

from benchmarks.tasks.data import Columns, Data, history_of
from scoring.history import BOUGHT, History

FILE = "tafeng_baskets/tafeng_merged.json.gz"
LAST_BASKET = 24 * 1000  # an hour far enough from 0 for the longest history


@lru_cache(maxsize=1)
def read(data: Data, _cutoff: int) -> History:
    with gzip.open(data.file(FILE), "rt") as file:
        baskets: dict[str, list[list[int]]] = json.load(file)
    rows = [
        (int(customer), item, LAST_BASKET - 24 * back)
        for customer, of_customer in baskets.items()
        for back, basket in enumerate(reversed(of_customer))
        for item in basket
    ]
    customer, item, hour = np.array(rows, dtype=np.int64).T
    items, number = np.unique(item, return_inverse=True)
    kind = np.full(len(rows), BOUGHT, dtype=np.int8)
    width = len(str(items[-1]))
    return history_of(
        Columns(np.char.zfill(customer.astype(np.str_), 6), number, hour, kind),
        np.char.zfill(items.astype(np.str_), width),
    )
