"""A sample of Taobao's log: a purchase, a cart or a favourite is the goal, a view is signal.

Unix seconds; those outside the nine days of the collection are wrong and left out, as is the last
line, which is cut off.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from benchmarks.tasks.data import Columns, Data, history_of
from scoring.history import BOUGHT, ENGAGED, History

FILE = "taobao_userbehavior_sample/UserBehavior_first84k.csv.gz"
FIRST = int(datetime(2017, 11, 24, 16, tzinfo=UTC).timestamp())
END = int(datetime(2017, 12, 3, 16, tzinfo=UTC).timestamp())
KIND = {"pv": ENGAGED, "buy": BOUGHT, "cart": BOUGHT, "fav": BOUGHT}


@lru_cache(maxsize=1)
def read(data: Data, _cutoff: int) -> History:
    with gzip.open(data.file(FILE), "rt") as file:
        lines = [line.split(",") for line in file.read().splitlines()]
    rows = [row for row in lines if len(row) == 5 and row[4].isdigit()]
    rows = [row for row in rows if FIRST <= int(row[4]) < END]
    customer, item, category, behaviour, seconds = np.array(rows, dtype=np.str_).T
    items, first, number = np.unique(item, return_index=True, return_inverse=True)
    kind = np.array([KIND[name] for name in behaviour.tolist()], dtype=np.int8)
    hour = seconds.astype(np.int64) // 3600
    return history_of(Columns(customer, number, hour, kind), items, category[first])
