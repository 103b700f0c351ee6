"""Why the first items of every customer's list are recommended, told by the model that chose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from scoring.fitted import Fitted
from scoring.ranking import Ranked
from scoring.reasons.explain import explain_items
from scoring.reasons.reason import MOST_REASONS

CHUNK, THREADS = 16_384, 2  # pairs explained at once by each thread


def item_reasons(fitted: Fitted, ranked: Ranked, first: int) -> pa.ListArray:
    """list<uint32> a customer: three numbers for each of the ``first`` best items, 0 = no more.

    They are the contributions of the stacker that ranked them, see ``explain_items``.
    """
    count = np.minimum(np.diff(ranked.start), first)
    start = np.concatenate([[0], np.cumsum(count)])
    customer = np.repeat(np.arange(len(count), dtype=np.int32), count)
    place = np.arange(len(customer)) - start[customer] + ranked.start[customer]
    item = ranked.target[place]
    packed = np.zeros((len(customer), MOST_REASONS), dtype=np.uint32)
    level = fitted.levels["item"]
    nothing = level.bought_nothing[customer]

    def explained(begin: int) -> None:
        part = np.arange(begin, min(begin + CHUNK, len(customer)))
        for new in (False, True):
            rows = part[nothing[part] == new]
            stacker = fitted.ranker(new=new).stacker
            x = level.describe(customer[rows], item[rows])
            packed[rows] = explain_items(level, stacker, x)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(explained, range(0, len(customer), CHUNK)))
    offsets = pa.array(start * MOST_REASONS, pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(packed.ravel(), pa.uint32()))
