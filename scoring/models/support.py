"""Which targets have enough buyers to be learned from, and customers as vectors over them."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from scoring.history import LevelView
from scoring.models import Ints


def supported_targets(view: LevelView, min_buyers: int, max_targets: int) -> Ints:
    """int32[n_targets]: position of the targets with most buyers, -1 for the others."""
    buyers = np.bincount(view.pair_target, minlength=view.n_targets)
    order = np.lexsort((np.arange(view.n_targets), -buyers))[:max_targets]
    chosen = np.sort(order[buyers[order] >= min_buyers])
    position = np.full(view.n_targets, -1, dtype=np.int32)
    position[chosen] = np.arange(len(chosen), dtype=np.int32)
    return position


def log_vectors(view: LevelView, position: Ints, strength: NDArray) -> sp.csr_array:
    """CSR float32[n_customers, n_supported] of log(1 + strength); ``position``: as of
    ``supported_targets``; ``strength``: one a pair of the view, as its days or decayed days."""
    column = position[view.pair_target]
    keep = column >= 0
    values = np.log1p(strength[keep]).astype(np.float32)
    index = (view.pair_customer[keep], column[keep])
    shape = (view.n_customers, int(position.max(initial=-1)) + 1)
    return sp.csr_array((values, index), shape=shape, dtype=np.float32)
